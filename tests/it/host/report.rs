//! What calls tell the operator, and how the host complains of a provider that breaks the rules.

use std::fmt;

/// One message, as the operator would read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Diag {
    pub error: bool,
    pub summary: String,
    pub detail: String,
    /// As in HCL; empty for the whole object.
    pub path: String,
    /// The call that gave it.
    pub call: &'static str,
    /// The resource that it is about.
    pub address: String,
}

impl fmt::Debug for Diag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.error { "Error" } else { "Warning" };
        write!(f, "{severity}: {}\n  {} {}", self.summary, self.call, self.address)?;
        if !self.path.is_empty() {
            write!(f, ", at {}", self.path)?;
        }
        write!(f, "\n  {}", self.detail)
    }
}

/// Everything told, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(pub Vec<Diag>);

impl Told {
    pub fn failed(&self) -> bool {
        self.0.iter().any(|it| it.error)
    }

    pub fn errors(&self) -> Vec<&Diag> {
        self.0.iter().filter(|it| it.error).collect()
    }

    pub fn warnings(&self) -> Vec<&Diag> {
        self.0.iter().filter(|it| !it.error).collect()
    }

    /// Whether a message with this summary was told.
    pub fn has(&self, summary: &str) -> bool {
        self.0.iter().any(|it| it.summary == summary)
    }

    /// The one message with this summary; anything else fails the test.
    #[track_caller]
    pub fn only(&self, summary: &str) -> &Diag {
        let found: Vec<_> = self.0.iter().filter(|it| it.summary == summary).collect();
        match found.as_slice() {
            [one] => one,
            _ => panic!("{} messages {summary:?} in {self:#?}", found.len()),
        }
    }

    /// Fails the test where there is an error.
    #[track_caller]
    pub fn assert_success(&self) {
        assert!(!self.failed(), "{self:#?}");
    }

    /// Fails the test where there is anything at all.
    #[track_caller]
    pub fn assert_silent(&self) {
        assert!(self.0.is_empty(), "{self:#?}");
    }

    pub(super) fn error(&mut self, call: &'static str, address: &str, summary: &str, detail: &str) {
        self.0.push(Diag {
            error: true,
            summary: summary.to_owned(),
            detail: detail.to_owned(),
            path: String::new(),
            call,
            address: address.to_owned(),
        });
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Fails the test: what the provider did would fail every user.
#[track_caller]
pub(super) fn breach(call: &str, address: &str, faults: &[String]) {
    assert!(
        faults.is_empty(),
        "the provider breaks the protocol in {call} of {address}:\n  {}",
        faults.join("\n  ")
    );
}
