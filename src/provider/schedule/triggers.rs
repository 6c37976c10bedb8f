//! The argument `triggers`: any values, whose change calls for a rotation.

use std::collections::{BTreeMap, BTreeSet};

use crate::rotation::Change;
use crate::tfplugin::model::Attr;

/// As they are written; a value may be unknown before apply.
pub type Triggers = BTreeMap<String, Attr<String>>;

/// How the configuration's differ from the state's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    pub changes: Vec<Change>,
    /// Whether there are more changes cannot be told before apply.
    pub unknown: bool,
}

/// Which keys differ; null and the empty map are equal.
pub fn compare(prior: &Attr<Triggers>, config: &Attr<Triggers>) -> Compared {
    let empty = Triggers::new();
    let mut compared = Compared::default();
    if config.is_unknown() {
        compared.unknown = true;
        return compared;
    }
    let (before, after) = (prior.known().unwrap_or(&empty), config.known().unwrap_or(&empty));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        if new.is_some_and(Attr::is_unknown) && old.is_some() {
            compared.unknown = true;
        } else {
            compared.changes.push(Change::Trigger(key.clone()));
        }
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Attr<String>)]) -> Attr<Triggers> {
        Attr::Known(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    fn one(value: &str) -> Attr<Triggers> {
        map(&[("v", Attr::Known(value.into()))])
    }

    #[test]
    fn a_key_that_differs_is_a_change() {
        let changed = Compared { changes: vec![Change::Trigger("v".into())], unknown: false };
        assert_eq!(compare(&one("1"), &one("2")), changed);
        assert_eq!(compare(&one("1"), &Attr::Null), changed);
        assert_eq!(compare(&Attr::Null, &one("1")), changed);
        // A key that was not there is a change whatever its value will be.
        assert_eq!(compare(&Attr::Null, &map(&[("v", Attr::Unknown)])), changed);
    }

    #[test]
    fn null_and_the_empty_map_are_equal() {
        assert_eq!(compare(&Attr::Null, &map(&[])), Compared::default());
        assert_eq!(compare(&map(&[]), &Attr::Null), Compared::default());
        assert_eq!(compare(&one("1"), &one("1")), Compared::default());
    }

    #[test]
    fn a_value_that_is_not_known_may_be_the_same() {
        let perhaps = Compared { changes: Vec::new(), unknown: true };
        assert_eq!(compare(&one("1"), &map(&[("v", Attr::Unknown)])), perhaps);
        assert_eq!(compare(&one("1"), &Attr::Unknown), perhaps);
    }
}
