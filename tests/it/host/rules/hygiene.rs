//! What an answer may never hold: values of write-only attributes, secrets in messages, messages
//! that nobody can read.

use std::collections::BTreeMap;

use rekey::tfplugin::proto::tfplugin6::{Diagnostic, diagnostic::Severity};

use super::super::schema::{Attribute, Block, Kind};
use super::super::value::Val;
use super::paths::{path_exists, show_path, steps};

/// Shorter ones are told apart from ordinary words by nobody.
const SHORTEST_SECRET: usize = 8;

/// Write-only attributes that an answer sets.
pub fn write_only_faults(block: &Block, value: &Val) -> Vec<String> {
    let mut faults = Vec::new();
    visit(block, value, &mut |place, attribute, value| {
        if attribute.write_only && !value.is_null() {
            faults.push(format!("{place}: a value for the write-only attribute"));
        }
    });
    faults
}

/// Secrets that a call was given, which its answer may hold only where the schema says so.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Of sensitive attributes: may be in states, never in messages.
    sensitive: Vec<(String, String)>,
    /// Of write-only attributes: may be nowhere.
    write_only: Vec<(String, String)>,
}

impl Secrets {
    /// Adds those of a configuration or a state.
    #[must_use]
    pub fn and(mut self, block: &Block, value: &Val) -> Self {
        visit(block, value, &mut |place, attribute, value| {
            let list = match (attribute.write_only, attribute.sensitive) {
                (true, _) => &mut self.write_only,
                (false, true) => &mut self.sensitive,
                (false, false) => return,
            };
            let long = value.strings().into_iter().filter(|(_, it)| it.len() >= SHORTEST_SECRET);
            list.extend(long.map(|(inside, it)| (format!("{place}{inside}"), it)));
        });
        self
    }

    /// Whose value a message gives away.
    pub fn told_in(&self, text: &str) -> Option<&str> {
        let all = self.sensitive.iter().chain(&self.write_only);
        all.filter(|(_, secret)| text.contains(secret.as_str())).map(|(at, _)| at.as_str()).next()
    }

    /// Whose value is in bytes that end in a plan or a state.
    pub fn stored_in(&self, bytes: &[u8]) -> Option<&str> {
        let holds = |secret: &str| bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
        self.write_only.iter().find(|(_, secret)| holds(secret)).map(|(at, _)| at.as_str())
    }
}

/// What is wrong with one message to the operator.
pub fn diagnostic_faults(
    diagnostic: &Diagnostic,
    block: Option<&Block>,
    secrets: &Secrets,
) -> Vec<String> {
    let mut faults = Vec::new();
    let summary = &diagnostic.summary;
    let mut fault = |what: String| faults.push(format!("diagnostic {summary:?}: {what}"));
    if !matches!(Severity::try_from(diagnostic.severity), Ok(Severity::Error | Severity::Warning)) {
        fault(format!("severity {}", diagnostic.severity));
    }
    if summary.is_empty() || summary.trim() != summary || summary.contains('\n') {
        fault("the summary is one line that says something".to_owned());
    }
    // Terraform folds messages by summary: a name or a number in it tears them apart.
    if summary.contains('"')
        || summary.contains(" '")
        || summary.chars().any(|it| it.is_ascii_digit())
    {
        fault("the summary is constant: names and numbers belong into the detail".to_owned());
    }
    if diagnostic.detail.trim().is_empty() {
        fault("no detail".to_owned());
    }
    for text in [summary, &diagnostic.detail] {
        if let Some(place) = secrets.told_in(text) {
            fault(format!("gives away the value of {place}"));
        }
    }
    if let Some(path) = &diagnostic.attribute {
        match steps(path) {
            Err(what) => fault(what),
            Ok(steps) => {
                if block.is_some_and(|block| !path_exists(block, &steps)) {
                    fault(format!("points at {:?}, which is not in the schema", show_path(&steps)));
                }
            }
        }
    }
    faults
}

type Visitor<'a> = dyn FnMut(&str, &Attribute, &Val) + 'a;

/// Shows each attribute of a value, wherever it is nested, with its schema.
fn visit(block: &Block, value: &Val, visitor: &mut Visitor<'_>) {
    visit_block(block, value, "", visitor);
}

fn visit_block(block: &Block, value: &Val, at: &str, visitor: &mut Visitor<'_>) {
    let Val::Object(members) = value else { return };
    visit_attributes(&block.attributes, value, at, visitor);
    for (name, nested) in &block.blocks {
        for (place, value) in objects(&members[name], &format!("{at}.{name}")) {
            visit_block(&nested.block, &value, &place, visitor);
        }
    }
}

fn visit_attributes(
    attributes: &BTreeMap<String, Attribute>,
    value: &Val,
    at: &str,
    visitor: &mut Visitor<'_>,
) {
    let Val::Object(members) = value else { return };
    for (name, attribute) in attributes {
        let at = format!("{at}.{name}");
        visitor(&at, attribute, &members[name]);
        if let Kind::Nested(_, inner) = &attribute.kind {
            for (place, value) in objects(&members[name], &at) {
                visit_attributes(inner, &value, &place, visitor);
            }
        }
    }
}

fn objects(value: &Val, at: &str) -> Vec<(String, Val)> {
    match value {
        Val::List(values) | Val::Set(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("{at}[{index}]"), value.clone()))
            .collect(),
        Val::Map(entries) => {
            entries.iter().map(|(key, value)| (format!("{at}[{key:?}]"), value.clone())).collect()
        }
        other => vec![(at.to_owned(), other.clone())],
    }
}
