//! Plan: a function of state and configuration. Every rotation is an update in place; another cluster, or
//! another credential of it, is another resource.

use std::collections::BTreeSet;

use crate::provider::arguments::{moment, number, period, written};
use crate::provider::cluster_rotation::model::ClusterRotation;
use crate::provider::cluster_rotation::private::Private;
use crate::provider::due::{recorded_due, rotation_due};
use crate::provider::triggers::compare;
use crate::rotation::{Desired, Policy, Reason, State, Step, left_due, plan, sentence};
use crate::tfplugin::diagnostics::{AttributePath, Step as PathStep};
use crate::tfplugin::model::Attr;

/// What of a cluster is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    ApplicationCredential,
    CaCertificate,
}

impl Credential {
    pub fn of(model: &ClusterRotation) -> Self {
        let name = model.magnum.known().and_then(|magnum| magnum.credential.known());
        match name.map(String::as_str) {
            Some("ca_certificate") => Self::CaCertificate,
            _ => Self::ApplicationCredential,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::ApplicationCredential => "application_credential",
            Self::CaCertificate => "ca_certificate",
        }
    }
}

/// How far a rotation is, as the attribute `phase` says.
pub mod phase {
    pub const COMPLETED: &str = "completed";
    pub const NONE: &str = "none";
    pub const RESTARTING: &str = "restarting";
    pub const ROTATING: &str = "rotating";
    pub const VERIFYING: &str = "verifying";
}

/// What will be done, and what the state will then be.
#[derive(Debug)]
pub struct Decision {
    pub steps: Vec<Step>,
    pub planned: ClusterRotation,
    pub requires_replace: Vec<AttributePath>,
    /// An unfinished rotation is taken up.
    pub resumes: bool,
}

impl Decision {
    /// The rotation that is planned, with its reasons.
    pub fn rotation(&self) -> Option<(u64, &[Reason])> {
        rotation(&self.steps)
    }
}

pub fn rotation(steps: &[Step]) -> Option<(u64, &[Reason])> {
    steps.iter().find_map(|step| match step {
        Step::Issue { generation, reasons } => Some((*generation, reasons.as_slice())),
        _ => None,
    })
}

pub fn rotates_on_create(config: &ClusterRotation) -> bool {
    config.rotate_on_create.known() != Some(&false)
}

pub fn create(config: &ClusterRotation, proposed: ClusterRotation) -> ClusterRotation {
    let rotates = rotates_on_create(config);
    let mut planned = proposed;
    planned.id = Attr::Unknown;
    planned.generation = number(u64::from(rotates));
    planned.owner_user_id = Attr::Unknown;
    let ca = Credential::of(config) == Credential::CaCertificate || config.magnum.is_unknown();
    let of_credential = if Credential::of(config) == Credential::CaCertificate {
        Attr::Null
    } else {
        Attr::Unknown
    };
    planned.application_credential_ids = of_credential;
    let of_ca = if ca { Attr::Unknown } else { Attr::Null };
    planned.ca_certificate_sha256 = of_ca.clone();
    planned.expires_at = of_ca;
    planned.rotation_due = rotation_due(&[]);
    planned.rotation_reason = Attr::Null;
    planned.rotation_due_at = if scheduled(config) { Attr::Unknown } else { Attr::Null };
    if rotates {
        planned.phase = Attr::Unknown;
        planned.started_at = Attr::Unknown;
        planned.completed_at = Attr::Unknown;
    } else {
        planned.phase = Attr::Known(phase::NONE.into());
        planned.started_at = Attr::Null;
        planned.completed_at = Attr::Null;
    }
    planned
}

pub fn update(
    prior: &ClusterRotation,
    config: &ClusterRotation,
    proposed: ClusterRotation,
    private: &Private,
) -> Decision {
    let steps = steps(prior, config, private);
    let mut planned = proposed;
    let requires_replace = other_resource(prior, config, private);
    if !requires_replace.is_empty() {
        let planned = create(config, planned);
        return Decision { steps: Vec::new(), planned, requires_replace, resumes: false };
    }
    planned.rotation_due = rotation_due(&left_due(&steps));
    planned.rotation_due_at = next_due(config, prior, private);
    let ca = Credential::of(config) == Credential::CaCertificate;
    let resumes = unfinished(prior);
    for step in &steps {
        match step {
            Step::Issue { generation, reasons } => {
                begin(&mut planned, ca, scheduled(config));
                planned.phase = Attr::Known(phase::COMPLETED.into());
                planned.generation = number(*generation);
                planned.rotation_reason = if config.triggers.is_unknown() || has_unknown(config) {
                    Attr::Unknown
                } else {
                    Attr::Known(sentence(*generation, reasons))
                };
            }
            Step::IssueIfChanged { .. } => {
                begin(&mut planned, ca, true);
                planned.phase = Attr::Unknown;
                planned.generation = Attr::Unknown;
                planned.rotation_reason = Attr::Unknown;
                planned.rotation_due = Attr::Unknown;
            }
            _ => {}
        }
    }
    if resumes && rotation(&steps).is_none() && planned.phase.known().is_some() {
        let started_at = planned.started_at.clone();
        begin(&mut planned, ca, scheduled(config));
        planned.started_at = started_at;
        planned.phase = Attr::Known(phase::COMPLETED.into());
    }
    Decision { steps, planned, requires_replace, resumes }
}

/// The steps from a state to a configuration; Apply asks again and gets the same.
pub fn steps(prior: &ClusterRotation, config: &ClusterRotation, private: &Private) -> Vec<Step> {
    let generation = generation(prior);
    let recorded = private.adopted && prior.triggers.is_null();
    let (changes, unknown) = if recorded && !has_unknown(config) {
        (Vec::new(), Vec::new())
    } else {
        let compared = compare(&prior.triggers, &config.triggers);
        (compared.changes, compared.unknown.then_some("triggers").into_iter().collect())
    };
    let state = State {
        generation,
        highest: generation,
        current_expired: false,
        current_removable: false,
        due: due_of(prior),
        previous: Vec::new(),
        strays: BTreeSet::new(),
        policy: policy(prior),
    };
    let desired = Desired {
        policy: policy(config),
        changes,
        unknown,
        revoke_strays: BTreeSet::new(),
        always_in_place: true,
    };
    plan(&state, &desired)
}

pub fn due_of(model: &ClusterRotation) -> Vec<crate::rotation::Due> {
    recorded_due(&model.rotation_due)
}

pub fn policy(model: &ClusterRotation) -> Policy {
    Policy {
        expires_in: None,
        overlap: None,
        renew_before: period(&model.renew_before),
        rotate: model.rotate.known().copied().unwrap_or(true),
        rotation_period: period(&model.rotation_period),
    }
}

pub fn unfinished(model: &ClusterRotation) -> bool {
    let phase = model.phase.known().map_or(phase::NONE, String::as_str);
    !matches!(phase, phase::COMPLETED | phase::NONE)
}

pub fn generation(model: &ClusterRotation) -> u64 {
    model.generation.known().and_then(|number| u64::try_from(*number).ok()).unwrap_or(0)
}

/// The cluster's uuid, from the attribute `id`.
pub fn uuid(model: &ClusterRotation) -> String {
    let id = model.id.known().map_or("", String::as_str);
    id.split('/').next().unwrap_or_default().to_owned()
}

/// `rotation_due_at`: counted from the last rotation, or from where this resource began.
pub fn next_due(
    config: &ClusterRotation,
    model: &ClusterRotation,
    private: &Private,
) -> Attr<String> {
    policy(config).next(since(model, private), moment(&model.expires_at)).map(written).into()
}

pub fn since(model: &ClusterRotation, private: &Private) -> Option<jiff::Timestamp> {
    moment(&model.completed_at).or(private.since)
}

fn begin(planned: &mut ClusterRotation, ca: bool, scheduled: bool) {
    planned.started_at = Attr::Unknown;
    planned.completed_at = Attr::Unknown;
    planned.owner_user_id = Attr::Unknown;
    if ca {
        planned.ca_certificate_sha256 = Attr::Unknown;
        planned.expires_at = Attr::Unknown;
    } else {
        planned.application_credential_ids = Attr::Unknown;
    }
    planned.rotation_due_at = if scheduled { Attr::Unknown } else { Attr::Null };
}

fn scheduled(config: &ClusterRotation) -> bool {
    !config.rotation_period.is_null() || !config.renew_before.is_null()
}

fn has_unknown(config: &ClusterRotation) -> bool {
    config.triggers.is_unknown()
        || config.triggers.known().is_some_and(|map| map.values().any(Attr::is_unknown))
}

/// Another cluster or another credential: where the resource is replaced.
fn other_resource(
    prior: &ClusterRotation,
    config: &ClusterRotation,
    private: &Private,
) -> Vec<AttributePath> {
    let path =
        |name: &str| AttributePath::attribute("magnum").then(PathStep::Attribute(name.into()));
    let (Some(before), Some(after)) = (prior.magnum.known(), config.magnum.known()) else {
        let adopted = private.adopted && prior.magnum.is_null() && config.magnum.is_known();
        return if adopted { Vec::new() } else { vec![AttributePath::attribute("magnum")] };
    };
    let mut paths = Vec::new();
    let same = |wanted: &String| {
        before.cluster.known() == Some(wanted)
            || *wanted == uuid(prior)
            || private.cluster_name.as_ref() == Some(wanted)
    };
    if !after.cluster.known().is_some_and(same) {
        paths.push(path("cluster"));
    }
    if Credential::of(prior) != Credential::of(config) {
        paths.push(path("credential"));
    }
    paths
}

#[cfg(test)]
mod tests;
