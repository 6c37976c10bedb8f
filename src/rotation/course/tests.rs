use proptest::prelude::*;

use super::*;
use crate::rotation::Period;

fn policy() -> Policy {
    Policy {
        expires_in: None,
        overlap: None,
        renew_before: None,
        rotate: true,
        rotation_period: Period::from_seconds(30 * 86_400),
    }
}

fn due() -> Due {
    Due::RotationPeriod { deadline: Timestamp::UNIX_EPOCH }
}

fn trigger() -> Change {
    Change::Trigger("v".into())
}

fn course(phase: Phase, due: Vec<Due>) -> Course {
    Course { phase, generation: 3, due, policy: policy(), died: false }
}

fn wanted() -> Wanted {
    Wanted { policy: policy(), changes: Vec::new(), unknown: Vec::new(), complete: None }
}

fn begins(first: Option<First>, reasons: Vec<Reason>) -> Next {
    Next::Begin { first, generation: 4, reasons }
}

#[test]
fn a_phase_is_read_as_it_is_written() {
    for phase in Phase::ALL {
        assert_eq!(phase.name().parse(), Ok(phase));
    }
    assert_eq!("done".parse::<Phase>(), Err(UnknownPhase));
}

#[test]
fn at_rest_a_plan_is_empty() {
    for phase in [Phase::None, Phase::Overlap, Phase::Completed] {
        assert_eq!(decide(&course(phase, Vec::new()), &wanted()).next, Next::Rest);
    }
}

#[test]
fn what_a_dead_run_left_is_looked_at_before_anything_is_asked_for() {
    for phase in [Phase::None, Phase::Overlap, Phase::Completed] {
        let died = Course { died: true, ..course(phase, Vec::new()) };
        assert_eq!(decide(&died, &wanted()).next, Next::Recover, "{phase:?}");
    }
    // Whoever still asks takes it as made.
    let died = Course { died: true, ..course(Phase::Completed, Vec::new()) };
    let asked = Wanted { changes: vec![trigger()], ..wanted() };
    let reasons = vec![Reason::Changed(trigger())];
    assert_eq!(decide(&died, &asked).next, begins(None, reasons));
    let died = Course { died: true, ..course(Phase::Verifying, Vec::new()) };
    assert_eq!(decide(&died, &wanted()).next, Next::Finish(First::Resume));
}

#[test]
fn what_is_due_or_changed_begins_the_next_rotation() {
    let scheduled = decide(&course(Phase::Completed, vec![due()]), &wanted());
    assert_eq!(scheduled.next, begins(None, vec![Reason::Due(due())]));
    assert_eq!(scheduled.held, []);
    let asked = Wanted { changes: vec![trigger()], ..wanted() };
    let changed = decide(&course(Phase::None, Vec::new()), &asked);
    assert_eq!(changed.next, begins(None, vec![Reason::Changed(trigger())]));
}

#[test]
fn in_flight_beats_due_and_does_not_swallow_what_was_asked_for() {
    for phase in
        [Phase::Rotating, Phase::Verifying, Phase::Restarting, Phase::Issuing, Phase::Retiring]
    {
        let in_flight = course(phase, vec![due()]);
        let decision = decide(&in_flight, &wanted());
        assert_eq!(decision.next, Next::Finish(First::Resume), "{phase:?}");
        assert_eq!(decision.held, [], "the schedule is asked again afterwards");
        let asked = Wanted { changes: vec![trigger()], ..wanted() };
        let reasons = vec![Reason::Changed(trigger())];
        let next = match phase {
            // It would end in an overlap, in which none begins.
            Phase::Issuing => Next::Refuse { reasons },
            _ => begins(Some(First::Resume), reasons),
        };
        assert_eq!(decide(&in_flight, &asked).next, next);
    }
}

#[test]
fn in_its_overlap_a_rotation_rests_until_it_is_completed_and_refuses_the_next_one() {
    let overlap = course(Phase::Overlap, vec![due()]);
    assert_eq!(decide(&overlap, &wanted()).next, Next::Rest);
    let complete = |generation| Wanted { complete: Some(generation), ..wanted() };
    assert_eq!(decide(&overlap, &complete(3)).next, Next::Finish(First::Complete));
    for other in [2, 4] {
        assert_eq!(decide(&overlap, &complete(other)).next, Next::Rest, "{other}");
    }
    let reasons = vec![Reason::Changed(trigger())];
    let asked = Wanted { changes: vec![trigger()], ..wanted() };
    assert_eq!(decide(&overlap, &asked).next, Next::Refuse { reasons: reasons.clone() });
    let both = Wanted { changes: vec![trigger()], ..complete(3) };
    assert_eq!(decide(&overlap, &both).next, begins(Some(First::Complete), reasons));
}

#[test]
fn a_schedule_can_be_held_and_a_new_one_is_judged_by_the_next_refresh() {
    let overdue = course(Phase::Completed, vec![due()]);
    let held = Wanted { policy: Policy { rotate: false, ..policy() }, ..wanted() };
    assert_eq!(decide(&overdue, &held), Decision { next: Next::Rest, held: vec![due()] });
    let longer = Policy { rotation_period: Period::from_seconds(90 * 86_400), ..policy() };
    let changed = Wanted { policy: longer, ..wanted() };
    assert_eq!(decide(&overdue, &changed), Decision { next: Next::Rest, held: Vec::new() });
}

#[test]
fn what_is_not_known_yet_is_perhaps_a_rotation() {
    let unknown = Wanted { unknown: vec!["triggers"], ..wanted() };
    let perhaps = |first| Next::Perhaps { first, unknown: vec!["triggers"] };
    assert_eq!(decide(&course(Phase::Completed, Vec::new()), &unknown).next, perhaps(None));
    let in_flight = course(Phase::Verifying, Vec::new());
    assert_eq!(decide(&in_flight, &unknown).next, perhaps(Some(First::Resume)));
    // Where something is certain, it is not perhaps.
    let certain = decide(&course(Phase::Completed, vec![due()]), &unknown).next;
    assert_eq!(certain, begins(None, vec![Reason::Due(due())]));
}

#[test]
fn only_a_schedule_is_answered_by_somebody_elses_rotation() {
    let asked = |by, creates, died| Asked { by, creates, died };
    let user = asked(By::User, false, false);
    let schedule = asked(By::Schedule, false, false);
    let outside = Act::Send(Some(Discounted::Outside));
    for (asked, seen, act) in [
        (user, Standing::Same, Act::Send(None)),
        (user, Standing::Unseen, Act::Send(None)),
        (user, Standing::Newer, outside),
        (user, Standing::OfAnother, outside),
        (user, Standing::UnderWay, Act::Refuse),
        (schedule, Standing::Same, Act::Send(None)),
        (schedule, Standing::Newer, Act::Adopt(Adopted::Young)),
        (schedule, Standing::OfAnother, Act::Adopt(Adopted::Young)),
        (schedule, Standing::UnderWay, Act::Adopt(Adopted::UnderWay)),
        (asked(By::User, true, false), Standing::UnderWay, Act::Adopt(Adopted::UnderWay)),
        (asked(By::User, true, false), Standing::Newer, Act::Send(None)),
        // Whose process died in it: by this login only.
        (asked(By::User, false, true), Standing::Newer, Act::Adopt(Adopted::OfDeadRun)),
        (asked(By::User, false, true), Standing::UnderWay, Act::Adopt(Adopted::OfDeadRun)),
        (asked(By::User, false, true), Standing::OfAnother, outside),
        (asked(By::User, false, true), Standing::Same, Act::Send(None)),
    ] {
        assert_eq!(before_sending(asked, seen), act, "{asked:?}, {seen:?}");
    }
}

#[test]
fn who_asks_is_told_by_the_reasons() {
    assert_eq!(By::of(&[Reason::Due(due())]), By::Schedule);
    assert_eq!(By::of(&[Reason::Due(due()), Reason::Changed(trigger())]), By::User);
    assert_eq!(By::of(&[Reason::Created]), By::User);
    assert_eq!(By::of(&[]), By::User);
}

#[test]
fn what_may_still_come_is_waited_for_and_what_never_came_is_sent_again() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let taken = |sent, trace, now| taken_up(sent, trace, at(120), at(now));
    assert_eq!(taken(Sent::Accepted, Trace::NotFound, 0), Taken::Resume);
    assert_eq!(taken(Sent::Unknown, Trace::Found, 0), Taken::Resume);
    assert_eq!(taken(Sent::Unknown, Trace::NotFound, 119), Taken::Wait(at(120)));
    assert_eq!(taken(Sent::Unknown, Trace::NotFound, 120), Taken::SendAgain);
    assert_eq!(taken(Sent::No, Trace::NotFound, 0), Taken::SendAgain);
}

proptest! {
    #[test]
    fn nothing_begins_that_nobody_asked_for(
        phase in prop::sample::select(Phase::ALL.to_vec()),
        is_due in any::<bool>(),
        changed in any::<bool>(),
        rotate in any::<bool>(),
        complete in prop::option::of(2_u64..5),
    ) {
        let course = course(phase, if is_due { vec![due()] } else { Vec::new() });
        let wanted = Wanted {
            policy: Policy { rotate, ..policy() },
            changes: if changed { vec![trigger()] } else { Vec::new() },
            complete,
            ..wanted()
        };
        let decision = decide(&course, &wanted);
        let asked = changed || is_due && rotate && !phase.is_under_way();
        let begins = matches!(decision.next, Next::Begin { .. });
        let refused = matches!(decision.next, Next::Refuse { .. });
        prop_assert_eq!(begins || refused, asked);
        let waits = phase == Phase::Issuing || phase == Phase::Overlap && complete != Some(3);
        prop_assert_eq!(refused, asked && waits);
        // A plan that is made again is the same.
        prop_assert_eq!(decide(&course, &wanted), decision);
    }
}
