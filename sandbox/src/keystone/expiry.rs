//! Reads `expires_at` as Keystone does.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::refuse;
use crate::http::Reply;

/// Reads what Keystone reads: UTC, with or without `Z`, never with another offset.
pub(crate) fn expiry(written: &str, now: Timestamp) -> Result<Timestamp, Reply> {
    let plain = written.strip_suffix('Z').unwrap_or(written);
    let at = civil(plain)
        .and_then(|time| jiff::tz::TimeZone::UTC.to_timestamp(time).ok())
        .ok_or_else(|| refuse::malformed("Timestamp not in expected format."))?;
    if at < now {
        return Err(refuse::malformed("The 'expires_at' must not be before now."));
    }
    Ok(at)
}

/// Date and time in ISO 8601 as Keystone's library reads it: dashes and colons may be missing,
/// minutes and seconds too; a `T` or a blank stands between.
fn civil(written: &str) -> Option<DateTime> {
    let mut rest = written;
    let year = digits(&mut rest, 4, 4)?;
    let dashed = skip(&mut rest, "-");
    let month = if dashed { digits(&mut rest, 1, 2)? } else { digits(&mut rest, 2, 2)? };
    let dashed = skip(&mut rest, "-");
    let day = if dashed { digits(&mut rest, 1, 2)? } else { digits(&mut rest, 2, 2)? };
    if !skip(&mut rest, "T") && !skip(&mut rest, " ") {
        return None;
    }
    let hour = digits(&mut rest, 2, 2)?;
    let (mut minute, mut second, mut nanos) = (0, 0, 0);
    if !rest.is_empty() {
        skip(&mut rest, ":");
        minute = digits(&mut rest, 2, 2)?;
    }
    if !rest.is_empty() {
        skip(&mut rest, ":");
        second = digits(&mut rest, 1, 2)?;
        if skip(&mut rest, ".") || skip(&mut rest, ",") {
            let given = rest.len();
            let fraction: String = rest.chars().chain("000000".chars()).take(6).collect();
            digits(&mut rest, 1, given)?;
            nanos = digits(&mut fraction.as_str(), 6, 6)? * 1_000;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        i32::try_from(nanos).ok()?,
    )
    .ok()
}

/// Takes that many digits off the front. More than fit into a number are 0: a fraction's tail.
fn digits(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let (taken, left) = rest.split_at(count);
    *rest = left;
    Some(taken.parse().unwrap_or_default())
}

fn skip(rest: &mut &str, what: &str) -> bool {
    let left = rest.strip_prefix(what);
    *rest = left.unwrap_or(rest);
    left.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Result<String, u16> {
        expiry(written, Timestamp::UNIX_EPOCH)
            .map(|at| at.to_string())
            .map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn every_form_of_a_time_in_utc_is_read() {
        for written in [
            "2037-01-02T03:04:05",
            "2037-01-02T03:04:05Z",
            "2037-01-02 03:04:05",
            "2037-1-2T03:04:5",
            "20370102T030405Z",
            "2037-01-02T03:04:05.000000",
            "2037-01-02T03:04:05,0Z",
        ] {
            assert_eq!(read(written).as_deref(), Ok("2037-01-02T03:04:05Z"), "{written}");
        }
        assert_eq!(read("2037-01-02T03").as_deref(), Ok("2037-01-02T03:00:00Z"));
        let fine = read("2037-01-02T03:04:05.12345678901234567890");
        assert_eq!(fine.as_deref(), Ok("2037-01-02T03:04:05.123456Z"));
    }

    #[test]
    fn nothing_else_is() {
        for written in [
            "2037-01-02",
            "2037-01-02Z",
            "2037-01-02T03:04:05+02:00",
            "2037-01-02T03:04:05ZZ",
            "2037-01-02T3:04",
            "2037-02-30T00:00:00",
            "2037-01-02T25:00:00",
            "2037-01-02T03:04:05.",
            "2037-01-02T03:04:05 ",
            "7-01-02T03:04:05",
            "never",
            "é",
        ] {
            assert_eq!(read(written), Err(400), "{written}");
        }
        assert_eq!(read("1969-12-31T23:59:59"), Err(400));
    }
}
