use super::super::fixtures::{NO_POLICY, day, days};
use super::super::reason::sentence;
use super::*;

const OVERLAP: fn() -> Policy = || Policy { overlap: Some(days(7)), ..NO_POLICY };

/// The third generation, at rest: nothing due, nothing old.
fn state(policy: Policy) -> State {
    State {
        generation: 3,
        highest: 3,
        current_expired: false,
        current_removable: true,
        due: Vec::new(),
        previous: Vec::new(),
        strays: BTreeSet::new(),
        policy,
    }
}

/// Retired on the day of its own number.
fn old(generation: u64) -> Previous {
    let retired = day(i64::try_from(generation).unwrap());
    Previous { generation, retired, expires_at: None, removable: true }
}

fn period(deadline: i64) -> Due {
    Due::RotationPeriod { deadline: day(deadline) }
}

fn over(generation: u64, deadline: i64) -> Due {
    Due::Overlap { generation, deadline: day(deadline) }
}

/// The configuration says what the state says.
fn same(state: &State) -> Desired {
    Desired {
        policy: state.policy,
        changes: Vec::new(),
        unknown: Vec::new(),
        named_strays: BTreeSet::new(),
    }
}

fn trigger(key: &str) -> Change {
    Change::Trigger(key.into())
}

fn told(step: &Step) -> String {
    match step {
        Step::Issue { generation, reasons } => {
            assert!(!reasons.is_empty(), "nothing is issued without a reason");
            format!("issue {}", sentence(*generation, reasons))
        }
        Step::IssueIfChanged { unknown } => format!("issue if changed: {}", unknown.join(", ")),
        Step::Hold { generation, until: None } => format!("hold {generation}"),
        Step::Hold { generation, until: Some(until) } => {
            format!("hold {generation} until {}", until.strftime("%Y-%m-%d"))
        }
        Step::HoldDue(due) => format!("held: {due}"),
        Step::Revoke { generation, reason } => format!("revoke {generation}: {reason}"),
        Step::RevokeStray { id } => format!("revoke stray {id}"),
        Step::Replace { reasons, unknown } => {
            let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            format!("replace: {} [{}]", reasons.join("; "), unknown.join(", "))
        }
    }
}

#[track_caller]
fn check(state: &State, desired: &Desired, expected: &[&str]) {
    let steps = plan(state, desired);
    assert_eq!(steps.iter().map(told).collect::<Vec<_>>(), expected);
}

#[test]
fn at_rest_there_is_nothing_to_do() {
    for policy in [NO_POLICY, OVERLAP(), Policy { rotate: false, ..OVERLAP() }] {
        let state = state(policy);
        check(&state, &same(&state), &[]);
    }
}

#[test]
fn a_change_without_overlap_replaces() {
    let state = state(NO_POLICY);
    let desired =
        Desired { changes: vec![Change::Argument("roles"), trigger("v")], ..same(&state) };
    check(&state, &desired, &["replace: roles changed; triggers[\"v\"] changed []"]);
}

#[test]
fn a_change_with_overlap_rotates_in_place_and_keeps_the_old_one() {
    let state = state(OVERLAP());
    let desired = Desired { changes: vec![trigger("v")], ..same(&state) };
    check(&state, &desired, &["issue generation 4: triggers[\"v\"] changed", "hold 3"]);
}

#[test]
fn a_rotation_and_a_revocation_due_in_one_plan() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(1), old(2)];
    state.due = vec![over(1, 8)];
    let desired = Desired { changes: vec![trigger("v")], ..same(&state) };
    check(
        &state,
        &desired,
        &[
            "issue generation 4: triggers[\"v\"] changed",
            "hold 3",
            "hold 2 until 2026-01-10",
            "revoke 1: overlap of generation 1 ended at 2026-01-09 00:00 UTC",
        ],
    );
    assert_eq!(left_due(&plan(&state, &desired)), []);
}

#[test]
fn a_revocation_alone_first_proves_the_current_one() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(1)];
    state.due = vec![over(1, 8)];
    let revoke = "revoke 1: overlap of generation 1 ended at 2026-01-09 00:00 UTC";
    check(&state, &same(&state), &[revoke]);
}

#[test]
fn inside_the_overlap_the_old_one_is_only_told_of() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(2)];
    check(&state, &same(&state), &["hold 2 until 2026-01-10"]);
    state.previous[0].expires_at = Some(day(4));
    check(&state, &same(&state), &["hold 2 until 2026-01-05"]);
}

#[test]
fn a_due_schedule_replaces_or_rotates() {
    for (due, reason) in [
        (period(30), "rotation_period reached at 2026-01-31 00:00 UTC"),
        (Due::RenewBefore { deadline: day(76) }, "renew_before reached at 2026-03-18 00:00 UTC"),
    ] {
        let mut state = state(NO_POLICY);
        state.due = vec![due];
        check(&state, &same(&state), &[&format!("replace: {reason} []")]);
        state.policy = OVERLAP();
        let issue = format!("issue generation 4: {reason}");
        check(&state, &same(&state), &[&issue, "hold 3"]);
    }
}

#[test]
fn an_expired_one_is_not_kept() {
    let mut state = state(OVERLAP());
    state.due = vec![Due::Expired { deadline: day(90) }, period(30)];
    let issue = "issue generation 4: expired at 2026-04-01 00:00 UTC; \
                 rotation_period reached at 2026-01-31 00:00 UTC";
    let steps = [issue, "revoke 3: it had expired"];
    check(&state, &same(&state), &steps);
    state.current_removable = false;
    check(&state, &same(&state), &[issue, "hold 3"]);
}

#[test]
fn one_that_expired_at_a_fixed_date_is_not_kept_either() {
    let mut state = state(OVERLAP());
    state.current_expired = true;
    check(&state, &same(&state), &[]);
    let desired = Desired { changes: vec![Change::Argument("expires_at")], ..same(&state) };
    let issue = "issue generation 4: expires_at changed";
    let steps = [issue, "revoke 3: it had expired"];
    check(&state, &desired, &steps);
}

#[test]
fn beside_an_expired_one_nothing_ends_until_it_has_a_successor() {
    let mut state = state(OVERLAP());
    state.current_expired = true;
    state.previous = vec![old(1), old(2)];
    state.due = vec![over(1, 8)];
    state.strays = ["a".to_owned()].into();
    let mut desired = same(&state);
    desired.named_strays = ["a".to_owned()].into();
    let held = "held: overlap of generation 1 ended at 2026-01-09 00:00 UTC";
    check(&state, &desired, &[held, "hold 2 until 2026-01-10"]);

    desired.policy.overlap = None;
    check(&state, &desired, &["hold 1 until 2026-01-02", "hold 2 until 2026-01-03"]);

    desired.policy.overlap = state.policy.overlap;
    desired.changes = vec![Change::Argument("expires_at")];
    check(
        &state,
        &desired,
        &[
            "issue generation 4: expires_at changed",
            "hold 2 until 2026-01-10",
            "revoke 3: it had expired",
            "revoke 1: overlap of generation 1 ended at 2026-01-09 00:00 UTC",
            "revoke stray a",
        ],
    );
}

#[test]
fn a_vanished_one_is_neither_kept_nor_revoked() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(2)];
    state.due = vec![Due::Vanished];
    let gone = "issue generation 4: the current credential was deleted by somebody else";
    let steps = [gone, "hold 2 until 2026-01-10"];
    check(&state, &same(&state), &steps);
    state.current_expired = true;
    check(&state, &same(&state), &steps);
    state.policy.rotate = false;
    check(&state, &same(&state), &steps);
}

#[test]
fn a_vanished_one_without_overlap_is_replaced() {
    let mut state = state(NO_POLICY);
    state.due = vec![Due::Vanished];
    let gone = "replace: the current credential was deleted by somebody else []";
    check(&state, &same(&state), &[gone]);
}

#[test]
fn a_changed_policy_lets_its_due_entries_be_judged_anew() {
    let mut state = state(Policy { rotation_period: Some(days(30)), ..OVERLAP() });
    state.due = vec![period(30)];
    let mut desired = same(&state);
    desired.policy.rotation_period = Some(days(60));
    check(&state, &desired, &[]);
    assert_eq!(left_due(&plan(&state, &desired)), []);

    desired.changes = vec![trigger("v")];
    let issue = "issue generation 4: triggers[\"v\"] changed";
    check(&state, &desired, &[issue, "hold 3"]);
}

#[test]
fn each_due_entry_follows_from_its_own_arguments() {
    let all = Policy {
        expires_in: Some(days(90)),
        overlap: Some(days(7)),
        renew_before: Some(days(14)),
        rotate: true,
        rotation_period: Some(days(30)),
    };
    let mut state = state(all);
    let expired = Due::Expired { deadline: day(90) };
    let renewal = Due::RenewBefore { deadline: day(76) };
    state.due = vec![Due::Vanished, expired.clone(), renewal.clone(), period(30), over(1, 8)];
    let left = |policy: Policy| remaining(&state, &policy);
    assert_eq!(left(all), state.due);
    let longer = Some(days(365));
    let without = |dropped: &[&Due]| {
        state.due.iter().filter(|due| !dropped.contains(due)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(left(Policy { expires_in: longer, ..all }), without(&[&expired, &renewal]));
    assert_eq!(left(Policy { renew_before: longer, ..all }), without(&[&renewal]));
    assert_eq!(left(Policy { rotation_period: longer, ..all }), without(&[&period(30)]));
    assert_eq!(left(Policy { overlap: longer, ..all }), without(&[&over(1, 8)]));
    assert_eq!(left(Policy { rotate: false, ..all }), state.due);
}

#[test]
fn an_overlap_added_when_the_schedule_is_due_already_holds() {
    let mut state = state(NO_POLICY);
    state.due = vec![period(30)];
    let desired = Desired { policy: OVERLAP(), ..same(&state) };
    let issue = "issue generation 4: rotation_period reached at 2026-01-31 00:00 UTC";
    check(&state, &desired, &[issue, "hold 3"]);
}

#[test]
fn an_overlap_changed_moves_the_end_and_saves_what_was_about_to_go() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(1), old(2)];
    state.due = vec![over(1, 8)];
    let mut desired = same(&state);
    desired.policy.overlap = Some(days(20));
    check(&state, &desired, &["hold 1 until 2026-01-22", "hold 2 until 2026-01-23"]);
}

#[test]
fn an_overlap_removed_ends_every_old_one_in_that_plan() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(1), old(2)];
    state.due = vec![over(1, 8)];
    let mut desired = same(&state);
    desired.policy.overlap = None;
    let ends = ["revoke 1: overlap was removed", "revoke 2: overlap was removed"];
    check(&state, &desired, &ends);
    desired.policy.rotate = false;
    check(&state, &desired, &ends);

    state.previous[0].removable = false;
    check(&state, &desired, &["hold 1 until 2026-01-02", "revoke 2: overlap was removed"]);

    desired.changes = vec![trigger("v")];
    check(&state, &desired, &["replace: triggers[\"v\"] changed []"]);
}

#[test]
fn a_revocation_that_failed_after_the_overlap_was_removed_is_tried_again() {
    let mut state = state(NO_POLICY);
    state.previous = vec![old(1)];
    check(&state, &same(&state), &["revoke 1: no overlap is set"]);
    state.policy.rotate = false;
    check(&state, &same(&state), &["revoke 1: no overlap is set"]);
}

#[test]
fn rotate_false_holds_schedules_and_says_so() {
    let mut state = state(Policy { rotate: false, ..OVERLAP() });
    state.previous = vec![old(1)];
    state.due = vec![period(30), over(1, 8)];
    let held = [
        "held: rotation_period reached at 2026-01-31 00:00 UTC",
        "held: overlap of generation 1 ended at 2026-01-09 00:00 UTC",
    ];
    check(&state, &same(&state), &held);
    assert_eq!(left_due(&plan(&state, &same(&state))), state.due, "so the plan is empty");

    let mut desired = same(&state);
    desired.policy.rotate = true;
    check(
        &state,
        &desired,
        &[
            "issue generation 4: rotation_period reached at 2026-01-31 00:00 UTC",
            "hold 3",
            "revoke 1: overlap of generation 1 ended at 2026-01-09 00:00 UTC",
        ],
    );
}

#[test]
fn rotate_false_holds_no_change_of_the_user() {
    let mut state = state(Policy { rotate: false, ..OVERLAP() });
    state.previous = vec![old(1)];
    state.due = vec![period(30), over(1, 8)];
    let desired = Desired { changes: vec![trigger("v")], ..same(&state) };
    check(
        &state,
        &desired,
        &[
            "issue generation 4: triggers[\"v\"] changed",
            "hold 3",
            "held: overlap of generation 1 ended at 2026-01-09 00:00 UTC",
        ],
    );
    assert_eq!(left_due(&plan(&state, &desired)), [over(1, 8)]);
}

#[test]
fn rotate_false_holds_a_due_replacement() {
    let mut state = state(Policy { rotate: false, ..NO_POLICY });
    state.due = vec![period(30)];
    check(&state, &same(&state), &["held: rotation_period reached at 2026-01-31 00:00 UTC"]);
}

#[test]
fn an_unknown_input_is_decided_in_the_apply() {
    let mut state = state(OVERLAP());
    state.previous = vec![old(1)];
    state.due = vec![over(1, 8)];
    let unknown = Desired { unknown: vec!["triggers"], ..same(&state) };
    let revoke = "revoke 1: overlap of generation 1 ended at 2026-01-09 00:00 UTC";
    check(&state, &unknown, &["issue if changed: triggers", revoke]);
    check(&state, &same(&state), &[revoke]);
    let changed = Desired { changes: vec![trigger("v")], ..same(&state) };
    let issue = "issue generation 4: triggers[\"v\"] changed";
    check(&state, &changed, &[issue, "hold 3", revoke]);
}

#[test]
fn an_unknown_input_hides_no_rotation_that_is_certain() {
    let mut state = state(OVERLAP());
    state.due = vec![period(30)];
    let desired = Desired { unknown: vec!["triggers"], ..same(&state) };
    let issue = "issue generation 4: rotation_period reached at 2026-01-31 00:00 UTC";
    check(&state, &desired, &[issue, "hold 3"]);
}

#[test]
fn an_unknown_input_without_overlap_replaces() {
    let mut state = state(NO_POLICY);
    let mut desired = Desired { unknown: vec!["roles", "triggers"], ..same(&state) };
    check(&state, &desired, &["replace:  [roles, triggers]"]);
    state.due = vec![period(30)];
    let certain = "replace: rotation_period reached at 2026-01-31 00:00 UTC [roles, triggers]";
    check(&state, &desired, &[certain]);
    desired.policy.rotate = false;
    check(&state, &desired, &["replace:  [roles, triggers]"]);
}

#[test]
fn an_unknown_input_beside_a_held_schedule() {
    let mut state = state(Policy { rotate: false, ..OVERLAP() });
    state.due = vec![period(30)];
    let desired = Desired { unknown: vec!["triggers"], ..same(&state) };
    let held = "held: rotation_period reached at 2026-01-31 00:00 UTC";
    check(&state, &desired, &[held, "issue if changed: triggers"]);
}

#[test]
fn generations_number_above_strays() {
    let mut state = state(OVERLAP());
    state.highest = 7;
    state.strays = ["a".to_owned()].into();
    check(&state, &same(&state), &[]);
    let desired = Desired { changes: vec![trigger("v")], ..same(&state) };
    let issue = "issue generation 8: triggers[\"v\"] changed";
    check(&state, &desired, &[issue, "hold 3"]);
    state.highest = 0;
    let issue = "issue generation 4: triggers[\"v\"] changed";
    check(&state, &desired, &[issue, "hold 3"]);
}

#[test]
fn a_stray_ends_only_when_it_is_named_and_known() {
    let mut state = state(OVERLAP());
    state.strays = ["a".to_owned(), "b".to_owned()].into();
    let mut desired = same(&state);
    desired.named_strays = ["b".to_owned(), "c".to_owned()].into();
    check(&state, &desired, &["revoke stray b"]);
    desired.policy.rotate = false;
    check(&state, &desired, &["revoke stray b"]);
    state.strays.remove("b");
    check(&state, &desired, &[]);
}

#[test]
fn what_the_caller_may_not_delete_is_kept() {
    let mut state = state(OVERLAP());
    state.previous = vec![Previous { removable: false, ..old(1) }];
    check(&state, &same(&state), &["hold 1 until 2026-01-09"]);
    state.current_removable = false;
    let desired = Desired { changes: vec![trigger("v")], ..same(&state) };
    let issue = "issue generation 4: triggers[\"v\"] changed";
    let steps = [issue, "hold 3", "hold 1 until 2026-01-09"];
    check(&state, &desired, &steps);
}
