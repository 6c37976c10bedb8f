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
    /// Where the operation has no time of its own: how long one call comes back to a service that says
    /// `Retry-After` or 429. What would take longer is handed up instead.
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
    /// Whoever took it does not answer in HTTP, and never will. What it made of it nobody knows.
    NoHttp,
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
        Loss::Refused | Loss::NoHttp => false,
    }
}

/// How often one call was sent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tried {
    /// Of our own accord, because something failed that passes.
    pub(super) attempts: u32,
    /// Because the service said when to come back.
    told: u32,
    /// Because the service said that it is called too often.
    limited: u32,
}

impl Tried {
    /// How long to wait after this answer; None where it is the outcome. `without_deadline` is how long the
    /// call has taken if nothing else bounds it. `spread`, 0 to 1, is chance: between half of the interval
    /// and all of it, so that many callers do not come back at once. What the service told is waited for in
    /// full.
    pub(super) fn after_answer(
        &mut self,
        backoff: &Backoff,
        status: StatusCode,
        idempotency: Idempotency,
        told: Option<Duration>,
        without_deadline: Option<Duration>,
        spread: f64,
    ) -> Option<Duration> {
        if !answer_is_transient(status, idempotency, told.is_some()) {
            return None;
        }
        let limited = status == StatusCode::TOO_MANY_REQUESTS;
        let busy = status == StatusCode::SERVICE_UNAVAILABLE && told.is_some();
        if !limited && !busy {
            return self.again(backoff, spread);
        }
        let count = if told.is_some() { &mut self.told } else { &mut self.limited };
        *count += 1;
        let wait = told.unwrap_or_default().max(interval(backoff, *count, spread));
        let too_often = told.is_some() && *count > TOLD;
        let too_long = without_deadline.is_some_and(|spent| spent + wait > backoff.longest_told);
        (!too_often && !too_long).then_some(wait)
    }

    /// How long to wait after a lost attempt.
    pub(super) fn after_loss(
        &mut self,
        backoff: &Backoff,
        loss: Loss,
        idempotency: Idempotency,
        spread: f64,
    ) -> Option<Duration> {
        if loss_is_transient(loss, idempotency) { self.again(backoff, spread) } else { None }
    }

    fn again(&mut self, backoff: &Backoff, spread: f64) -> Option<Duration> {
        self.attempts += 1;
        (self.attempts < backoff.attempts).then(|| interval(backoff, self.attempts, spread))
    }
}

/// As often as Kubernetes' own client comes back when it is told to.
const TOLD: u32 = 10;

/// Before the `count`th repetition.
fn interval(backoff: &Backoff, count: u32, spread: f64) -> Duration {
    let doubled = backoff.first.saturating_mul(1 << count.saturating_sub(1).min(16));
    doubled.min(backoff.longest).mul_f64(0.5 + spread.clamp(0.0, 1.0) / 2.0)
}

/// `Retry-After`: seconds, or a date. A date is measured from the answer's own `Date` where it has
/// one, so that a clock that is wrong here does no harm. Never so long that it could not be added to a time.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    told(headers, now).map(|wait| wait.min(A_YEAR))
}

const A_YEAR: Duration = Duration::from_hours(365 * 24);

fn told(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(text)?;
    let now =
        headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(http_date).unwrap_or(now);
    Some(then.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
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
            (Loss::NoHttp, false, false),
        ];
        for (loss, idempotent, once) in losses {
            assert_eq!(loss_is_transient(loss, Idempotency::Idempotent), idempotent, "{loss:?}");
            assert_eq!(loss_is_transient(loss, Idempotency::Once), once, "{loss:?}");
        }
    }

    fn backoff() -> Backoff {
        Backoff { attempts: 6, first: SECOND, longest: 5 * SECOND, longest_told: 60 * SECOND }
    }

    #[test]
    fn intervals_double_up_to_the_longest_and_end() {
        let mut tried = Tried::default();
        let mut next = || tried.after_loss(&backoff(), Loss::NotSent, Idempotency::Once, 1.0);
        let waits: Vec<_> = (0..6).map(|_| next()).collect();
        let seconds = [Some(1), Some(2), Some(4), Some(5), Some(5), None];
        assert_eq!(waits, seconds.map(|s| s.map(Duration::from_secs)));
        let mut tried = Tried::default();
        let wait = tried.after_loss(&backoff(), Loss::NotSent, Idempotency::Once, 0.0);
        assert_eq!(wait, Some(SECOND / 2));
    }

    /// What is waited after each of these answers, as long as there is one.
    fn waits(status: u16, told: Option<u64>, deadline: bool) -> Vec<u64> {
        let (mut tried, mut spent) = (Tried::default(), Duration::ZERO);
        let mut waits = Vec::new();
        while waits.len() < 100 {
            let status = StatusCode::from_u16(status).unwrap();
            let told = told.map(Duration::from_secs);
            let limit = (!deadline).then_some(spent);
            let wait = tried.after_answer(&backoff(), status, Idempotency::Once, told, limit, 1.0);
            let Some(wait) = wait else { break };
            spent += wait;
            waits.push(wait.as_secs());
        }
        waits
    }

    #[test]
    fn who_is_told_to_come_later_does_so_up_to_ten_times() {
        for status in [429, 503] {
            assert_eq!(waits(status, Some(7), true), [7; 10]);
            assert_eq!(waits(status, Some(20), false), [20; 3], "within a minute");
            assert_eq!(waits(status, Some(61), false), [0; 0]);
            assert_eq!(waits(status, Some(0), true)[..4], [1, 2, 4, 5], "not in haste");
        }
    }

    #[test]
    fn a_limit_without_a_time_is_waited_for_as_long_as_there_is_time() {
        assert_eq!(waits(429, None, true).len(), 100);
        let waits = waits(429, None, false);
        assert!((55..=60).contains(&waits.iter().sum::<u64>()), "{waits:?}");
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
        check("18446744073709551615", None, Some(A_YEAR.as_secs()));
        check("Fri, 31 Dec 9998 23:59:59 GMT", None, Some(A_YEAR.as_secs()));
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
