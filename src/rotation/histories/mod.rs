//! Random histories of a credential, in memory: people edit the configuration, time passes, runs fail and
//! are killed, others meddle. Whatever happens, the promises hold; see `judge.rs` for what they are.
//!
//! `REKEY_HISTORIES=200000` runs that many with fresh randomness instead of the short, fixed run.

mod checked;
mod files;
mod judge;
mod keystone;
mod provider;
mod resource;
mod rest;
mod stories;
mod terraform;
mod world;

use std::io::Write;
use std::sync::Mutex;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use files::{ApplyOptions, PlanOptions};
use keystone::{ALL_ROLES, Fault, USERS, User};
use world::{Edit, Event, Outside, Tally, World};

/// One life of a credential.
#[derive(Clone, Debug)]
struct History {
    events: Vec<Event>,
    /// Who brings it to rest.
    closer: User,
}

impl History {
    fn run(&self) -> Result<Tally, String> {
        let mut world = World::new();
        for event in &self.events {
            world.happen(event)?;
        }
        world.come_to_rest(self.closer)?;
        world.tally.add("histories", 1);
        Ok(world.tally)
    }
}

fn user() -> impl Strategy<Value = User> {
    prop_oneof![20 => Just(User::Alice), 1 => Just(User::Bob), 1 => Just(User::Admin)]
}

fn hours() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 1_i64..48,
        3 => (1_i64..12).prop_map(|days| days * 24),
        1 => (12_i64..120).prop_map(|days| days * 24),
    ]
}

fn faults() -> impl Strategy<Value = Vec<(usize, Fault)>> {
    let fault = select(vec![
        Fault::Kill,
        Fault::LostAfter,
        Fault::LostBefore,
        Fault::Stop,
        Fault::Unavailable,
    ]);
    prop_oneof![3 => Just(Vec::new()), 1 => vec((0_usize..9, fault), 1..4)]
}

fn plan_options() -> impl Strategy<Value = PlanOptions> {
    let argument = select(vec!["description", "roles", "secret_wo_version", "triggers"]);
    let unknown = prop_oneof![5 => Just(Vec::new()), 1 => vec(argument, 1..3)];
    let faults = prop_oneof![12 => Just(Vec::new()), 1 => faults()];
    (user(), faults, prop::bool::weighted(0.9), prop::bool::weighted(0.05), unknown).prop_map(
        |(by, faults, refresh, replace, unknown)| PlanOptions {
            by,
            faults,
            refresh,
            replace,
            unknown,
        },
    )
}

fn apply_options() -> impl Strategy<Value = ApplyOptions> {
    (user(), prop::bool::weighted(0.1), faults(), any::<bool>()).prop_map(
        |(by, dependents_fail, faults, kills_all)| ApplyOptions {
            by,
            dependents_fail,
            faults,
            kills_all,
        },
    )
}

fn edit() -> impl Strategy<Value = Edit> {
    let argument = select(vec!["access_rules", "description", "secret_wo_version", "unrestricted"]);
    let length = |lengths: &[i64]| select(lengths.to_vec());
    prop_oneof![
        2 => (argument, 0_u64..3).prop_map(|(name, value)| Edit::Argument(name, value)),
        1 => select(vec![0, 1, 1, 1, 2]).prop_map(|prefix| Edit::Argument("name_prefix", prefix)),
        2 => (0..=ALL_ROLES).prop_map(|roles| Edit::Argument("roles", roles)),
        2 => any::<bool>().prop_map(Edit::CreateBeforeDestroy),
        2 => length(&[0, 0, 0, 0, 5, 40]).prop_map(Edit::ExpiresAt),
        3 => length(&[0, 5, 40, 90]).prop_map(Edit::ExpiresIn),
        9 => length(&[0, 1, 3, 7, 7, 20]).prop_map(Edit::Overlap),
        3 => length(&[0, 1, 3, 14]).prop_map(Edit::RenewBefore),
        3 => prop::bool::weighted(0.9).prop_map(Edit::RevokeStrays),
        3 => prop::bool::weighted(0.7).prop_map(Edit::Rotate),
        5 => length(&[0, 2, 10, 30]).prop_map(Edit::RotationPeriod),
        5 => (select(vec!["a", "b"]), 0_u64..4).prop_map(|(key, value)| Edit::Trigger(key, value)),
    ]
}

fn outside() -> impl Strategy<Value = Outside> {
    let roles = prop_oneof![2 => Just(ALL_ROLES), 1 => 0..=ALL_ROLES];
    let disabled = (user(), Just(false));
    let enabled = (select(USERS.to_vec()), Just(true));
    prop_oneof![
        1 => user().prop_map(Outside::DeleteAll),
        2 => Just(Outside::DeleteCurrent),
        2 => Just(Outside::DeleteOld),
        1 => Just(Outside::DeleteStray),
        5 => prop_oneof![1 => disabled, 4 => enabled]
            .prop_map(|(user, enabled)| Outside::Enable(user, enabled)),
        4 => (select(USERS.to_vec()), roles).prop_map(|(user, roles)| Outside::Grant(user, roles)),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let late = prop_oneof![4 => Just(0), 1 => hours()];
    prop_oneof![
        24 => (plan_options(), late, apply_options())
            .prop_map(|(plan, hours, apply)| Event::Apply { plan, hours, apply }),
        5 => apply_options().prop_map(Event::ApplySaved),
        1 => apply_options().prop_map(Event::Destroy),
        20 => edit().prop_map(Event::Edit),
        5 => outside().prop_map(Event::Outside),
        3 => plan_options().prop_map(Event::RefreshOnly),
        1 => (0_usize..6).prop_map(Event::Restore),
        6 => plan_options().prop_map(Event::Save),
        1 => Just(Event::Taint),
        16 => hours().prop_map(|hours| Event::Wait { hours }),
    ]
}

fn history() -> impl Strategy<Value = History> {
    let soft = prop::bool::weighted(0.7);
    (soft, vec(event(), 1..60), user()).prop_map(|(soft, mut events, closer)| {
        if soft {
            events.insert(0, Event::Edit(Edit::Overlap(7)));
        }
        History { events, closer }
    })
}

/// What a run must have met to say anything.
const SEEN: [&str; 20] = [
    "applies cut off",
    "applies interrupted",
    "applies killed",
    "credentials handed on",
    "credentials taken back",
    "expired credentials revoked at once",
    "histories at rest",
    "issued as it had expired",
    "issued as it had vanished",
    "issued before the expiry",
    "issued by age",
    "issued for a change",
    "old states put back",
    "plans too old to apply",
    "replacements",
    "revocations after the overlap",
    "strays listed",
    "strays revoked",
    "unknown inputs changed",
    "unknown inputs equal",
];

#[test]
fn every_promise_holds_in_every_history() {
    const SHORT_RUN: u32 = 400;
    let asked = std::env::var("REKEY_HISTORIES").ok();
    let count = asked.as_ref().map(|count| count.parse().expect("REKEY_HISTORIES is a number"));
    let cases = count.unwrap_or(SHORT_RUN);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let total = Mutex::new(Tally::default());
    let result = runner.run(&history(), |history| {
        let tally = history.run().map_err(TestCaseError::fail)?;
        let mut total = total.lock().unwrap();
        for (what, times) in tally.0 {
            total.add(what, times);
        }
        Ok(())
    });
    let total = total.into_inner().unwrap();
    for (what, times) in &total.0 {
        // Past the test runner, which keeps what its macros print of a test that succeeds.
        writeln!(std::io::stderr().lock(), "figure: histories: {times} {what}").unwrap();
    }
    if let Err(failure) = result {
        panic!("{failure}");
    }
    if cases >= SHORT_RUN {
        for what in SEEN {
            assert!(total.0.get(what).is_some_and(|times| *times > 0), "never seen: {what}");
        }
    }
}
