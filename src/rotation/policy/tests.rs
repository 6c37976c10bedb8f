use proptest::prelude::*;

use super::super::fixtures::{NO_POLICY, day, days};
use super::*;

const PERIOD: fn() -> Policy = || Policy { rotation_period: Some(days(30)), ..NO_POLICY };
const EXPIRY: fn() -> Policy = || Policy { expires_in: Some(days(90)), ..NO_POLICY };
const RENEWAL: fn() -> Policy = || Policy { renew_before: Some(days(14)), ..EXPIRY() };
const OVERLAP: fn() -> Policy = || Policy { overlap: Some(days(7)), ..NO_POLICY };

/// Issued on day 0, and with `expires_in` of 90 days.
fn observed(policy: &Policy) -> Observed {
    let expires_at = policy.expires_in.map(|period| period.after(day(0)));
    let current = Current { present: true, since: Some(day(0)), expires_at };
    Observed { current, previous: Vec::new() }
}

fn previous(generation: u64, retired: i64) -> Previous {
    Previous { generation, retired: day(retired), expires_at: None, removable: true }
}

#[track_caller]
fn check(observed: &Observed, policy: &Policy, now: Timestamp, expected: &[&str]) {
    let found = due(observed, policy, now);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected, "at {now}");
}

#[test]
fn nothing_is_due_without_a_schedule() {
    check(&observed(&NO_POLICY), &NO_POLICY, day(100_000), &[]);
}

#[test]
fn a_schedule_is_due_from_its_deadline_on() {
    let second = jiff::SignedDuration::from_secs(1);
    for (policy, deadline, told) in [
        (PERIOD(), day(30), "rotation_period reached at 2026-01-31 00:00 UTC"),
        (RENEWAL(), day(76), "renew_before reached at 2026-03-18 00:00 UTC"),
        (EXPIRY(), day(90), "expired at 2026-04-01 00:00 UTC"),
    ] {
        let observed = observed(&policy);
        check(&observed, &policy, deadline - second, &[]);
        check(&observed, &policy, deadline, &[told]);
        assert_eq!(policy.next(Some(day(0)), observed.current.expires_at), Some(deadline));
    }
}

#[test]
fn every_reason_is_told_in_a_fixed_order() {
    let policy = Policy { rotation_period: Some(days(30)), ..RENEWAL() };
    let expected = [
        "expired at 2026-04-01 00:00 UTC",
        "renew_before reached at 2026-03-18 00:00 UTC",
        "rotation_period reached at 2026-01-31 00:00 UTC",
    ];
    check(&observed(&policy), &policy, day(91), &expected);
}

#[test]
fn what_is_due_stays_the_same_while_time_passes() {
    let policy = Policy { rotation_period: Some(days(30)), ..RENEWAL() };
    let observed = observed(&policy);
    assert_eq!(due(&observed, &policy, day(91)), due(&observed, &policy, day(9_100)));
}

#[test]
fn an_expiry_is_no_reason_where_its_successor_would_expire_too() {
    let mut observed = observed(&EXPIRY());
    check(&observed, &NO_POLICY, day(91), &[]);
    observed.current.expires_at = None;
    check(&observed, &RENEWAL(), day(91), &[]);
}

#[test]
fn an_unknown_age_is_never_due() {
    let mut observed = observed(&PERIOD());
    observed.current.since = None;
    check(&observed, &PERIOD(), day(9_000), &[]);
    assert_eq!(PERIOD().next(None, None), None);
}

#[test]
fn a_vanished_one_hides_its_schedule() {
    let policy = Policy { rotation_period: Some(days(30)), overlap: Some(days(7)), ..NO_POLICY };
    let mut observed = observed(&policy);
    observed.current.present = false;
    observed.previous.push(previous(1, 0));
    let vanished = "the current credential was deleted by somebody else";
    check(&observed, &policy, day(1), &[vanished]);
    let ended = "overlap of generation 1 ended at 2026-01-08 00:00 UTC";
    check(&observed, &policy, day(31), &[vanished, ended]);
}

#[test]
fn each_old_generation_has_its_own_end() {
    let mut observed = observed(&OVERLAP());
    observed.previous = vec![previous(2, 3), previous(1, 0)];
    check(&observed, &OVERLAP(), day(6), &[]);
    let first = "overlap of generation 1 ended at 2026-01-08 00:00 UTC";
    let second = "overlap of generation 2 ended at 2026-01-11 00:00 UTC";
    check(&observed, &OVERLAP(), day(7), &[first]);
    check(&observed, &OVERLAP(), day(10), &[first, second]);
}

#[test]
fn an_old_generation_ends_no_later_than_it_expires() {
    let mut observed = observed(&OVERLAP());
    observed.previous = vec![Previous { expires_at: Some(day(2)), ..previous(1, 0) }];
    let told = "overlap of generation 1 ended at 2026-01-03 00:00 UTC";
    check(&observed, &OVERLAP(), day(2), &[told]);
}

#[test]
fn without_an_overlap_an_old_generation_is_due_at_once() {
    let mut observed = observed(&NO_POLICY);
    observed.previous = vec![previous(1, 5)];
    let told = "overlap of generation 1 ended at 2026-01-06 00:00 UTC";
    check(&observed, &NO_POLICY, day(5), &[told]);
}

#[test]
fn what_the_caller_may_not_delete_is_not_due() {
    let mut observed = observed(&OVERLAP());
    observed.previous = vec![Previous { removable: false, ..previous(1, 0) }];
    check(&observed, &OVERLAP(), day(100), &[]);
}

#[test]
fn holding_is_not_a_matter_of_what_is_due() {
    let policy = Policy { rotate: false, ..PERIOD() };
    let told = "rotation_period reached at 2026-01-31 00:00 UTC";
    check(&observed(&policy), &policy, day(40), &[told]);
}

#[test]
fn it_is_gone_when_nothing_is_left() {
    let mut observed = observed(&NO_POLICY);
    assert!(!observed.gone(false));
    observed.current.present = false;
    assert!(observed.gone(false));
    assert!(!observed.gone(true), "a stray would never be listed again");
    observed.previous = vec![previous(1, 0)];
    assert!(!observed.gone(false));
}

#[test]
fn a_changed_policy_names_its_arguments() {
    let all = Policy {
        expires_in: Some(days(90)),
        overlap: Some(days(7)),
        renew_before: Some(days(14)),
        rotate: false,
        rotation_period: Some(days(30)),
    };
    let named =
        [Governor::ExpiresIn, Governor::Overlap, Governor::RenewBefore, Governor::RotationPeriod];
    assert_eq!(all.changed_from(&NO_POLICY), named);
    assert_eq!(NO_POLICY.changed_from(&all), named);
    assert_eq!(all.changed_from(&Policy { rotate: true, ..all }), []);
}

#[test]
fn a_policy_with_a_date_to_come_is_scheduled() {
    for policy in [PERIOD(), EXPIRY(), RENEWAL()] {
        assert!(policy.scheduled());
    }
    for policy in [NO_POLICY, OVERLAP()] {
        assert!(!policy.scheduled());
        assert_eq!(policy.next(Some(day(0)), Some(day(90))), None);
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let period = || prop::option::of((1_i64..400).prop_map(days));
    (period(), period(), period(), period(), any::<bool>()).prop_map(
        |(expires_in, overlap, renew_before, rotation_period, rotate)| Policy {
            expires_in,
            overlap,
            renew_before,
            rotate,
            rotation_period,
        },
    )
}

fn any_observed() -> impl Strategy<Value = Observed> {
    let moment = || prop::option::of((0_i64..400).prop_map(day));
    let current = (any::<bool>(), moment(), moment())
        .prop_map(|(present, since, expires_at)| Current { present, since, expires_at });
    let previous = (0_i64..400, moment(), any::<bool>())
        .prop_map(|(retired, expires_at, removable)| (day(retired), expires_at, removable));
    (current, prop::collection::vec(previous, 0..4)).prop_map(|(current, previous)| Observed {
        current,
        previous: (1..)
            .zip(previous)
            .map(|(generation, (retired, expires_at, removable))| Previous {
                generation,
                retired,
                expires_at,
                removable,
            })
            .collect(),
    })
}

proptest! {
    #[test]
    fn the_next_date_is_that_from_which_a_generation_is_due(
        policy in any_policy(), observed in any_observed(), now in 0_i64..800,
    ) {
        prop_assume!(observed.current.present);
        let Current { since, expires_at, .. } = observed.current;
        let called = due(&observed, &policy, day(now)).iter().any(Due::calls_for_generation);
        let next = policy.next(since, expires_at);
        prop_assert_eq!(called, next.is_some_and(|next| next <= day(now)));
        prop_assert!(next.is_none() || policy.scheduled());
    }

    #[test]
    fn what_is_due_stays_due(
        policy in any_policy(), observed in any_observed(), now in 0_i64..800, later in 0_i64..800,
    ) {
        let early = due(&observed, &policy, day(now));
        let late = due(&observed, &policy, day(now + later));
        prop_assert!(early.iter().all(|due| late.contains(due)));
        prop_assert!(late.is_sorted());
    }
}
