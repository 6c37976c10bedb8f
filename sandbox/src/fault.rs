//! What can go wrong on the way: faults, and the rules that say at which call one happens.
//! Not for what clouds refuse on purpose: that is each cloud's own business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One way for a call to go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum Fault {
    /// A complete answer of 200 with a page that is not JSON; nothing was done.
    HtmlGarbage,
    /// 500 with an HTML page, as a crashing Keystone answers; nothing was done.
    InternalError,
    /// 404 with an HTML page, as a load balancer answers that knows no such path; nothing was done.
    NotFound,
    /// Done, then the connection is reset in the middle of the answer's body.
    ResetAfterHalfTheBody,
    /// Done, then the connection is reset without an answer.
    ResetAfterCommit,
    /// The connection is reset without an answer; nothing was done.
    ResetBefore,
    /// 503 with an HTML page, as a proxy without a backend answers; nothing was done.
    ServiceUnavailable {
        /// Seconds, for the header of that name.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Served correctly, but only after so long.
    Slow { milliseconds: u64 },
    /// Never answered; nothing was done.
    Timeout,
    /// Done, but never answered.
    TimeoutAfterCommit,
    /// 429; nothing was done.
    TooManyRequests {
        /// Seconds, for the header of that name.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Done and answered with the right status, but the JSON text ends in the middle.
    TruncatedJson,
}

impl Fault {
    /// The name in the controls and in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HtmlGarbage => "html_garbage",
            Self::InternalError => "internal_error",
            Self::NotFound => "not_found",
            Self::ResetAfterHalfTheBody => "reset_after_half_the_body",
            Self::ResetAfterCommit => "reset_after_commit",
            Self::ResetBefore => "reset_before",
            Self::ServiceUnavailable { .. } => "service_unavailable",
            Self::Slow { .. } => "slow",
            Self::Timeout => "timeout",
            Self::TimeoutAfterCommit => "timeout_after_commit",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::TruncatedJson => "truncated_json",
        }
    }

    /// Served correctly, but only after so long.
    pub fn slow(by: Duration) -> Self {
        Self::Slow { milliseconds: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// At which calls a fault happens: by default at the very next one, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    #[serde(flatten)]
    fault: Fault,
    /// Only this call of the log.
    #[serde(default)]
    call: Option<u64>,
    /// Only calls of this method.
    #[serde(default)]
    method: Option<String>,
    /// Only calls whose path begins so.
    #[serde(default)]
    path_prefix: Option<String>,
    /// Counts matching calls from 1: nothing happens before this one.
    #[serde(default = "once")]
    nth: u64,
    /// How often it happens; none: for ever.
    #[serde(default = "only_once")]
    times: Option<u64>,
    #[serde(skip)]
    seen: u64,
    #[serde(skip)]
    done: u64,
}

fn once() -> u64 {
    1
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn only_once() -> Option<u64> {
    Some(1)
}

impl FaultRule {
    /// At the next call, once.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            call: None,
            method: None,
            path_prefix: None,
            nth: 1,
            times: Some(1),
            seen: 0,
            done: 0,
        }
    }

    /// Only at the call that the log gives this number.
    #[must_use]
    pub fn at_call(mut self, number: u64) -> Self {
        self.call = Some(number);
        self
    }

    /// Only at calls of that method whose path begins so.
    #[must_use]
    pub fn on(mut self, method: &str, path_prefix: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path_prefix = Some(path_prefix.to_owned());
        self
    }

    /// Not before the nth matching call after the injection, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = nth;
        self
    }

    /// At so many matching calls.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// At every matching call until the faults are cleared.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.times = None;
        self
    }

    fn matches(&self, number: u64, method: &str, path: &str) -> bool {
        self.call.is_none_or(|wanted| wanted == number)
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path_prefix.as_ref().is_none_or(|wanted| path.starts_with(wanted))
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
}

impl Faults {
    pub(crate) fn inject(&mut self, rule: FaultRule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules that have not run out.
    pub(crate) fn pending(&self) -> &[FaultRule] {
        &self.rules
    }

    /// What happens at this call: the oldest rule that applies. Every rule sees every call, so that
    /// counts do not depend on the other rules.
    pub(crate) fn strike(&mut self, number: u64, method: &str, path: &str) -> Option<Fault> {
        let mut struck = None;
        for rule in &mut self.rules {
            if !rule.matches(number, method, path) {
                continue;
            }
            rule.seen += 1;
            if rule.seen >= rule.nth && struck.is_none() {
                rule.done += 1;
                struck = Some(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.times.is_none_or(|times| rule.done < times));
        struck
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_rule_without_conditions_strikes_the_next_call_once() {
        let mut faults = Faults::default();
        faults.inject(FaultRule::new(Fault::Timeout));
        assert_eq!(faults.strike(1, "GET", "/v3"), Some(Fault::Timeout));
        assert_eq!(faults.strike(2, "GET", "/v3"), None);
        assert!(faults.pending().is_empty());
    }

    #[test]
    fn method_path_and_count_select_the_call() {
        let mut faults = Faults::default();
        faults.inject(FaultRule::new(Fault::ResetBefore).on("post", "/v3/users/").nth(2).times(2));
        let mut hits = Vec::new();
        for number in 1..=5 {
            assert_eq!(faults.strike(number, "POST", "/v3/auth/tokens"), None);
            assert_eq!(faults.strike(number, "GET", "/v3/users/u"), None);
            hits.push(faults.strike(number, "POST", "/v3/users/u").is_some());
        }
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn a_call_number_strikes_that_call_only() {
        let mut faults = Faults::default();
        faults.inject(FaultRule::new(Fault::TruncatedJson).at_call(3));
        let hits: Vec<bool> = (1..=4).map(|n| faults.strike(n, "GET", "/").is_some()).collect();
        assert_eq!(hits, [false, false, true, false]);
    }

    #[test]
    fn a_persistent_rule_stays_until_cleared() {
        let mut faults = Faults::default();
        faults.inject(FaultRule::new(Fault::InternalError).persistent());
        assert!((1..100).all(|n| faults.strike(n, "GET", "/").is_some()));
        faults.clear();
        assert_eq!(faults.strike(100, "GET", "/"), None);
    }

    #[test]
    fn rules_are_read_from_json_with_the_defaults_of_the_builder() {
        let short: FaultRule = serde_json::from_str(r#"{"fault": "timeout"}"#).unwrap();
        assert_eq!(short, FaultRule::new(Fault::Timeout));
        let long: FaultRule = serde_json::from_str(
            r#"{"fault": "too_many_requests", "retry_after": 2, "method": "GET",
                "path_prefix": "/v3", "nth": 3, "times": null}"#,
        )
        .unwrap();
        let built = FaultRule::new(Fault::TooManyRequests { retry_after: Some(2) })
            .on("GET", "/v3")
            .nth(3)
            .persistent();
        assert_eq!(long, built);
        assert!(serde_json::from_str::<FaultRule>(r#"{"fault": "meteorite"}"#).is_err());
    }
}
