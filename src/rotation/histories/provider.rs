//! The modelled provider: the loop around the decisions, as the provider of Terraform runs it. Read asks
//! what is due, Plan tells what follows, Apply does it, step by step, and returns honest state after each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::{Current, Desired, Due, Observed, Step, due, left_due, plan, sentence};
use super::keystone::{Credential, Keystone, Refusal, USERS};
use super::resource::{Config, Entry, Private, Stored};

#[derive(Clone, Copy, Debug)]
pub(super) struct Provider;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Nothing,
    Replace,
    Update,
}

#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) action: Action,
    pub(super) steps: Vec<Step>,
    /// What is known of the state to come, and which paths are not.
    pub(super) values: BTreeMap<String, String>,
    pub(super) unknown: BTreeSet<String>,
}

/// What `ApplyResourceChange` returns.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) state: Option<Stored>,
    pub(super) error: Option<Refusal>,
}

/// A credential that was just made.
#[derive(Clone, Debug)]
struct Fresh {
    /// Found by its name after the reply was lost: not certain to be this run's.
    found: bool,
    id: String,
    made: Credential,
}

/// The attributes of which nothing is known before a credential is made.
const MADE: [&str; 5] = ["id", "issued_at", "name", "secret", "user_id"];

pub(super) fn name(config: &Config, key: u64, generation: u64) -> String {
    match config.argument("name_prefix") {
        0 => "fixed".into(),
        prefix => format!("p{prefix}-{generation}-{key}"),
    }
}

/// The generation of a name that this key made.
pub(super) fn generation_of(name: &str, key: u64) -> Option<u64> {
    let mut parts = name.split('-').skip(1);
    let generation = parts.next()?.parse().ok()?;
    (parts.next()? == key.to_string()).then_some(generation)
}

impl Provider {
    pub(super) fn read(stored: &Stored, cloud: &mut Keystone) -> Result<Option<Stored>, Refusal> {
        let mut next = stored.clone();
        let mut others = BTreeSet::new();
        next.strays = strays(stored, &mut others, cloud)?;
        let mut exists = |cloud: &mut Keystone, id: &str| match cloud.show(id) {
            Ok(found) => Ok(found.is_some()),
            Err(Refusal::Forbidden) => Ok(others.insert(id.to_owned())),
            Err(refusal) => Err(refusal),
        };
        let present = exists(cloud, &stored.id)?;
        for (generation, entry) in &stored.previous {
            if !exists(cloud, &entry.id)? {
                next.previous.remove(generation);
                next.private.retired.remove(generation);
            }
        }
        next.private.others = others;
        next.private.current_expired =
            present && stored.expires_at.is_some_and(|expiry| expiry <= cloud.now);

        let observed = Observed {
            current: Current {
                present,
                since: Some(stored.issued_at),
                expires_at: stored.expires_at,
            },
            previous: next.previous.keys().map(|generation| next.previous(*generation)).collect(),
        };
        if observed.gone(!next.strays.is_empty()) {
            return Ok(None);
        }
        next.keep_due(&due(&observed, &stored.policy, cloud.now));
        Ok(Some(next))
    }

    pub(super) fn plan(prior: Option<&Stored>, config: &Config) -> Planned {
        let Some(prior) = prior else { return first(config) };
        let steps = Self::steps(prior, config);
        if matches!(steps[..], [Step::Replace { .. }]) {
            let (values, unknown) = Default::default();
            return Planned { action: Action::Replace, steps, values, unknown };
        }
        let mut next = prior.clone();
        let mut unknown = BTreeSet::new();
        next.configure(config);
        next.keep_due(&left_due(&steps));
        for step in &steps {
            match step {
                Step::Issue { generation, reasons } => {
                    next.generation = *generation;
                    next.rotation_reason = Some(sentence(*generation, reasons));
                    next.expires_at = config.expires_at();
                    unknown.extend(unknown_when_made(config));
                    if !config.unknown.is_empty() {
                        unknown.insert("rotation_reason".into());
                    }
                }
                Step::IssueIfChanged { .. } => {
                    let all = ["generation", "previous_generations", "rotation_due"];
                    let all = all.into_iter().chain(["rotation_reason", "strays"]);
                    unknown.extend(all.map(str::to_owned));
                    unknown.extend(unknown_when_made(config));
                }
                Step::Hold { generation, until: None } => {
                    next.previous.insert(*generation, prior.entry());
                    unknown.insert(format!("previous_generations.{generation}.revoke_after"));
                }
                Step::Hold { generation, until: Some(until) } => {
                    let entry = next.previous.get_mut(generation);
                    entry.expect("what is held is known").revoke_after = *until;
                }
                Step::Revoke { generation, .. } => {
                    next.previous.remove(generation);
                }
                Step::RevokeStray { id } => {
                    next.strays.remove(id);
                }
                Step::HoldDue(_) => {}
                Step::Replace { .. } => unreachable!("it stands alone"),
            }
        }
        next.schedule();
        unknown.extend(unknown_inputs(config));
        let same = next.attributes() == prior.attributes() && unknown.is_empty();
        let action = if same { Action::Nothing } else { Action::Update };
        Planned { action, steps, values: next.attributes(), unknown }
    }

    pub(super) fn create(config: &Config, cloud: &mut Keystone) -> Answer {
        let key = cloud.number();
        let fresh = match issue(&name(config, key, 1), config, cloud) {
            Ok(fresh) => fresh,
            Err(refusal) => return Answer { state: None, error: Some(refusal) },
        };
        let mut state = Stored {
            expires_at: None,
            generation: 1,
            id: String::new(),
            inputs: config.inputs.clone(),
            issued_at: cloud.now,
            name: String::new(),
            owner: cloud.caller(),
            policy: config.policy(),
            previous: BTreeMap::new(),
            private: Private {
                current_expired: false,
                key,
                others: BTreeSet::new(),
                retired: BTreeMap::new(),
            },
            revoke_strays: config.revoke_strays.clone(),
            rotation_due: Vec::new(),
            rotation_due_at: None,
            rotation_reason: None,
            secret: 0,
            strays: BTreeMap::new(),
        };
        state.switch(1, &fresh);
        state.schedule();
        match prove(&fresh.id, fresh.made.secret, config, cloud) {
            Ok(()) => Answer { state: Some(state), error: None },
            Err(refusal) => {
                let left = fresh.found || cloud.delete(&fresh.id).is_err();
                Answer { state: left.then_some(state), error: Some(refusal) }
            }
        }
    }

    pub(super) fn update(prior: &Stored, config: &Config, cloud: &mut Keystone) -> Answer {
        let steps = Self::steps(prior, config);
        let mut next = prior.clone();
        next.configure(config);
        next.move_dates();
        let following = steps.iter().find_map(|step| match step {
            Step::Issue { generation, reasons } => Some((*generation, reasons)),
            _ => None,
        });
        let ends = |step: &&Step| matches!(step, Step::Revoke { .. } | Step::RevokeStray { .. });
        if let Some((generation, reasons)) = following {
            next.rotation_reason = Some(sentence(generation, reasons));
            let name = name(config, prior.private.key, generation);
            let stopped = if cloud.stopping() { Err(Refusal::Stopped) } else { Ok(()) };
            let fresh = match stopped.and_then(|()| issue(&name, config, cloud)) {
                Ok(fresh) => fresh,
                Err(refusal) => return Answer { state: Some(prior.clone()), error: Some(refusal) },
            };
            if let Err(refusal) = prove(&fresh.id, fresh.made.secret, config, cloud) {
                let state = take_back(prior, generation, &fresh, cloud);
                return Answer { state: Some(state), error: Some(refusal) };
            }
            if keeps_or_revokes(&steps, prior.generation) {
                next.retire(prior, cloud.now);
            }
            next.switch(generation, &fresh);
        } else if steps.iter().any(|step| ends(&step))
            && let Err(refusal) = prove(&prior.id, prior.secret, config, cloud)
        {
            return Answer { state: Some(prior.clone()), error: Some(refusal) };
        }
        for step in steps.iter().filter(ends) {
            let done = match step {
                _ if cloud.stopping() => Err(Refusal::Stopped),
                Step::Revoke { generation, .. } => {
                    cloud.delete(&next.previous[generation].id).map(|()| {
                        next.previous.remove(generation);
                        next.private.retired.remove(generation);
                    })
                }
                Step::RevokeStray { id } => cloud.delete(id).map(|()| {
                    next.strays.remove(id);
                }),
                _ => unreachable!("it ends something"),
            };
            if let Err(refusal) = done {
                return Answer { state: Some(next.interrupted(&steps)), error: Some(refusal) };
            }
        }
        next.keep_due(&left_due(&steps));
        next.schedule();
        Answer { state: Some(next), error: None }
    }

    /// Revokes every generation, the current one last. Strays stay.
    pub(super) fn destroy(prior: &Stored, cloud: &mut Keystone) -> Answer {
        let mut next = prior.clone();
        for (generation, entry) in &prior.previous {
            if let Err(refusal) = cloud.delete(&entry.id) {
                return Answer { state: Some(next), error: Some(refusal) };
            }
            next.previous.remove(generation);
            next.private.retired.remove(generation);
        }
        match cloud.delete(&prior.id) {
            Ok(()) => Answer { state: None, error: None },
            Err(refusal) => Answer { state: Some(next), error: Some(refusal) },
        }
    }

    fn steps(prior: &Stored, config: &Config) -> Vec<Step> {
        let (changes, unknown) = config.changes(&prior.inputs);
        let desired = Desired {
            policy: config.policy(),
            changes,
            unknown,
            named_strays: config.revoke_strays.clone(),
        };
        plan(&prior.state(), &desired)
    }
}

impl Stored {
    fn configure(&mut self, config: &Config) {
        self.inputs = config.inputs.clone();
        self.policy = config.policy();
        self.revoke_strays.clone_from(&config.revoke_strays);
    }

    /// Every stored date follows from the stored policy, also where a run ends early.
    fn move_dates(&mut self) {
        for (generation, entry) in &mut self.previous {
            let (retired, expires_at) = self.private.retired[generation];
            entry.revoke_after = self.policy.revoke_after(retired, expires_at);
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            id: self.id.clone(),
            name: self.name.clone(),
            owner: self.owner,
            revoke_after: Timestamp::MIN,
        }
    }

    fn retire(&mut self, prior: &Self, now: Timestamp) {
        let revoke_after = self.policy.revoke_after(now, prior.expires_at);
        self.previous.insert(prior.generation, Entry { revoke_after, ..prior.entry() });
        self.private.retired.insert(prior.generation, (now, prior.expires_at));
    }

    fn switch(&mut self, generation: u64, fresh: &Fresh) {
        self.generation = generation;
        self.id.clone_from(&fresh.id);
        self.name.clone_from(&fresh.made.name);
        self.owner = fresh.made.owner;
        self.secret = fresh.made.secret;
        self.issued_at = fresh.made.issued;
        self.expires_at = fresh.made.expires_at;
        self.private.current_expired = false;
    }

    fn schedule(&mut self) {
        self.rotation_due_at = self.policy.next(Some(self.issued_at), self.expires_at);
    }

    /// The state of a run that ended between two revocations.
    fn interrupted(mut self, steps: &[Step]) -> Self {
        let mut due = left_due(steps);
        due.extend(self.due().into_iter().filter(|due| {
            matches!(due, Due::Overlap { generation, .. } if self.previous.contains_key(generation))
        }));
        due.sort();
        due.dedup();
        self.keep_due(&due);
        self.schedule();
        self
    }
}

fn first(config: &Config) -> Planned {
    let values = [
        ("generation", "1".to_owned()),
        ("policy", format!("{:?}", config.policy())),
        ("rotation_due", "[]".into()),
        ("strays", "{}".into()),
    ];
    let unknown = unknown_when_made(config).chain(unknown_inputs(config)).collect();
    Planned {
        action: Action::Create,
        steps: Vec::new(),
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        unknown,
    }
}

fn unknown_when_made(config: &Config) -> impl Iterator<Item = String> {
    let policy = config.policy();
    let computed = policy.expires_in.map(|_| "expires_at");
    let scheduled = policy.scheduled().then_some("rotation_due_at");
    MADE.into_iter().chain(computed).chain(scheduled).map(str::to_owned)
}

fn unknown_inputs(config: &Config) -> impl Iterator<Item = String> {
    config.unknown.iter().map(|name| match *name {
        "triggers" => "triggers".to_owned(),
        name => format!("argument.{name}"),
    })
}

fn keeps_or_revokes(steps: &[Step], current: u64) -> bool {
    steps.iter().any(|step| {
        matches!(step, Step::Hold { generation, .. } | Step::Revoke { generation, .. }
            if *generation == current)
    })
}

/// Those of the caller, and those that an earlier caller saw and this one may not judge.
fn strays(
    stored: &Stored,
    others: &mut BTreeSet<String>,
    cloud: &mut Keystone,
) -> Result<BTreeMap<String, u64>, Refusal> {
    let known = stored.ids();
    let mut found = BTreeMap::new();
    for (id, generation) in &stored.strays {
        match cloud.show(id) {
            Ok(None) => continue,
            Ok(Some(_)) => {}
            Err(Refusal::Forbidden) => drop(others.insert(id.clone())),
            Err(refusal) => return Err(refusal),
        }
        found.insert(id.clone(), *generation);
    }
    for owner in USERS.into_iter().filter(|owner| cloud.may_touch(*owner)).collect::<Vec<_>>() {
        for (id, credential) in cloud.list(owner)? {
            let generation = generation_of(&credential.name, stored.private.key);
            if let Some(generation) = generation.filter(|_| !known.contains(id.as_str())) {
                found.insert(id, generation);
            }
        }
    }
    Ok(found)
}

fn issue(name: &str, config: &Config, cloud: &mut Keystone) -> Result<Fresh, Refusal> {
    let secret = cloud.number();
    let in_time = config.policy().expires_in.map(|period| period.after(cloud.now));
    let expires_at = config.expires_at().or(in_time);
    let create = |cloud: &mut Keystone| cloud.create(name, config.roles(), expires_at, secret);
    let (id, found) = match create(cloud) {
        Err(Refusal::Lost) => match find(name, cloud)? {
            Some(id) => (id, true),
            None => (create(cloud)?, false),
        },
        made => (made?, false),
    };
    let (issued, owner) = (cloud.now, cloud.caller());
    let roles = config.roles();
    let made = Credential { expires_at, issued, name: name.to_owned(), owner, roles, secret };
    Ok(Fresh { found, id, made })
}

fn find(name: &str, cloud: &mut Keystone) -> Result<Option<String>, Refusal> {
    let owned = cloud.list(cloud.caller())?;
    Ok(owned.into_iter().find(|(_, found)| found.name == name).map(|(id, _)| id))
}

fn prove(id: &str, secret: u64, config: &Config, cloud: &mut Keystone) -> Result<(), Refusal> {
    let roles = cloud.login(id, secret)?;
    if config.roles() & !roles == 0 { Ok(()) } else { Err(Refusal::Unproved) }
}

/// The prior state; with the new credential as a stray where it cannot, or may not, be taken back.
fn take_back(prior: &Stored, generation: u64, made: &Fresh, cloud: &mut Keystone) -> Stored {
    let mut state = prior.clone();
    if made.found || cloud.delete(&made.id).is_err() {
        state.strays.insert(made.id.clone(), generation);
    }
    state
}
