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
            longest_told: Duration::from_secs(120),
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
