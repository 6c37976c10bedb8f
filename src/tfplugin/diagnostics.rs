//! Diagnostics with attribute paths: what an operator reads.

use std::fmt;

/// Whether a diagnostic stops the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An attribute of an object, or a block.
    Attribute(String),
    /// An element of a list or tuple.
    Index(i64),
    /// An element of a map.
    Key(String),
}

/// Where in a resource's configuration or state. Set elements have no path: point at the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributePath(Vec<Step>);

impl AttributePath {
    /// The whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// A top-level attribute.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::root().then(Step::Attribute(name.into()))
    }

    /// This path, one step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Its first steps only.
    #[must_use]
    pub fn up_to(&self, steps: usize) -> Self {
        Self(self.0.iter().take(steps).cloned().collect())
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// One message to the operator. The summary is constant for its kind (Terraform folds equal ones);
/// the detail names the object, says what is still valid and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub summary: String,
    pub detail: String,
    /// The attribute it is about; none for the whole resource.
    pub path: Option<AttributePath>,
}

impl Diagnostic {
    /// A message that stops the operation.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: None,
        }
    }

    /// A message that does not.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// The same, pointing at a place.
    #[must_use]
    pub fn at(self, path: AttributePath) -> Self {
        Self { path: Some(path), ..self }
    }

    /// The same, pointing at a top-level attribute.
    #[must_use]
    pub fn at_attribute(self, name: &str) -> Self {
        self.at(AttributePath::attribute(name))
    }
}

/// Why a handler stopped: at least one error, perhaps warnings beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// What is told of a call that stopped. Without an error among it the host would take the call for a success, with
    /// an answer that is empty.
    #[must_use]
    pub(crate) fn stopping(mut self) -> Vec<Diagnostic> {
        if !self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            self.0.push(Diagnostic::error(
                "Provider bug",
                "The provider stopped without saying why: the warnings beside this are all it said. Please report it",
            ));
        }
        self.0
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

/// What a handler returns.
pub type Result<T, E = Diagnostics> = std::result::Result<T, E>;

/// Bytes or a value that do not fit their type, and where. The message never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    pub path: AttributePath,
    pub message: String,
}

impl DecodeError {
    /// A misfit right here.
    pub fn new(message: impl Into<String>) -> Self {
        Self { path: AttributePath::root(), message: message.into() }
    }

    /// The same, seen from one step further out.
    #[must_use]
    pub fn within(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }

    /// The same, seen from the root, where this value stands at `path`.
    #[must_use]
    pub fn under(mut self, path: &AttributePath) -> Self {
        self.path.0.splice(0..0, path.0.iter().cloned());
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.0.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeError> for Diagnostic {
    fn from(error: DecodeError) -> Self {
        let diagnostic = Self::error("Value of the wrong type", error.to_string());
        if error.path.0.is_empty() { diagnostic } else { diagnostic.at(error.path) }
    }
}

impl From<DecodeError> for Diagnostics {
    fn from(error: DecodeError) -> Self {
        Diagnostic::from(error).into()
    }
}
