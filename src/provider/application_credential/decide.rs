//! Plan: a function of state and configuration, without clock and without caller. It asks `rotation` for
//! the steps and writes down what they will make of the state.

use std::collections::BTreeMap;

use crate::provider::application_credential::ApplicationCredentialResource;
use crate::provider::application_credential::inputs::{self, Inputs};
use crate::provider::application_credential::model::{
    ApplicationCredential, PreviousGeneration, Stray,
};
use crate::provider::application_credential::private::Private;
use crate::provider::arguments::{moment, number, written};
use crate::provider::schedule::Scheduled as _;
use crate::provider::schedule::due::{self as recorded, recorded_due};
use crate::rotation::{
    Change, Current, Desired, Due, Observed, Policy, Previous, Reason, State, Step, left_due, plan,
    sentence,
};
use crate::tfplugin::diagnostics::AttributePath;
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::PlanRequest;

/// What will be done, and what the state will then be.
#[derive(Debug)]
pub struct Decision {
    pub steps: Vec<Step>,
    pub planned: ApplicationCredential,
    pub requires_replace: Vec<AttributePath>,
}

impl Decision {
    /// True where a credential is made, in this resource or in its replacement.
    pub fn issues(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(step, Step::Issue { .. } | Step::IssueIfChanged { .. } | Step::Replace { .. })
        })
    }

    /// True where that old generation is revoked.
    pub fn revoked(&self, number: u64) -> bool {
        let ends =
            |step: &Step| matches!(step, Step::Revoke { generation, .. } if *generation == number);
        self.steps.iter().any(ends)
    }

    /// True where a credential is revoked.
    pub fn revokes(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(step, Step::Revoke { .. } | Step::RevokeStray { .. } | Step::Replace { .. })
        })
    }
}

/// The plan of a create, also as the second half of a replacement.
pub fn create(
    config: &ApplicationCredential,
    proposed: ApplicationCredential,
) -> ApplicationCredential {
    let mut planned = proposed;
    issued(&mut planned, config);
    owned_by_whoever_applies(&mut planned);
    planned.auth_url = Attr::Unknown;
    planned.region_name = Attr::Unknown;
    planned.effective_roles = Attr::Unknown;
    begin(&mut planned);
    planned
}

/// The plan of an update, or of the first half of a replacement.
pub fn update(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    proposed: ApplicationCredential,
    private: &Private,
) -> Decision {
    let inputs = inputs::compare(prior, config, private);
    let steps = steps(prior, config, private, &inputs);
    let mut planned = proposed;
    planned.unrestricted = unrestricted(config);
    finish(prior, config, private, planned, steps, &inputs)
}

/// The steps from a state to a configuration; Apply asks again and gets the same.
pub fn steps(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
    inputs: &Inputs,
) -> Vec<Step> {
    let named = config.revoke_strays.known();
    let desired = Desired {
        policy: config.policy(),
        changes: inputs.changes.clone(),
        unknown: inputs.unknown.clone(),
        named_strays: named
            .map(|ids| ids.0.iter().filter_map(Attr::known).cloned().collect())
            .unwrap_or_default(),
    };
    plan(&state(prior, private), &desired)
}

/// What `rotation` is told of the state.
pub fn state(prior: &ApplicationCredential, private: &Private) -> State {
    let generation = prior.number();
    let strays = prior.strays.known();
    let numbers = strays
        .iter()
        .flat_map(|strays| strays.values())
        .filter_map(|stray| stray.name.known().and_then(|name| private.naming.generation(name)));
    State {
        generation,
        highest: numbers.chain(private.previous.keys().copied()).fold(generation, u64::max),
        current_expired: private.current_expired,
        current_removable: !private.current_locked,
        due: recorded_due(&prior.rotation_due),
        previous: retired(prior, private),
        strays: strays
            .iter()
            .flat_map(|strays| strays.keys())
            .filter(|id| !private.locked_strays.contains(*id))
            .cloned()
            .collect(),
        policy: prior.policy(),
    }
}

fn finish(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
    mut planned: ApplicationCredential,
    steps: Vec<Step>,
    inputs: &Inputs,
) -> Decision {
    let mut requires_replace = Vec::new();
    planned.rotation_due = waiting(&left_due(&steps));
    arguments(prior, config, private, &mut planned);
    let mut entries = staying(prior, &config.policy(), private);
    for step in &steps {
        match step {
            Step::Issue { generation, reasons } => {
                next(config, inputs, *generation, reasons, &mut planned);
                if !private.owner_reads {
                    owned_by_whoever_applies(&mut planned);
                }
            }
            Step::IssueIfChanged { .. } => {
                perhaps(prior, config, &mut planned);
                if !private.owner_reads {
                    owned_by_whoever_applies(&mut planned);
                }
            }
            Step::Hold { until: None, generation } => {
                let entry = PreviousGeneration {
                    created_access_rules: prior.created_access_rules.clone(),
                    id: prior.id.clone(),
                    name: prior.name.clone(),
                    revoke_after: Attr::Unknown,
                    user_id: prior.user_id.clone(),
                };
                entries.insert(generation.to_string(), entry);
            }
            Step::Revoke { generation, .. } => {
                entries.remove(&generation.to_string());
            }
            Step::RevokeStray { id } => {
                if let Attr::Known(strays) = &mut planned.strays {
                    strays.remove(id);
                    planned.strays = listed(std::mem::take(strays));
                }
            }
            Step::Replace { reasons, unknown } => {
                requires_replace = replaced(prior, reasons, unknown);
                issued(&mut planned, config);
                owned_by_whoever_applies(&mut planned);
                planned.effective_roles = Attr::Unknown;
                begin(&mut planned);
            }
            Step::Hold { until: Some(_), .. } | Step::HoldDue(_) => {}
        }
    }
    if !planned.previous_generations.is_unknown() && requires_replace.is_empty() {
        planned.previous_generations = Attr::Known(entries);
    }
    Decision { steps, planned, requires_replace }
}

/// What follows from the arguments alone, whatever the steps are.
fn arguments(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
    planned: &mut ApplicationCredential,
) {
    let wanted = config.policy();
    planned.rotation_due_at = next_due(&wanted, planned, private);
    planned.previous_generations = Attr::Known(BTreeMap::new());
    planned.usable = match config.check_usable {
        Attr::Known(true) => planned.usable,
        // Wanted or not: what the last refresh saw stays, or goes.
        Attr::Unknown if prior.usable.is_known() => Attr::Unknown,
        Attr::Known(false) | Attr::Null | Attr::Unknown => Attr::Null,
    };
    if config.secret_wo_version.known().is_some() {
        planned.secret = Attr::Null;
    }
    let named = &config.revoke_strays;
    if named.is_unknown() || named.known().is_some_and(|ids| ids.0.iter().any(Attr::is_unknown)) {
        planned.strays = Attr::Unknown;
    }
}

/// A next generation, for certain.
fn next(
    config: &ApplicationCredential,
    inputs: &Inputs,
    generation: u64,
    reasons: &[Reason],
    planned: &mut ApplicationCredential,
) {
    issued(planned, config);
    let roles_change = reasons.contains(&Reason::Changed(Change::Argument("roles")))
        || inputs.unknown.contains(&"roles");
    if roles_change || config.roles.known().is_none() {
        planned.effective_roles = Attr::Unknown;
    }
    planned.generation = number(generation);
    planned.rotation_reason = if inputs.unknown.is_empty() {
        Attr::Known(sentence(generation, reasons))
    } else {
        Attr::Unknown
    };
}

/// A next generation, if an input that is not known yet turns out to differ: everything that either outcome
/// may change is unknown.
fn perhaps(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    planned: &mut ApplicationCredential,
) {
    issued(planned, config);
    // Without a next generation it keeps the expiry that it was imported with.
    if prior.expires_at.is_known() && planned.expires_at.is_null() {
        planned.expires_at = Attr::Unknown;
    }
    if planned.created_access_rules != prior.created_access_rules {
        planned.created_access_rules = Attr::Unknown;
    }
    // With a next generation, a stray may go that an expired one could not vouch for.
    if planned.strays.known().is_some_and(|strays| !strays.is_empty()) {
        planned.strays = Attr::Unknown;
    }
    planned.effective_roles = Attr::Unknown;
    planned.generation = Attr::Unknown;
    planned.previous_generations = Attr::Unknown;
    planned.rotation_due = Attr::Unknown;
    planned.rotation_reason = Attr::Unknown;
}

/// What core has handed over without its being a wish must stand in the plan as it is, and so in the state until the
/// next refresh, whatever the next generation has.
pub fn keep_handed(
    handed: &ApplicationCredential,
    wishes: &ApplicationCredential,
    planned: &mut ApplicationCredential,
) {
    if wishes.name.is_null() && handed.name.is_known() {
        planned.name.clone_from(&handed.name);
    }
    if wishes.expires_at.is_null() && handed.expires_at.is_known() {
        planned.expires_at.clone_from(&handed.expires_at);
    }
}

/// What nobody knows before a credential is issued.
fn issued(planned: &mut ApplicationCredential, config: &ApplicationCredential) {
    planned.id = Attr::Unknown;
    if config.name.is_null() {
        planned.name = Attr::Unknown;
    }
    let own_secret = config.secret_wo_version.known().is_some();
    planned.secret = if own_secret { Attr::Null } else { Attr::Unknown };
    planned.created_access_rules =
        if config.access_rules.is_null() { Attr::Null } else { Attr::Unknown };
    planned.issued_at = Attr::Unknown;
    planned.expires_at = match (&config.expires_at, &config.expires_in) {
        (Attr::Null, Attr::Null) => Attr::Null,
        (Attr::Null | Attr::Unknown, _) => Attr::Unknown,
        (Attr::Known(at), _) => Attr::Known(at.clone()),
    };
    let scheduled = config.policy().scheduled()
        || [&config.expires_in, &config.renew_before, &config.rotation_period]
            .iter()
            .any(|argument| argument.is_unknown());
    planned.rotation_due_at = if scheduled { Attr::Unknown } else { Attr::Null };
    // Moved in, and never seen by its owner since.
    if planned.auth_url.is_null() {
        planned.auth_url = Attr::Unknown;
        planned.region_name = Attr::Unknown;
    }
    planned.unrestricted = unrestricted(config);
    planned.usable = match config.check_usable {
        Attr::Known(true) | Attr::Unknown => Attr::Unknown,
        Attr::Known(false) | Attr::Null => Attr::Null,
    };
}

/// The owner is the login of the apply: not known where it may be another than the one that has looked last. Where
/// that one owns the credential, what hangs on its user and project stays in a rotation, and apply refuses any other.
fn owned_by_whoever_applies(planned: &mut ApplicationCredential) {
    planned.user_id = Attr::Unknown;
    planned.user_name = Attr::Unknown;
    planned.project_id = Attr::Unknown;
}

fn unrestricted(config: &ApplicationCredential) -> Attr<bool> {
    match config.unrestricted {
        Attr::Null => Attr::Known(false),
        given => given,
    }
}

/// A life that begins: the first generation, without history.
fn begin(planned: &mut ApplicationCredential) {
    planned.generation = number(1);
    planned.previous_generations = Attr::Known(BTreeMap::new());
    planned.rotation_due = Attr::Null;
    planned.rotation_reason = Attr::Null;
    planned.strays = Attr::Null;
}

/// The places that ask for a replacement: what changed, or `rotation_due`.
fn replaced(
    prior: &ApplicationCredential,
    reasons: &[Reason],
    unknown: &[&'static str],
) -> Vec<AttributePath> {
    let mut names: Vec<&str> = reasons
        .iter()
        .map(|reason| match reason {
            Reason::Changed(Change::Argument(name)) => name,
            Reason::Changed(Change::Trigger(_)) => "triggers",
            _ => "rotation_due",
        })
        .chain(unknown.iter().copied())
        .collect();
    // Where an argument is computed as well, taking it away leaves nothing that differs but the id.
    if names.is_empty() || prior.id.is_null() {
        names.push("id");
    }
    names.dedup();
    names.into_iter().map(AttributePath::attribute).collect()
}

/// `rotation_due`; null where nothing is due.
pub fn waiting(due: &[Due]) -> Attr<Vec<recorded::Due>> {
    if due.is_empty() { Attr::Null } else { recorded::rotation_due(due) }
}

/// `strays`; null where there is none.
pub fn listed(strays: BTreeMap<String, Stray>) -> Attr<BTreeMap<String, Stray>> {
    Some(strays).filter(|strays| !strays.is_empty()).into()
}

/// The old generations that stay, with their dates by the policy that is wanted.
pub fn staying(
    prior: &ApplicationCredential,
    wanted: &Policy,
    private: &Private,
) -> BTreeMap<String, PreviousGeneration> {
    let mut entries = prior.previous().clone();
    for old in retired(prior, private) {
        if let Some(entry) = entries.get_mut(&old.generation.to_string()) {
            entry.revoke_after = Attr::Known(written(old.revoke_after(wanted)));
        }
    }
    entries
}

/// The old generations with what is remembered of them.
fn retired(model: &ApplicationCredential, private: &Private) -> Vec<Previous> {
    let numbers = model.previous().keys().filter_map(|number| number.parse().ok());
    numbers
        .filter_map(|generation| {
            let retired = private.previous.get(&generation)?;
            Some(Previous {
                generation,
                retired: retired.at,
                expires_at: retired.expires_at,
                removable: !retired.locked,
            })
        })
        .collect()
}

/// `rotation_due_at`: a function of the policy and of the current generation.
pub fn next_due(policy: &Policy, model: &ApplicationCredential, private: &Private) -> Attr<String> {
    policy.next(since(model, private), moment(&model.expires_at)).map(written).into()
}

/// Where a schedule by age begins.
pub fn since(model: &ApplicationCredential, private: &Private) -> Option<jiff::Timestamp> {
    moment(&model.issued_at).or(private.imported_at)
}

/// What a schedule is judged by. `present`: the current generation is there.
pub fn observed(model: &ApplicationCredential, private: &Private, present: bool) -> Observed {
    let (since, expires_at) = (since(model, private), moment(&model.expires_at));
    let previous = retired(model, private);
    Observed { current: Current { present, since, expires_at }, previous }
}

/// Plan, as the trait asks for it, without the diagnostics.
pub fn decide(request: &PlanRequest<ApplicationCredentialResource>) -> Decision {
    let PlanRequest { prior, config, proposed, private } = request;
    match prior {
        None => Decision {
            steps: Vec::new(),
            planned: create(config, proposed.clone()),
            requires_replace: Vec::new(),
        },
        Some(prior) => update(prior, config, proposed.clone(), private),
    }
}
