//! The argument `timeouts`, the same for all types; only the defaults differ.

use std::time::Duration;

use crate::provider::arguments::{check_period, period};
use crate::rotation::Period;
use crate::tfplugin::model::{Attr, Model};
use crate::tfplugin::traits::Operation;

/// How long each operation may take.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Timeouts {
    /// How long a create may take.
    #[attr(optional, validate(custom(check_period)))]
    pub create: Attr<String>,
    /// How long a destroy may take.
    #[attr(optional, validate(custom(check_period)))]
    pub delete: Attr<String>,
    /// How long a refresh may take.
    #[attr(optional, validate(custom(check_period)))]
    pub read: Attr<String>,
    /// How long an update may take.
    #[attr(optional, validate(custom(check_period)))]
    pub update: Attr<String>,
}

/// What a type takes where nothing is given.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    pub create: Duration,
    pub delete: Duration,
    pub read: Duration,
    pub update: Duration,
}

impl Defaults {
    /// How long this operation may take.
    pub fn or(self, given: &Attr<Timeouts>, operation: Operation) -> Duration {
        let given = given.known();
        let (given, default) = match operation {
            Operation::Create => (given.map(|given| &given.create), self.create),
            Operation::Delete => (given.map(|given| &given.delete), self.delete),
            Operation::Read => (given.map(|given| &given.read), self.read),
            Operation::Update => (given.map(|given| &given.update), self.update),
        };
        given.and_then(period).map_or(default, Period::to_std)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_for_its_operation_only() {
        let minutes = Duration::from_mins;
        let defaults = Defaults {
            create: minutes(5),
            delete: minutes(4),
            read: minutes(2),
            update: minutes(3),
        };
        let given = Timeouts { read: Attr::Known("PT10S".into()), ..Timeouts::default() };
        let given = Attr::Known(given);
        assert_eq!(defaults.or(&given, Operation::Read), Duration::from_secs(10));
        assert_eq!(defaults.or(&given, Operation::Create), minutes(5));
        assert_eq!(defaults.or(&given, Operation::Delete), minutes(4));
        assert_eq!(defaults.or(&Attr::Null, Operation::Update), minutes(3));
    }
}
