//! Histories that are worth a name: those that once broke a promise, and the one that the product is for.

use super::super::fixtures::{day, days};
use super::files::{ApplyOptions, PlanOptions};
use super::keystone::{Fault, User};
use super::resource::Stored;
use super::world::{Edit, Event, World};

fn planned(by: User) -> PlanOptions {
    PlanOptions { by, faults: Vec::new(), refresh: true, replace: false, unknown: Vec::new() }
}

fn applied(by: User) -> ApplyOptions {
    ApplyOptions { by, dependents_fail: false, faults: Vec::new(), kills_all: false }
}

fn apply() -> Event {
    Event::Apply { plan: planned(User::Alice), hours: 0, apply: applied(User::Alice) }
}

/// The fault strikes the call of this number, counted from 0.
fn apply_with(call: usize, fault: Fault) -> Event {
    let apply = ApplyOptions { faults: vec![(call, fault)], ..applied(User::Alice) };
    Event::Apply { plan: planned(User::Alice), hours: 0, apply }
}

fn wait(days: i64) -> Event {
    Event::Wait { hours: days * 24 }
}

/// Created on day 0, with an overlap of 7 days.
fn world(edits: &[Edit]) -> World {
    let mut world = World::new();
    let edits = edits.iter().cloned().map(Event::Edit);
    let events: Vec<_> = [Event::Edit(Edit::Overlap(7))].into_iter().chain(edits).collect();
    tell(&mut world, &events);
    tell(&mut world, &[apply()]);
    assert_eq!(stored(&world).generation, 1);
    world
}

#[track_caller]
fn tell(world: &mut World, events: &[Event]) {
    for event in events {
        world.happen(event).unwrap();
    }
}

#[track_caller]
fn stored(world: &World) -> &Stored {
    &world.snapshot.instance.as_ref().expect("the resource exists").stored
}

#[track_caller]
fn check_generations(world: &World, current: u64, previous: &[u64], strays: &[u64]) {
    let stored = stored(world);
    let numbers = |found: Vec<&u64>| found.into_iter().copied().collect::<Vec<_>>();
    assert_eq!(stored.generation, current);
    assert_eq!(numbers(stored.previous.keys().collect()), previous, "previous generations");
    assert_eq!(numbers(stored.strays.values().collect()), strays, "strays");
}

#[test]
fn a_year_of_daily_runs_refuses_no_login() {
    let edits = [Edit::RotationPeriod(30), Edit::ExpiresIn(60), Edit::RenewBefore(14)];
    let mut world = world(&edits);
    for hour in 1..=365 * 24 {
        tell(&mut world, &[Event::Wait { hours: 1 }]);
        if hour % 24 == 7 {
            tell(&mut world, &[apply()]);
        }
        let held = world.consumer.clone().expect("created on day 0");
        assert_ne!(world.cloud.power(&held), 0, "{held} is refused in hour {hour}");
    }
    // Each at the first run after 30 days, which is on the same hour: 12 times.
    assert_eq!(stored(&world).generation, 13);
    assert_eq!(world.cloud.credentials.len(), 2, "the current one and the one in its overlap");
}

#[test]
fn a_plan_saved_by_one_is_applied_late_by_another() {
    let mut world = world(&[Edit::Trigger("v", 1)]);
    let saved = [Edit::Trigger("v", 2)].map(Event::Edit);
    tell(&mut world, &saved);
    tell(&mut world, &[Event::Save(planned(User::Alice)), wait(3)]);
    tell(&mut world, &[Event::ApplySaved(applied(User::Bob))]);
    check_generations(&world, 2, &[1], &[]);
    let stored = stored(&world);
    assert_eq!(stored.owner, User::Bob);
    assert_eq!(stored.previous[&1].owner, User::Alice);
    assert_eq!(stored.previous[&1].revoke_after, day(10));
    assert_eq!(stored.rotation_reason.as_deref(), Some("generation 2: triggers[\"v\"] changed"));

    tell(&mut world, &[Event::ApplySaved(applied(User::Bob))]);
    check_generations(&world, 2, &[1], &[]);
    assert_eq!(world.tally.0["plans too old to apply"], 1);
}

#[test]
fn a_shorter_period_moves_the_date_in_one_plan_and_rotates_in_the_next() {
    let mut world = world(&[Edit::RotationPeriod(30)]);
    tell(&mut world, &[wait(12), Event::Edit(Edit::RotationPeriod(10)), apply()]);
    check_generations(&world, 1, &[], &[]);
    assert_eq!(stored(&world).rotation_due_at, Some(day(10)));
    tell(&mut world, &[apply()]);
    check_generations(&world, 2, &[1], &[]);
    assert_eq!(stored(&world).rotation_due_at, Some(day(22)));
}

#[test]
fn a_longer_overlap_saves_the_one_that_was_about_to_go() {
    let mut world = world(&[]);
    tell(&mut world, &[Event::Edit(Edit::Trigger("v", 1)), apply(), wait(8)]);
    tell(&mut world, &[Event::Edit(Edit::Overlap(20)), apply()]);
    check_generations(&world, 2, &[1], &[]);
    assert_eq!(stored(&world).previous[&1].revoke_after, days(20).after(day(0)));
    tell(&mut world, &[Event::Edit(Edit::Overlap(7)), apply(), apply()]);
    check_generations(&world, 2, &[], &[]);
}

#[test]
fn a_killed_rotation_of_an_expired_one_leaves_a_stray_that_is_told() {
    let mut world = world(&[Edit::ExpiresIn(40)]);
    // Issued, proved, the expired one revoked; then the provider is gone, and the state is the old one.
    tell(&mut world, &[wait(41), apply_with(2, Fault::Kill)]);
    check_generations(&world, 1, &[], &[]);
    assert!(!world.cloud.credentials.contains_key(&stored(&world).id));

    tell(&mut world, &[apply()]);
    check_generations(&world, 3, &[], &[2]);
    tell(&mut world, &[Event::Edit(Edit::RevokeStrays(true)), apply()]);
    check_generations(&world, 3, &[], &[]);
    assert_eq!(world.cloud.credentials.len(), 1);
}

#[test]
fn what_was_found_by_its_name_is_not_taken_back_on_suspicion() {
    let mut world = world(&[]);
    tell(&mut world, &[Event::Edit(Edit::Trigger("v", 1)), apply_with(0, Fault::Kill)]);
    // Without a refresh the state knows no stray, and the number is taken: 409, and the reply is lost.
    let plan = PlanOptions { refresh: false, ..planned(User::Alice) };
    let apply_lost = ApplyOptions { faults: vec![(0, Fault::LostAfter)], ..applied(User::Alice) };
    tell(&mut world, &[Event::Apply { plan, hours: 0, apply: apply_lost }]);
    assert_eq!(world.cloud.credentials.len(), 2, "the stray of the killed run still works");
    check_generations(&world, 1, &[], &[2]);
    tell(&mut world, &[apply()]);
    check_generations(&world, 3, &[1], &[2]);
}

#[test]
fn a_removed_overlap_is_removed_whatever_fails_first() {
    let mut world = world(&[]);
    let rotated = [Event::Edit(Edit::Trigger("v", 1)), apply()];
    tell(&mut world, &rotated);
    let removed = [Edit::Overlap(0), Edit::Rotate(false)].map(Event::Edit);
    tell(&mut world, &removed);
    // Proved; the revocation fails.
    tell(&mut world, &[apply_with(1, Fault::Unavailable)]);
    check_generations(&world, 2, &[1], &[]);
    tell(&mut world, &[apply()]);
    check_generations(&world, 2, &[], &[]);
}

#[test]
fn beside_an_expired_one_the_old_one_stays_and_plans_are_empty() {
    let mut world = world(&[]);
    tell(&mut world, &[Event::Edit(Edit::ExpiresAt(5)), apply()]);
    check_generations(&world, 2, &[1], &[]);
    tell(&mut world, &[wait(10), apply(), apply()]);
    check_generations(&world, 2, &[1], &[]);
    world.come_to_rest(User::Alice).unwrap();
    tell(&mut world, &[Event::Edit(Edit::ExpiresAt(0)), apply()]);
    check_generations(&world, 3, &[], &[]);
}

#[test]
fn what_another_owns_is_left_to_them() {
    let mut world = world(&[]);
    let bob = Event::Apply { plan: planned(User::Bob), hours: 0, apply: applied(User::Bob) };
    tell(&mut world, &[Event::Edit(Edit::Trigger("v", 1)), bob.clone(), wait(8), bob]);
    check_generations(&world, 2, &[1], &[]);
    assert_eq!(stored(&world).rotation_due, []);
    tell(&mut world, &[apply()]);
    check_generations(&world, 2, &[], &[]);
}

#[test]
fn an_old_state_put_back_lists_what_it_does_not_know() {
    let mut world = world(&[]);
    for version in 1..=2 {
        tell(&mut world, &[Event::Edit(Edit::Trigger("v", version)), apply(), wait(8), apply()]);
    }
    check_generations(&world, 3, &[], &[]);
    // The first generation, which is long revoked.
    tell(&mut world, &[Event::Restore(3), apply()]);
    check_generations(&world, 4, &[], &[3]);
    assert_eq!(world.cloud.credentials.len(), 2);
}
