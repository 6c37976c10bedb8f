//! Create and Update. What is to be done is decided by `rotation::course`, from what is observed here and now; what
//! has happened is saved at once, so that whatever fails later, the next run takes it up.

pub mod run;

use crate::clock;
use crate::provider::arguments::{number, whole_seconds};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{Known, Which};
use crate::provider::cluster_credential_rotation::private::Private;
use crate::provider::cluster_credential_rotation::{
    ClusterRotationResource, Record, identity, plan, platforms, told,
};
use crate::provider::schedule::due::rotation_due;
use crate::rotation::course::{Asked, By, First, Next, Phase};
use crate::rotation::sentence;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result, Severity};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{Change, StateCell};
use run::{Run, Stop};

pub async fn create(
    resource: &ClusterRotationResource,
    cx: &Context,
    change: Change<ClusterRotationResource>,
    cell: &StateCell<ClusterRotationResource>,
) -> Result<()> {
    let Change { planned, config, .. } = change;
    let Some(platform) = platforms::of(&resource.services, &config) else {
        return Err(told::no_platform().into());
    };
    let mut cluster = platform.open(cx, Which::Named).await?.now()?;
    let one = resource.one_at_a_time(&cluster.id());
    let _one = if let Ok(free) = one.try_lock() {
        free
    } else {
        let free = one.lock().await;
        // What was seen of it is from before the other's rotation.
        cluster = platform.open(cx, Which::Named).await?.now()?;
        free
    };
    let mut record = Record { state: planned, private: Private::begun(), identity: None };
    record.state.id = Attr::Known(cluster.id());
    record.private.memory = cluster.memory();
    record.private.since = Some(whole_seconds(clock::now()));
    record.private.complete_at_first = config.complete_generation.known().copied();
    let restarts = platform.restarts(&record.private.memory);
    record.state.restarts = record.state.restarts.or_if_unknown(restarts);
    record.identity = Some(identity(&record.state));
    let run =
        Run { cx, platform: &*platform, cluster: &*cluster, config: &config, cell, prior: None };
    if !config.rotates_on_create() {
        return run.record(record).await;
    }
    let asked = Asked { by: By::User, creates: true, died: false };
    match Box::pin(run.begin(&mut record, asked)).await {
        Ok(()) => Ok(()),
        Err(Stop::AsBefore(why) | Stop::Ended(why)) => {
            cell.clear();
            Err(why)
        }
        // An error would taint the resource, and the next apply would rotate again.
        Err(Stop::InHand(why)) => {
            for diagnostic in why.0 {
                let detail = told::goes_on(&diagnostic.detail);
                cx.tell(Diagnostic { severity: Severity::Warning, detail, ..diagnostic });
            }
            Ok(())
        }
    }
}

pub async fn update(
    resource: &ClusterRotationResource,
    cx: &Context,
    change: Change<ClusterRotationResource>,
    cell: &StateCell<ClusterRotationResource>,
) -> Result<()> {
    let Change { prior, planned, config, private } = change;
    let (Some(prior), Some(platform)) = (prior, platforms::of(&resource.services, &config)) else {
        return Err(told::no_platform().into());
    };
    let private = private.recovered();
    let next = plan::decision(&*platform, &prior, &config, &private).next;
    let mut wanted = planned_over(&planned, &prior);
    if wanted.rotation_due.is_unknown() {
        let held = plan::decision(&*platform, &prior, &config, &private).held;
        wanted.rotation_due = rotation_due(&held);
    }
    wanted.rotation_due_at = plan::next_due(&config, &wanted, &private);
    let stays = config.complete_generation.known().copied();
    let done = Private {
        complete_at_first: private.complete_at_first.filter(|number| stays == Some(*number)),
        died: false,
        imported: false,
        ..private.clone()
    };
    let mut before = cell.current();
    let mut known_by_then = done.clone();
    let asked = Asked { by: By::User, creates: false, died: private.died };
    let recovers = next == Next::Recover;
    let (first, begins) = match next {
        Next::Recover => (None, None),
        Next::Rest | Next::Perhaps { first: None, .. } => {
            let identity = Some(identity(&wanted));
            cell.save(Record { state: wanted, private: done, identity });
            return Ok(());
        }
        Next::Refuse { reasons } => return Err(told::in_overlap(&prior, &reasons).into()),
        Next::Finish(first) | Next::Perhaps { first: Some(first), .. } => (Some(first), None),
        Next::Begin { first, generation, reasons } => (first, Some((generation, reasons))),
    };
    let one = resource.one_at_a_time(prior.id.known().map_or("", String::as_str));
    let _one = one.lock().await;
    let known = Known { state: &prior, memory: &private.memory };
    let cluster = platform.open(cx, Which::ActedOn(known)).await?.now()?;
    let run = Run {
        cx,
        platform: &*platform,
        cluster: &*cluster,
        config: &config,
        cell,
        prior: Some(&prior),
    };
    if recovers {
        let identity = Some(identity(&wanted));
        let record = Record { state: wanted, private: done.clone(), identity };
        // One that has failed is not looked at again: whoever asks then asks for a new one.
        before = Some(Record { state: prior.clone(), private: done, identity: None });
        let recovered = Box::pin(run.recover(record)).await;
        return recovered.map_err(|stop| restored(stop, before, cell));
    }
    if let Some(first) = first {
        // Followed by another one, it is finished with the arguments that it was begun with: should it fail, they
        // stay, and the next plan shows the change again.
        let mut state = if begins.is_some() { prior.clone() } else { wanted.clone() };
        state.phase.clone_from(&prior.phase);
        let mut record = Record { identity: Some(identity(&state)), state, private: done.clone() };
        let finished = match first {
            First::Resume => Box::pin(run.take_up(&mut record, private.died)).await,
            First::Complete => Box::pin(run.complete(&mut record)).await,
        };
        match finished {
            // It rests in an overlap, and its end is for the next plan to show. Saved are the arguments of before, so
            // that what was asked for is asked for again.
            Ok(()) if record.state.at() == Phase::Overlap && begins.is_some() => {
                let reasons = begins.map(|(_, reasons)| reasons).unwrap_or_default();
                return Err(told::in_overlap(&record.state, &reasons).into());
            }
            Ok(()) => {
                known_by_then = record.private.clone();
                before = Some(record);
            }
            // Before was one that was taken for accepted: what is saved says that it is to be sent again.
            Err(Stop::Ended(why)) if first == First::Resume => return Err(why),
            Err(stop) => return Err(restored(stop, before, cell)),
        }
    }
    let Some((generation, reasons)) = begins else { return Ok(()) };
    wanted.generation = number(generation);
    wanted.rotation_reason = Attr::Known(sentence(generation, &reasons));
    let identity = Some(identity(&wanted));
    let mut record = Record { state: wanted, private: known_by_then, identity };
    let asked = Asked { by: By::of(&reasons), ..asked };
    match Box::pin(run.begin(&mut record, asked)).await {
        Ok(()) => Ok(()),
        Err(stop) => Err(restored(stop, before, cell)),
    }
}

/// What is in hand stays saved; else the state is as before.
fn restored(
    stop: Stop,
    before: Option<Record>,
    cell: &StateCell<ClusterRotationResource>,
) -> crate::tfplugin::diagnostics::Diagnostics {
    match stop {
        Stop::InHand(why) => why,
        Stop::AsBefore(why) | Stop::Ended(why) => {
            if let Some(before) = before {
                cell.save(before);
            }
            why
        }
    }
}

/// The planned state, what was unknown in it filled from the prior one.
fn planned_over(planned: &ClusterRotation, prior: &ClusterRotation) -> ClusterRotation {
    let mut state = planned.clone();
    for fact in Fact::ALL {
        fact.fill(&mut state, Some(prior));
    }
    macro_rules! fill {
        ($($field:ident),*) => {
            $(state.$field = state.$field.or_if_unknown(prior.$field.clone());)*
        };
    }
    fill!(
        completed_at,
        generation,
        id,
        phase,
        restarts,
        rotation_due_at,
        rotation_reason,
        started_at
    );
    state
}
