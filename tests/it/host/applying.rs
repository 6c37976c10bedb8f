//! What core does with one object in an apply: plan it again, carry it out, and keep what came of it,
//! however it ended.

use super::plan::{Action, Change};
use super::planning::{Wanted, check_final, plan_change, plan_destroy};
use super::report::{Told, breach};
use super::rules::object_compatible;
use super::state::{Held, State};
use super::value::Val;
use super::walk::{ApplyCall, Walk};

const CALL: &str = "ApplyResourceChange";

/// Carries out a create, an update, or the create half of a replacement.
pub(super) async fn apply_change(
    walk: &Walk,
    wanted: &Wanted,
    agreed: &Change,
    state: &mut State,
    told: &mut Told,
) -> Option<()> {
    let address = wanted.address.as_str();
    let deposed_key = (agreed.action == Action::CreateThenDelete).then(|| state.depose(address));
    // Where already this plan fails, core returns with the old object still deposed.
    let last = plan_again(walk, wanted, agreed, state, told).await?;
    if last.action == Action::NoOp {
        return Some(());
    }
    let outcome = carry_out(walk, wanted, &last, state, told).await;
    if let (None, Some(key)) = (&outcome, deposed_key) {
        state.restore(address, &key);
    }
    outcome
}

async fn plan_again(
    walk: &Walk,
    wanted: &Wanted,
    agreed: &Change,
    state: &State,
    told: &mut Told,
) -> Option<Change> {
    let address = wanted.address.as_str();
    let held = load_current(walk, address, state, told).await?;
    if agreed.action == Action::NoOp {
        return Some(agreed.clone());
    }
    assert!(
        wanted.config.is_wholly_known(),
        "the configuration of {address} is still unknown at {:?}: tell the workspace its final form",
        wanted.config.unknown_places()
    );
    let last = plan_change(walk, wanted, held.as_ref(), Some(agreed), told).await?;
    check_final(walk, agreed, &last);
    Some(last)
}

async fn carry_out(
    walk: &Walk,
    wanted: &Wanted,
    last: &Change,
    state: &mut State,
    told: &mut Told,
) -> Option<()> {
    let address = wanted.address.as_str();
    let creates = last.action != Action::Update;
    let prior = if creates { Val::Null } else { last.before.clone() };
    let ask = ApplyCall {
        prior: &prior,
        planned: &last.after,
        config: &wanted.config,
        private: &last.private,
        identity: last.after_identity.as_ref(),
    };
    let mut heard = Told::default();
    let applied = walk.apply(address, ask, &mut heard).await;
    let failed = heard.failed();
    told.append(heard);
    let resource = walk.resource(address);
    match applied.state {
        // The call died: the object's value is kept, and nothing else of it.
        None if failed => {
            let object = state.instances.get_mut(address).and_then(|it| it.current.as_mut());
            if let (false, Some(object)) = (creates, object) {
                (object.private, object.identity) = (applied.private, None);
            }
        }
        None => unreachable!("a call that died is an error"),
        // An error came without a state: the object is kept whole.
        Some(Val::Null) if failed => {}
        Some(Val::Null) => breach(CALL, address, &["answers null without an error".to_owned()]),
        Some(value) => {
            if !failed {
                breach(CALL, address, &object_compatible(&resource.block, &last.after, &value));
            }
            let tainted = if failed { creates } else { false };
            let held =
                Held { value, private: applied.private, identity: applied.identity, tainted };
            state.put(address, held.store(resource));
        }
    }
    (!failed).then_some(())
}

/// Carries out a deletion, or the destroy half of a replacement.
pub(super) async fn apply_destroy(
    walk: &Walk,
    change: &Change,
    state: &mut State,
    told: &mut Told,
) -> Option<()> {
    let address = change.address.as_str();
    let Some(held) = load_current(walk, address, state, told).await? else { return Some(()) };
    let (left, outcome) = destroy(walk, change, held, told).await;
    state.put(address, left.and_then(|held| held.store(walk.resource(address))));
    outcome
}

/// Destroys a left-over object: planned anew right here, as core does.
pub(super) async fn apply_destroy_deposed(
    walk: &Walk,
    address: &str,
    key: &str,
    state: &mut State,
    told: &mut Told,
) -> Option<()> {
    let object = state.instances.get(address)?.deposed.get(key)?.clone();
    let held = walk.load(address, &object, told).await?;
    let change = plan_destroy(walk, address, &held, Some(key), told).await?;
    let (left, outcome) = destroy(walk, &change, held, told).await;
    state.put_deposed(address, key, left.and_then(|held| held.store(walk.resource(address))));
    outcome
}

/// What is left of the object, and whether it went well.
async fn destroy(
    walk: &Walk,
    change: &Change,
    held: Held,
    told: &mut Told,
) -> (Option<Held>, Option<()>) {
    let address = change.address.as_str();
    let ask = ApplyCall {
        prior: &change.before,
        planned: &Val::Null,
        config: &Val::Null,
        private: &change.private,
        identity: destroyed_identity(change),
    };
    let mut heard = Told::default();
    let applied = walk.apply(address, ask, &mut heard).await;
    let failed = heard.failed();
    told.append(heard);
    match applied.state {
        None if failed => (Some(Held { private: applied.private, identity: None, ..held }), None),
        None => unreachable!("a call that died is an error"),
        Some(Val::Null) if failed => (Some(held), None),
        Some(Val::Null) => (None, Some(())),
        Some(value) => {
            if !failed {
                breach(CALL, address, &["answers an object to a destroy".to_owned()]);
            }
            let left = Held {
                value,
                private: applied.private,
                identity: applied.identity,
                tainted: held.tainted,
            };
            (Some(left), None)
        }
    }
}

/// Core sends the planned identity of a plain destroy, and none in half of a replacement.
fn destroyed_identity(change: &Change) -> Option<&Val> {
    change.after_identity.as_ref().filter(|_| change.action == Action::Delete)
}

async fn load_current(
    walk: &Walk,
    address: &str,
    state: &State,
    told: &mut Told,
) -> Option<Option<Held>> {
    match state.object(address) {
        Some(object) => walk.load(address, object, told).await.map(Some),
        None => Some(None),
    }
}
