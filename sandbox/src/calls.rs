//! The log of calls: what was asked, by whom, and what it was answered. Never a body or a secret.

use std::collections::BTreeMap;

use serde::Serialize;

/// One request that reached the sandbox; calls to the sandbox's own controls are not logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Counts from 1 since the start or the last reset.
    pub number: u64,
    pub method: String,
    pub path: String,
    /// Without the question mark; empty when there is none.
    pub query: String,
    /// The path with its variable parts named, such as `/v3/users/{user_id}`; the path itself where
    /// nothing is served.
    pub route: String,
    /// The name of the user whose token was sent, or who logged in; none if that is not known.
    pub user: Option<String>,
    /// None while it is being served, and when it was never answered.
    pub status: Option<u16>,
    pub request_id: String,
    /// The fault that was injected, under its name in the controls.
    pub fault: Option<&'static str>,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

impl Call {
    /// What kind of call this is: method and route.
    pub fn kind(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

/// All calls since the last reset.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    calls: Vec<Call>,
    // Calls that began before a reset must not end in a later call's entry.
    era: u64,
}

/// Names an entry of the log, across resets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    era: u64,
    pub(crate) number: u64,
}

impl CallLog {
    /// Enters a call; its number is assigned here.
    pub(crate) fn begin(&mut self, mut call: Call) -> Ticket {
        let number = self.calls.len() as u64 + 1;
        call.number = number;
        self.calls.push(call);
        Ticket { era: self.era, number }
    }

    /// Completes an entry, unless the log has been reset since.
    pub(crate) fn update(&mut self, ticket: Ticket, change: impl FnOnce(&mut Call)) {
        if ticket.era != self.era {
            return;
        }
        let index = usize::try_from(ticket.number - 1).unwrap_or(usize::MAX);
        if let Some(call) = self.calls.get_mut(index) {
            change(call);
        }
    }

    pub(crate) fn all(&self) -> &[Call] {
        &self.calls
    }

    pub(crate) fn reset(&mut self) {
        self.calls.clear();
        self.era += 1;
    }

    /// How many of each kind.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for call in &self.calls {
            *counts.entry(call.kind()).or_default() += 1;
        }
        counts
    }

    /// How many of that method (or `*`) whose path begins so.
    pub(crate) fn count(&self, method: &str, path_prefix: &str) -> usize {
        self.calls
            .iter()
            .filter(|call| method == "*" || call.method.eq_ignore_ascii_case(method))
            .filter(|call| call.path.starts_with(path_prefix))
            .count()
    }

    /// Bytes of all bodies: asked, answered.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        self.calls.iter().fold((0, 0), |(asked, answered), call| {
            (asked + call.bytes_in, answered + call.bytes_out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str) -> Call {
        Call {
            number: 0,
            method: method.into(),
            path: path.into(),
            query: String::new(),
            route: path.into(),
            user: None,
            status: None,
            request_id: String::new(),
            fault: None,
            bytes_in: 10,
            bytes_out: 0,
        }
    }

    #[test]
    fn calls_are_numbered_counted_and_summed() {
        let mut log = CallLog::default();
        assert_eq!(log.begin(call("GET", "/v3")).number, 1);
        let second = log.begin(call("POST", "/v3/auth/tokens"));
        log.update(second, |call| {
            call.status = Some(201);
            call.bytes_out = 300;
        });
        assert_eq!(log.all()[1].status, Some(201));
        assert_eq!(log.count("*", "/v3"), 2);
        assert_eq!(log.count("post", "/v3/auth"), 1);
        assert_eq!(log.counts()["POST /v3/auth/tokens"], 1);
        assert_eq!(log.bytes(), (20, 300));
    }

    #[test]
    fn a_call_that_began_before_a_reset_leaves_no_trace_after_it() {
        let mut log = CallLog::default();
        let old = log.begin(call("GET", "/v3"));
        log.reset();
        log.begin(call("POST", "/v3/auth/tokens"));
        log.update(old, |call| call.status = Some(200));
        assert_eq!(log.all().len(), 1);
        assert_eq!(log.all()[0].status, None);
    }
}
