//! What core does with one object in a plan: refresh it, ask for a plan (twice where it is a
//! replacement), and hold the answers against the rules.

use super::plan::{Action, Change};
use super::report::{Told, breach};
use super::rules::{
    self, apply_path, differs, object_compatible, plan_valid, proposed_new, show_path,
};
use super::state::Held;
use super::value::Val;
use super::walk::{PlanCall, Planned, Walk};

const CALL: &str = "PlanResourceChange";

/// One object's part of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) address: String,
    pub(super) config: Val,
    pub(super) create_before_destroy: bool,
    /// `-replace`
    pub(super) force_replace: bool,
}

/// Plans a create, an update or a replacement. `agreed` is the plan's own change when core plans
/// again in an apply.
pub(super) async fn plan_change(
    walk: &Walk,
    wanted: &Wanted,
    held: Option<&Held>,
    agreed: Option<&Change>,
    told: &mut Told,
) -> Option<Change> {
    let address = wanted.address.as_str();
    let block = &walk.resource(address).block;
    // A tainted object is planned as if there were none; then it becomes a replacement.
    let tainted = held.filter(|held| held.tainted);
    let prior = held.filter(|held| !held.tainted);
    let prior_value = prior.map_or(Val::Null, |held| held.value.clone());
    let prior_identity = prior.and_then(|held| held.identity.clone());

    walk.validate_resource(address, &wanted.config, told).await?;
    let planned_private = match agreed {
        Some(change) if walk.cli.stores_planned_private() => change.private.as_slice(),
        _ => &[],
    };
    let ask = PlanCall {
        prior: &prior_value,
        config: &wanted.config,
        proposed: &proposed_new(block, &prior_value, &wanted.config),
        private: prior.map_or(&[], |held| &held.private),
        identity: prior_identity.as_ref(),
        planned_private,
    };
    let first = walk.plan(address, ask, told).await?;
    breach(CALL, address, &plan_valid(block, &prior_value, &wanted.config, &first.state));
    check_identity(walk, address, prior_identity.as_ref(), &first);

    let forced_by = forced_by(walk, address, &prior_value, &first);
    let replace_order = match agreed {
        Some(change) if change.action.is_replace() => change.action,
        _ if wanted.create_before_destroy => Action::CreateThenDelete,
        _ => Action::DeleteThenCreate,
    };
    let replaces = !prior_value.is_null() && (wanted.force_replace || !forced_by.is_empty());
    let (planned, action) = if replaces {
        (plan_second_half(walk, wanted, first, told).await?, replace_order)
    } else if prior_value.is_null() {
        let recreated = tainted.is_some() || agreed.is_some_and(|it| it.action.is_replace());
        (first, if recreated { replace_order } else { Action::Create })
    } else if differs(&first.state, &prior_value) {
        (first, Action::Update)
    } else {
        (first, Action::NoOp)
    };
    let before = match (tainted, agreed) {
        (Some(tainted), _) => tainted.value.clone(),
        (None, Some(agreed)) if action.is_replace() => agreed.before.clone(),
        _ => prior_value,
    };
    Some(Change {
        address: address.to_owned(),
        deposed: None,
        action,
        forced_by,
        imported: false,
        before,
        after: planned.state,
        private: planned.private,
        before_identity: prior_identity,
        after_identity: planned.identity,
    })
}

/// The create half of a replacement: asked anew, as if there had been nothing.
async fn plan_second_half(
    walk: &Walk,
    wanted: &Wanted,
    first: Planned,
    told: &mut Told,
) -> Option<Planned> {
    let address = wanted.address.as_str();
    let block = &walk.resource(address).block;
    let ask = PlanCall {
        prior: &Val::Null,
        config: &wanted.config,
        proposed: &proposed_new(block, &Val::Null, &wanted.config),
        private: &first.private,
        identity: first.identity.as_ref(),
        planned_private: &[],
    };
    // Core drops what this call tells, unless it fails.
    let mut dropped = Told::default();
    let second = walk.plan(address, ask, &mut dropped).await;
    if dropped.failed() {
        told.append(dropped);
    }
    let second = second?;
    breach(CALL, address, &plan_valid(block, &Val::Null, &wanted.config, &second.state));
    check_identity(walk, address, None, &second);
    Some(second)
}

/// None at a create, the prior one in an update: anything else is not safe on every host.
fn check_identity(walk: &Walk, address: &str, prior: Option<&Val>, planned: &Planned) {
    if !walk.cli.knows_identity() {
        return;
    }
    if planned.identity.as_ref() != prior {
        let fault = format!("plans the identity {:?} where {prior:?} is safe", planned.identity);
        breach(CALL, address, &[fault]);
    }
}

/// Which of the provider's paths really force a replacement.
fn forced_by(walk: &Walk, address: &str, prior: &Val, planned: &Planned) -> Vec<String> {
    let block = &walk.resource(address).block;
    let mut forced = Vec::new();
    for path in &planned.requires_replace {
        let shown = show_path(path);
        if !rules::path_exists(block, path) {
            breach(CALL, address, &[format!("requires_replace: no attribute {shown}")]);
        }
        if prior.is_null() {
            continue;
        }
        let (was, is) = (apply_path(prior, path), apply_path(&planned.state, path));
        if was.is_none() && is.is_none() {
            let fault = format!("requires replacement for the non-existent attribute path {shown}");
            breach(CALL, address, &[fault]);
        }
        let write_only = match path.as_slice() {
            [rules::Step::Attribute(name)] => {
                block.attributes.get(name).is_some_and(|attribute| attribute.write_only)
            }
            _ => false,
        };
        let (was, is) = (was.unwrap_or(Val::Null), is.unwrap_or(Val::Null));
        if write_only || differs(&was, &is) {
            forced.push(shown);
        }
    }
    forced
}

/// Plans a destruction.
pub(super) async fn plan_destroy(
    walk: &Walk,
    address: &str,
    held: &Held,
    deposed: Option<&str>,
    told: &mut Told,
) -> Option<Change> {
    let mut private = held.private.clone();
    let mut identity = held.identity.clone();
    if walk.schemas.plan_destroy {
        let ask = PlanCall {
            prior: &held.value,
            config: &Val::Null,
            proposed: &Val::Null,
            private: &held.private,
            identity: held.identity.as_ref(),
            planned_private: &[],
        };
        let planned = walk.plan(address, ask, told).await?;
        if !planned.state.is_null() {
            breach(CALL, address, &["planned a non-null destroy value".to_owned()]);
        }
        private = planned.private;
        identity = planned.identity;
    }
    Some(Change {
        address: address.to_owned(),
        deposed: deposed.map(ToOwned::to_owned),
        action: Action::Delete,
        forced_by: Vec::new(),
        imported: false,
        before: held.value.clone(),
        after: Val::Null,
        private,
        before_identity: held.identity.clone(),
        after_identity: identity,
    })
}

/// Holds the plan made in an apply against the one that the operator saw.
pub(super) fn check_final(walk: &Walk, agreed: &Change, last: &Change) {
    let address = agreed.address.as_str();
    let mut faults = Vec::new();
    let may = agreed.action == Action::Update && last.action == Action::NoOp;
    if agreed.action != last.action && !may {
        faults.push(format!("changed the action from {:?} to {:?}", agreed.action, last.action));
    }
    let block = &walk.resource(address).block;
    faults.extend(object_compatible(block, &agreed.after, &last.after));
    breach("the final PlanResourceChange", address, &faults);
}
