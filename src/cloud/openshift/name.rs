//! Names that may stand in a path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cloud::kubernetes::workload::is_dns_name;

/// The name of an object in a namespace. What a `secretRef` says is free text, so it is checked here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Name {
    namespace: String,
    name: String,
}

/// Not the name of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no NAMESPACE/NAME of lower-case letters, digits, - and .")]
pub struct NameError(String);

impl Name {
    pub fn new(namespace: &str, name: &str) -> Result<Self, NameError> {
        if is_dns_name(namespace) && is_dns_name(name) {
            return Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() });
        }
        Err(NameError(format!("{namespace}/{name}")))
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (namespace, name) = text.split_once('/').ok_or_else(|| NameError(text.to_owned()))?;
        Self::new(namespace, name)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_safe_in_a_path() {
        for text in ["openshift-machine-api/openstack-cloud-credentials", "a/b.c-1"] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }
        for text in ["", "a", "a/", "/b", "a/b/c", "a/..", "a/b?x=1", "A/b", "a/b%2f", "a/b c"] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }
}
