//! Read: what the platform shows, and what is due by the policy in the state.
//!
//! What is found here is for the plan's lines and its dates. Apply believes none of it: before it sends, it looks
//! itself.

use jiff::Timestamp;

use crate::clock;
use crate::provider::arguments::{moment, number, whole_seconds, written};
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::provider::cluster_credential_rotation::platform::{Cluster, Known, Look, Opened, Which};
use crate::provider::cluster_credential_rotation::private::{Certainty, Flight, Private};
use crate::provider::cluster_credential_rotation::{
    ClusterRotationResource, Record, identity, plan, platforms, told,
};
use crate::provider::schedule::due::{recorded_due, rotation_due};
use crate::provider::schedule::{Scheduled, tell_held};
use crate::rotation::course::{Phase, Standing, Trace};
use crate::rotation::{Current, Due, Observed, Policy, Reason, due, sentence};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::Attr;

pub async fn read(
    resource: &ClusterRotationResource,
    cx: &Context,
    mut record: Record,
) -> Result<Option<Record>> {
    record.private = record.private.recovered();
    // Core forgets it when a provider dies in an apply.
    record.identity = Some(identity(&record.state));
    let Some(platform) = platforms::of(&resource.services, &record.state) else {
        return Ok(Some(record));
    };
    let known = Known { state: &record.state, memory: &record.private.memory };
    let called = platform.called(known);
    let cluster = match platform.open(cx, Which::LookedAt(known)).await? {
        Opened::Here(cluster) => cluster,
        Opened::NotYet(setting) => {
            cx.tell(told::not_refreshed(&called, &setting));
            return Ok(Some(record));
        }
        Opened::Hidden(why) => {
            cx.tell(why);
            return Ok(Some(record));
        }
        Opened::Gone(why) => {
            cx.tell(why);
            return Ok(None);
        }
    };
    let look = cluster.look(cx, &record.state).await?;
    if record.private.signs.is_none() {
        record.private.signs = cluster.signs_of(&record.state);
    }
    let standing = cluster.standing(record.private.signs.as_ref(), &look);
    record.private.memory = cluster.memory();
    record.private.lifetime = look.lifetime.or(record.private.lifetime);
    record.state.restarts = platform.restarts(&record.private.memory);
    let unanswered = record.private.died && standing != Standing::Same
        || matches!(record.state.at(), Phase::Rotating | Phase::Verifying);
    let kept = if unanswered { platform.evidence() } else { &[] };
    look.facts.write_but(kept, &mut record.state);
    let now = clock::now();
    if record.state.at().is_under_way() {
        follow(&*cluster, &mut record, &look, now).await;
    } else {
        outside(cx, &*cluster, &mut record, standing, &look, now);
    }
    judge(&mut record, now);
    let rotates = record.state.policy().rotate;
    let overdue = recorded_due(&record.state.rotation_due);
    if !rotates {
        tell_held(cx, &called, &overdue, "");
    }
    let phase = record.state.at();
    if phase.is_under_way() && !phase.rests() {
        cx.tell(told::unfinished(&called, phase));
    }
    if !(rotates && overdue.iter().any(Due::calls_for_generation)) {
        let known = Known { state: &record.state, memory: &record.private.memory };
        if let Some(warning) = platform.expiring(known, now) {
            cx.tell(warning);
        }
    }
    record.identity = Some(identity(&record.state));
    Ok(Some(record))
}

/// One of this resource is under way: where the platform itself says how far it is, that is believed.
async fn follow(cluster: &dyn Cluster, record: &mut Record, look: &Look, now: Timestamp) {
    let Some(phase) = look.phase else { return };
    if phase == record.state.at() || phase == Phase::None {
        return;
    }
    // That may still be said of the former one: apply finds out what became of this one.
    let begins = matches!(record.state.at(), Phase::Rotating | Phase::Issuing | Phase::Verifying);
    if phase == Phase::Completed && begins {
        let Some(flight) = &record.private.flight else { return };
        if !matches!(cluster.trace(&flight.notes).await, Ok(Trace::Found)) {
            return;
        }
    }
    record.state.phase = Attr::Known(phase.name().into());
    if phase == Phase::Completed {
        record.state.completed_at = Attr::Known(written(now));
        record.private.flight = None;
        record.private.signs = cluster.signs_of(&record.state);
    }
}

/// None of this resource is under way: was there one of somebody else's?
fn outside(
    cx: &Context,
    cluster: &dyn Cluster,
    record: &mut Record,
    standing: Standing,
    look: &Look,
    now: Timestamp,
) {
    let now = whole_seconds(now);
    match standing {
        Standing::Same | Standing::Unseen => {}
        // Perhaps by the run that died: until that is done anew, its own apply finds it.
        Standing::Newer | Standing::OfAnother | Standing::UnderWay if record.private.died => {
            cx.tell(told::of_a_dead_run(&cluster.called()));
        }
        Standing::Newer | Standing::OfAnother => {
            cx.tell(told::rotated_outside(&cluster.called()));
            record.private.signs = cluster.signs_of(&record.state);
            record.private.since = Some(now);
        }
        Standing::UnderWay => {
            let generation = record.state.counted() + 1;
            record.state.generation = number(generation);
            let reason = sentence(generation, &[Reason::BegunOutside]);
            record.state.rotation_reason = Attr::Known(reason);
            let phase = look.phase.unwrap_or(Phase::Verifying);
            record.state.phase = Attr::Known(phase.name().into());
            record.state.started_at = Attr::Known(written(now));
            record.state.completed_at = Attr::Null;
            record.private.flight = Some(Flight {
                platform: cluster.platform().to_owned(),
                sent: Certainty::Accepted,
                sent_at: now,
                notes: cluster.found(&record.state, record.private.signs.as_ref()),
            });
            cx.tell(told::begun_outside(&cluster.called(), phase));
        }
    }
}

/// What is due by a policy. In flight beats due: while one is under way, nothing is.
pub fn due_by(
    state: &ClusterRotation,
    private: &Private,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Due> {
    if state.at().is_under_way() {
        return Vec::new();
    }
    let since = plan::since(state, private);
    let current = Current { present: true, since, expires_at: moment(&state.expires_at) };
    due(&Observed { current, previous: Vec::new() }, policy, now)
}

/// Writes down what is due.
fn judge(record: &mut Record, now: Timestamp) {
    let state = &record.state;
    let found = due_by(state, &record.private, &state.policy(), now);
    let next = plan::next_due(state, state, &record.private);
    if found != recorded_due(&state.rotation_due) || state.rotation_due.is_null() {
        record.state.rotation_due = rotation_due(&found);
    }
    if record.state.rotation_due_at != next && !record.private.imported {
        record.state.rotation_due_at = next;
    }
}
