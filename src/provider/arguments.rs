//! Arguments that several types share: durations and moments, from text to value and back.

use jiff::Timestamp;

use crate::rotation::Period;
use crate::tfplugin::cty::Value;
use crate::tfplugin::model::Attr;

/// Refuses what is no duration; a validator.
pub fn check_period(value: &Value) -> Result<(), String> {
    let Value::String(text) = value else { return Ok(()) };
    Period::parse(text)
        .map(|_| ())
        .map_err(|error| format!("{text:?} cannot be used as a duration: {error}"))
}

/// Refuses what is no moment in UTC; a validator.
pub fn check_utc(value: &Value) -> Result<(), String> {
    let Value::String(text) = value else { return Ok(()) };
    parse_utc(text).map(|_| ())
}

/// A duration that has been validated; null where it is not given or not known yet.
pub fn period(text: &Attr<String>) -> Option<Period> {
    text.known().and_then(|text| Period::parse(text).ok())
}

/// A moment of the state or the configuration; null where there is none.
pub fn moment(text: &Attr<String>) -> Option<Timestamp> {
    text.known().and_then(|text| parse_utc(text).ok())
}

/// How moments are written: RFC 3339 in UTC, whole seconds.
pub fn written(moment: Timestamp) -> String {
    whole_seconds(moment).to_string()
}

/// A generation's number as the state holds it.
pub fn number(generation: u64) -> Attr<i64> {
    Attr::Known(i64::try_from(generation).unwrap_or(i64::MAX))
}

/// The moment as Keystone keeps it, in microseconds; finer digits are lost on the way.
pub fn as_keystone_keeps_it(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}

/// The moment without its fraction of a second.
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

fn parse_utc(text: &str) -> Result<Timestamp, String> {
    let local = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix("+00:00"));
    let local = local.filter(|local| local.contains(['T', 't']));
    if let (Some(_), Ok(moment)) = (local, text.parse::<Timestamp>()) {
        return Ok(moment);
    }
    if local.is_some_and(|local| local.parse::<jiff::civil::DateTime>().is_ok()) {
        return Err(format!(
            "{text:?} is later than the last moment that can be kept, 9999-12-30T22:00:00Z; what never ends has none"
        ));
    }
    if local.is_some_and(has_form) {
        return Err(format!(
            "{text:?} is no moment, as there is no such day or no such time of day; write one that exists, such as \
             2027-01-01T00:00:00Z"
        ));
    }
    Err(format!(
        "{text:?} is not a moment in UTC; write RFC 3339 with a time and a Z, such as \
         2027-01-01T00:00:00Z (no other offset, and no date alone)"
    ))
}

/// `2027-02-29T00:00:00`, whether or not it exists.
fn has_form(local: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00t00:00:00";
    let digits = local.bytes().zip(FORM).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        b't' => matches!(byte, b't' | b'T'),
        form => byte == *form,
    });
    local.len() >= FORM.len() && digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_in_utc() {
        let check_utc = |text: &str| check_utc(&Value::String(text.into()));
        assert!(check_utc("2027-01-01T00:00:00Z").is_ok());
        assert!(check_utc("2027-01-01T00:00:00.5Z").is_ok());
        assert!(check_utc("2027-01-01T00:00:00+00:00").is_ok());
        for text in ["2027-02-29T00:00:00Z", "2027-04-31T00:00:00Z", "2027-01-01T25:00:00Z"] {
            let none = check_utc(text).unwrap_err();
            assert!(none.contains("no such day or no such time"), "{none}");
        }
        let last = check_utc("9999-12-31T23:59:59Z").unwrap_err();
        assert!(last.contains("later than the last moment"), "{last}");
        for text in [
            "2027-01-01",
            "2027-01-01T00:00:00+02:00",
            "2027-01-01T00:00:00",
            "",
            "Z",
            "2027-13-01T00:00:00Z",
        ] {
            let error = check_utc(text).unwrap_err();
            assert!(error.contains("2027-01-01T00:00:00Z"), "{error}");
        }
    }
}
