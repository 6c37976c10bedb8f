//! Which answers are worth another try, by Oracle's own table, and how long to wait before. Pure.
//!
//! A call that changes something carries a token, by which the service knows that it is the same call
//! again; so it is repeated as readily as one that reads. Only one answer parts the two: 409
//! `IncorrectState`. To a read it means "soon". To a start or a completion it may mean that the call has
//! been carried out already, and who repeats it blindly waits for minutes: it is handed up, so that
//! the state can be read first.

use std::time::Duration;

use crate::cloud::http::{Backoff, Response};

/// Names one logical call across its repetitions, for 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryToken(pub(super) String);

impl RetryToken {
    /// A new one: for a new call.
    pub fn new() -> Self {
        Self(unique())
    }

    /// One that was made before, for the same call.
    pub fn named(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RetryToken {
    fn default() -> Self {
        Self::new()
    }
}

/// 32 hexadecimal digits, for tokens and request ids: not secret, only unlike all others.
pub(super) fn unique() -> String {
    let number = (getrandom::u64().ok(), getrandom::u64().ok());
    match number {
        (Some(high), Some(low)) => format!("{high:016X}{low:016X}"),
        // Without randomness the moment has to do.
        _ => format!("{:032X}", crate::clock::now().as_nanosecond()),
    }
}

/// Eight tries within some two minutes, as Oracle's tools do by default.
pub(super) const BACKOFF: Backoff = Backoff {
    attempts: 8,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
    longest_told: Duration::from_mins(2),
};

/// Whether an answer is worth another try. `changes`: the call is one that changes something.
pub(super) fn answer_is_transient(status: u16, code: Option<&str>, changes: bool) -> bool {
    match (status, code) {
        (409, Some("IncorrectState" | "ExternalServerIncorrectState" | "LockConflict")) => !changes,
        (429, _) => true,
        (501, _) => false,
        (status, _) => status >= 500,
    }
}

/// Before try number `next` (2 is the first one repeated); None: no further one. `spread`, 0 to 1, is
/// chance.
pub(super) fn wait(
    backoff: &Backoff,
    next: u32,
    told: Option<Duration>,
    spread: f64,
) -> Option<Duration> {
    if next > backoff.attempts || told.is_some_and(|told| told > backoff.longest_told) {
        return None;
    }
    let doubled = backoff.first.saturating_mul(1 << next.saturating_sub(2).min(16));
    let own = doubled.min(backoff.longest).mul_f64(0.5 + spread.clamp(0.0, 1.0) / 2.0);
    Some(told.unwrap_or_default().max(own))
}

/// `retry-after`, which OCI gives in seconds.
pub(super) fn told(answer: &Response) -> Option<Duration> {
    let text = answer.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// OCI's code in the body of a refusal.
pub(super) fn code(answer: &Response) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Refusal {
        code: String,
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).ok()?;
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    Some(refusal.code).filter(|code| !code.is_empty() && code.len() < 64 && code.chars().all(fit))
}

/// From 0 to 1, so that many callers do not come back at once.
pub(super) fn chance() -> f64 {
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracles_table_but_for_a_change_that_meets_another_state() {
        // status, code, a read, a change
        let rules = [
            (400, "InvalidParameter", false, false),
            (401, "NotAuthenticated", false, false),
            (403, "NotAllowed", false, false),
            (404, "NotAuthorizedOrNotFound", false, false),
            (409, "Conflict", false, false),
            (409, "IncorrectState", true, false),
            (409, "InvalidatedRetryToken", false, false),
            (409, "ExternalServerIncorrectState", true, false),
            (412, "NoEtagMatch", false, false),
            (422, "UnprocessableEntity", false, false),
            (429, "TooManyRequests", true, true),
            (500, "InternalServerError", true, true),
            (501, "MethodNotImplemented", false, false),
            (502, "", true, true),
            (503, "ServiceUnavailable", true, true),
        ];
        for (status, code, read, change) in rules {
            assert_eq!(answer_is_transient(status, Some(code), false), read, "{status} {code}");
            assert_eq!(answer_is_transient(status, Some(code), true), change, "{status} {code}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let seconds = |next| wait(&BACKOFF, next, None, 1.0).map(|wait| wait.as_secs());
        let waits: Vec<_> = (2..=9).map(seconds).collect();
        let expected = [1, 2, 4, 8, 16, 30, 30].map(Some);
        assert_eq!(waits[..7], expected);
        assert_eq!(waits[7], None);
        let minute = Duration::from_mins(1);
        assert_eq!(wait(&BACKOFF, 2, Some(minute), 0.0), Some(minute));
        assert_eq!(wait(&BACKOFF, 2, Some(3 * minute), 0.0), None);
    }

    #[test]
    fn each_call_has_a_token_of_its_own() {
        let (one, other) = (RetryToken::new(), RetryToken::new());
        assert_ne!(one, other);
        assert_eq!(one.0.len(), 32);
    }
}
