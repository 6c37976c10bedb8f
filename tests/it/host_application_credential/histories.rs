//! Random histories of a credential, played by the provider that is released, a host that does what Terraform does, and
//! a stand-in Keystone: people change triggers, policies and roles, delete by hand, plan and do not apply, apply late;
//! without a refresh, under a weaker login; old states come back; time passes; calls fail before and after their
//! effect; the provider is killed. What must hold is in `world`.
//!
//! `REKEY_HISTORIES=2000` plays that many with fresh randomness instead of the short, fixed run.

mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rekey_sandbox::Fault;

use crate::host::trouble::alone;
use crate::support::tools::figure;
use world::{Event, World};

fn faults() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    let fault = select(vec![
        Fault::InternalError,
        Fault::ResetAfterCommit,
        Fault::ResetBefore,
        Fault::slow(Duration::from_millis(5)),
        Fault::TruncatedJson,
    ]);
    prop_oneof![3 => Just(Vec::new()), 2 => vec((1_u64..10, fault), 1..3)]
}

fn killed() -> impl Strategy<Value = Event> {
    let held = select(vec![Fault::Timeout, Fault::TimeoutAfterCommit]);
    (1_u64..8, held).prop_map(|(call, held)| Event::ApplyKilled(call, held))
}

fn event() -> impl Strategy<Value = Event> {
    let days = |all: Vec<i64>| prop::option::weighted(0.8, select(all));
    prop_oneof![
        12 => faults().prop_map(Event::Apply),
        2 => faults().prop_map(Event::ApplyBlind),
        4 => killed(),
        5 => faults().prop_map(Event::ApplySaved),
        1 => Just(Event::ByHand),
        1 => any::<bool>().prop_map(Event::CreateFirst),
        1 => days(vec![90, 120]).prop_map(Event::ExpiresIn),
        3 => days(vec![1, 7, 30]).prop_map(Event::Overlap),
        3 => days(vec![10, 30]).prop_map(Event::Period),
        1 => Just(Event::Plan),
        1 => Just(Event::PlanAsBob),
        1 => Just(Event::RefreshOnly),
        1 => (0_usize..4).prop_map(Event::Restore),
        1 => any::<bool>().prop_map(Event::Roles),
        1 => any::<bool>().prop_map(Event::Rotate),
        5 => Just(Event::Save),
        1 => Just(Event::Taint),
        6 => Just(Event::Trigger),
        6 => (1_i64..800).prop_map(Event::Wait),
    ]
}

#[test]
fn in_every_history_consumers_are_served_and_what_was_asked_for_is_done_once() {
    const SHORT_RUN: u32 = 40;
    let asked = std::env::var("REKEY_HISTORIES").ok();
    let count = asked.as_ref().map(|count| count.parse().expect("REKEY_HISTORIES is a number"));
    let cases = count.unwrap_or(SHORT_RUN);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let total = Mutex::new(BTreeMap::<&str, usize>::new());
    let result = runner.run(&vec(event(), 1..25), |events| {
        let tally = alone(async {
            rekey::clock::hurry(20);
            let mut world = World::new().await;
            for event in &events {
                Box::pin(world.happen(event)).await?;
            }
            Box::pin(world.come_to_rest()).await?;
            Ok(world.tally)
        });
        for (what, times) in tally.map_err(|failure: String| TestCaseError::fail(failure))? {
            *total.lock().unwrap().entry(what).or_default() += times;
        }
        Ok(())
    });
    let total = total.into_inner().unwrap();
    for (what, times) in &total {
        figure(&format!("credential histories: {times} {what}"));
    }
    if let Err(failure) = result {
        panic!("{failure}");
    }
    for what in [
        "applies that failed",
        "applies without a refresh",
        "deletions by hand",
        "generations",
        "kills",
        "old states put back",
        "plans under a weaker login",
        "saved plans applied",
    ] {
        assert!(total.get(what).is_some_and(|times| *times > 0), "never seen: {what}");
    }
}
