//! Random histories of a cluster's rotation, over a platform in memory, by the code that runs: the resource's own Read,
//! Plan, Create and Update. People change triggers and schedules and rotate by hand, time passes, drivers are slow and
//! fail late, answers are lost, processes die, plans are saved and applied late. What must hold is in `judge`.
//!
//! `REKEY_HISTORIES=20000` runs that many with fresh randomness instead of the short, fixed run.

pub mod cloud;
pub mod judge;
pub mod platform;
pub mod terraform;

use std::io::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use cloud::Fault;
use judge::{Event, World};
use terraform::Options;

fn faults() -> impl Strategy<Value = Vec<(usize, Fault)>> {
    let fault = select(vec![
        Fault::Kill,
        Fault::KillAfter,
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::Down,
        Fault::FailsAfterCreating,
        Fault::Slow,
        Fault::VerySlow,
        Fault::FailsLate,
        Fault::Refused,
    ]);
    prop_oneof![2 => Just(Vec::new()), 3 => vec((1_usize..11, fault), 1..4)]
}

fn options() -> impl Strategy<Value = Options> {
    (prop::bool::weighted(0.85), faults(), prop::bool::weighted(0.3))
        .prop_map(|(refresh, faults, kills_all)| Options { refresh, faults, kills_all })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => options().prop_map(Event::Apply),
        2 => options().prop_map(Event::ApplySaved),
        3 => Just(Event::ByHand),
        4 => prop::option::weighted(0.8, select(vec![10_i64, 30, 90])).prop_map(Event::Period),
        3 => any::<bool>().prop_map(Event::Plan),
        3 => Just(Event::PutBack),
        1 => Just(Event::RefreshOnly),
        2 => prop::bool::weighted(0.8).prop_map(Event::Rotate),
        2 => any::<bool>().prop_map(Event::Save),
        1 => Just(Event::Taint),
        7 => Just(Event::Trigger),
        4 => (1_i64..24).prop_map(Event::Wait),
        6 => (100_i64..1_500).prop_map(Event::Wait),
    ]
}

#[test]
fn what_was_asked_for_is_done_once_in_every_history() {
    const SHORT_RUN: u32 = 1_000;
    let asked = std::env::var("REKEY_HISTORIES").ok();
    let count = asked.as_ref().map(|count| count.parse().expect("REKEY_HISTORIES is a number"));
    let cases = count.unwrap_or(SHORT_RUN);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 5_000, ..Config::default() };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let total = std::sync::Mutex::new(std::collections::BTreeMap::<&str, usize>::new());
    let history = (any::<bool>(), vec(event(), 1..40));
    let result = runner.run(&history, |(rotate_on_create, events)| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let tally = runtime.block_on(async {
            let mut world = World::new(rotate_on_create);
            for event in &events {
                Box::pin(world.happen(event)).await?;
            }
            Box::pin(world.come_to_rest()).await?;
            Ok(world.tally)
        });
        let tally = tally.map_err(|failure: String| TestCaseError::fail(failure))?;
        let mut total = total.lock().unwrap();
        for (what, times) in tally {
            *total.entry(what).or_default() += times;
        }
        Ok(())
    });
    let total = total.into_inner().unwrap();
    for (what, times) in &total {
        writeln!(std::io::stderr().lock(), "figure: cluster histories: {times} {what}").unwrap();
    }
    if let Err(failure) = result {
        panic!("{failure}");
    }
    for what in [
        "applies",
        "applies that died",
        "rotations by hand",
        "rotations sent",
        "rotations by schedule",
    ] {
        assert!(total.get(what).is_some_and(|times| *times > 0), "never seen: {what}");
    }
}
