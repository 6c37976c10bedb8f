//! The attribute `rotation_due`: what Read found to be due, written down for Plan.

use crate::provider::arguments::{moment, written};
use crate::rotation;
use crate::tfplugin::model::{Attr, Model};

/// Something that is due.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Due {
    /// Since when; null where that cannot be known.
    #[attr(computed)]
    pub deadline: Attr<String>,
    /// `rotation_period`, `renew_before`, `expired`, `vanished`, or `overlap of generation N`.
    #[attr(computed)]
    pub reason: Attr<String>,
}

/// What the attribute says.
pub fn recorded_due(attribute: &Attr<Vec<Due>>) -> Vec<rotation::Due> {
    let entries = attribute.known().map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .filter_map(|entry| rotation::Due::parse(entry.reason.known()?, moment(&entry.deadline)))
        .collect()
}

/// The attribute that says it.
pub fn rotation_due(due: &[rotation::Due]) -> Attr<Vec<Due>> {
    let entry = |due: &rotation::Due| Due {
        deadline: due.deadline().map(written).into(),
        reason: Attr::Known(due.code()),
    };
    Attr::Known(due.iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let all = vec![
            rotation::Due::Vanished,
            rotation::Due::Overlap {
                generation: 3,
                deadline: "2027-01-01T00:00:00Z".parse().unwrap(),
            },
        ];
        assert_eq!(recorded_due(&rotation_due(&all)), all);
        assert_eq!(recorded_due(&Attr::Unknown), []);
    }
}
