//! Values that the tests of the decisions share: a calendar that starts on 1 January 2026 and a policy
//! without any wish.

use jiff::Timestamp;

use super::{Period, Policy};

/// Midnight, `number` days after 1 January 2026.
pub(super) fn day(number: i64) -> Timestamp {
    const FIRST: i64 = 1_767_225_600;
    Timestamp::from_second(FIRST + number * 86_400).unwrap()
}

pub(super) fn days(number: i64) -> Period {
    Period::from_seconds(number * 86_400).unwrap()
}

/// No schedule, no overlap, nothing held.
pub(super) const NO_POLICY: Policy = Policy {
    expires_in: None,
    overlap: None,
    renew_before: None,
    rotate: true,
    rotation_period: None,
};
