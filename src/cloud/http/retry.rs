//! When a call is sent again, and how long to wait before. Pure: no clock, no network.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::DATE, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};

use super::Idempotency;

/// How often and at what intervals a call is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Including the first.
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pub first: Duration,
    /// No interval of our own choice is longer.
    pub longest: Duration,
    /// A `Retry-After` beyond this is not waited for: the answer is handed up instead.
    pub longest_told: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(8),
            longest_told: Duration::from_mins(2),
        }
    }
}

/// How an attempt failed that brought no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// No connection came about; nothing was sent.
    NotSent,
    /// It may have been sent, so the service may have acted.
    PerhapsSent,
    /// No connection, and none to be expected: the certificate is refused.
    Refused,
}

/// Whether an answer of this status is worth another attempt.
pub(super) fn answer_is_transient(
    status: StatusCode,
    idempotency: Idempotency,
    has_retry_after: bool,
) -> bool {
    match status.as_u16() {
        // not processed, whatever it was
        429 => true,
        503 => has_retry_after || idempotency == Idempotency::Idempotent,
        408 | 500 | 502 | 504 => idempotency == Idempotency::Idempotent,
        _ => false,
    }
}

/// Whether a lost attempt is worth another one.
pub(super) fn loss_is_transient(loss: Loss, idempotency: Idempotency) -> bool {
    match loss {
        Loss::NotSent => true,
        Loss::PerhapsSent => idempotency == Idempotency::Idempotent,
        Loss::Refused => false,
    }
}

/// How long to wait before attempt `next` (2 is the first one repeated). `spread`, 0 to 1, is
/// chance: between half of the interval and all of it, so that many callers do not come back at
/// once. What the service told is waited for in full.
pub(super) fn wait(
    backoff: &Backoff,
    next: u32,
    told: Option<Duration>,
    spread: f64,
) -> Option<Duration> {
    if next > backoff.attempts {
        return None;
    }
    let doubled = backoff.first.saturating_mul(1 << next.saturating_sub(2).min(16));
    let own = doubled.min(backoff.longest).mul_f64(0.5 + spread.clamp(0.0, 1.0) / 2.0);
    match told {
        Some(told) if told > backoff.longest_told => None,
        Some(told) => Some(told.max(own)),
        None => Some(own),
    }
}

/// `Retry-After`: seconds, or a date. A date is measured from the answer's own `Date` where it has
/// one, so that a clock that is wrong here does no harm.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(text)?;
    let now =
        headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(http_date).unwrap_or(now);
    Some(then.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_what_surely_had_no_effect_is_sent_twice_if_once_is_enough() {
        // status, has Retry-After, idempotent, once
        let rules = [
            (200, false, false, false),
            (400, true, false, false),
            (401, false, false, false),
            (403, false, false, false),
            (404, false, false, false),
            (408, false, true, false),
            (409, false, false, false),
            (429, false, true, true),
            (429, true, true, true),
            (500, false, true, false),
            (500, true, true, false),
            (501, false, false, false),
            (502, false, true, false),
            (503, false, true, false),
            (503, true, true, true),
            (504, false, true, false),
        ];
        for (status, told, idempotent, once) in rules {
            let status = StatusCode::from_u16(status).unwrap();
            let is = |idempotency| answer_is_transient(status, idempotency, told);
            assert_eq!(is(Idempotency::Idempotent), idempotent, "{status}, {told}, idempotent");
            assert_eq!(is(Idempotency::Once), once, "{status}, {told}, once");
        }
        let losses = [
            (Loss::NotSent, true, true),
            (Loss::PerhapsSent, true, false),
            (Loss::Refused, false, false),
        ];
        for (loss, idempotent, once) in losses {
            assert_eq!(loss_is_transient(loss, Idempotency::Idempotent), idempotent, "{loss:?}");
            assert_eq!(loss_is_transient(loss, Idempotency::Once), once, "{loss:?}");
        }
    }

    #[test]
    fn intervals_double_up_to_the_longest_and_end() {
        let backoff =
            Backoff { attempts: 6, first: SECOND, longest: 5 * SECOND, longest_told: 60 * SECOND };
        let waits: Vec<_> = (2..=7).map(|next| wait(&backoff, next, None, 1.0)).collect();
        let seconds = [Some(1), Some(2), Some(4), Some(5), Some(5), None];
        assert_eq!(waits, seconds.map(|s| s.map(Duration::from_secs)));
        assert_eq!(wait(&backoff, 2, None, 0.0), Some(SECOND / 2));
    }

    #[test]
    fn what_the_service_says_is_waited_for_unless_it_is_too_long() {
        let backoff = Backoff::default();
        assert_eq!(wait(&backoff, 2, Some(20 * SECOND), 0.0), Some(20 * SECOND));
        assert_eq!(wait(&backoff, 2, Some(Duration::ZERO), 1.0), Some(backoff.first));
        assert_eq!(wait(&backoff, 2, Some(backoff.longest_told + SECOND), 0.0), None);
        assert_eq!(wait(&backoff, 6, Some(SECOND), 0.0), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let check = |value: &str, date: Option<&str>, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_str(date).unwrap());
            }
            let now = "2026-03-01T10:00:00Z".parse().unwrap();
            let seconds = retry_after(&headers, now).map(|wait| wait.as_secs());
            assert_eq!(seconds, expected, "{value}, {date:?}");
        };
        check("7", None, Some(7));
        check(" 0 ", None, Some(0));
        check("Sun, 01 Mar 2026 10:00:30 GMT", None, Some(30));
        check("Sun, 01 Mar 2026 09:00:00 GMT", None, Some(0));
        // our clock is an hour ahead of theirs
        check("Sun, 01 Mar 2026 09:00:30 GMT", Some("Sun, 01 Mar 2026 09:00:00 GMT"), Some(30));
        check("soon", None, None);
        check("-5", None, None);
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }
}
