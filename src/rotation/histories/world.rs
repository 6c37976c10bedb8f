//! Everything that a history moves: the cloud, Terraform's files, the configuration and the consumer; and
//! what can happen to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign as _;

use jiff::Timestamp;

use super::super::fixtures::{day, days};
use super::checked::Checked;
use super::files::{ApplyOptions, Instance, Outcome, Plan, PlanOptions, Snapshot};
use super::keystone::{ALL_ROLES, Keystone, Refusal, Roles, User};
use super::resource::Config;

/// How often things happened, so that a run shows that it was no dry one.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(pub(super) BTreeMap<&'static str, usize>);

impl Tally {
    pub(super) fn add(&mut self, what: &'static str, times: usize) {
        self.0.entry(what).or_default().add_assign(times);
    }
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// `terraform apply`, with time passing between its plan and its apply.
    Apply {
        plan: PlanOptions,
        hours: i64,
        apply: ApplyOptions,
    },
    /// The plan file that was saved last.
    ApplySaved(ApplyOptions),
    Destroy(ApplyOptions),
    Edit(Edit),
    Outside(Outside),
    RefreshOnly(PlanOptions),
    /// The state is put back to an earlier one, counted from the newest.
    Restore(usize),
    Save(PlanOptions),
    Taint,
    Wait {
        hours: i64,
    },
}

/// A change of the configuration; one that validation refuses is taken back.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Argument(&'static str, u64),
    CreateBeforeDestroy(bool),
    /// A fixed expiry, in days from now; zero: none.
    ExpiresAt(i64),
    /// In days; zero: none.
    ExpiresIn(i64),
    Overlap(i64),
    RenewBefore(i64),
    /// All that the state lists.
    RevokeStrays(bool),
    Rotate(bool),
    RotationPeriod(i64),
    Trigger(&'static str, u64),
}

/// What others do to the cloud.
#[derive(Clone, Debug)]
pub(super) enum Outside {
    DeleteAll(User),
    DeleteCurrent,
    DeleteOld,
    DeleteStray,
    Enable(User, bool),
    Grant(User, Roles),
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) cloud: Keystone,
    pub(super) config: Config,
    /// The id that a consumer logs in with.
    pub(super) consumer: Option<String>,
    pub(super) create_before_destroy: bool,
    /// The consumer still waits for what a failed run issued.
    pub(super) lagging: bool,
    /// Live, and in no state any more: of a killed create, of a destroyed resource, of a restored state.
    pub(super) left_behind: BTreeSet<String>,
    /// Gave a token with the wanted roles.
    pub(super) proved: BTreeSet<String>,
    /// An old state was put back: who holds what is the user's affair from then on.
    pub(super) restored: bool,
    /// When each old generation was first told as such.
    pub(super) retired: BTreeMap<String, Timestamp>,
    /// By the provider; true where the user's own policy left no choice.
    pub(super) revoked: BTreeMap<String, bool>,
    pub(super) backups: Vec<Snapshot>,
    pub(super) serial: u64,
    pub(super) snapshot: Snapshot,
    pub(super) tally: Tally,
    saved: Option<Plan>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            backups: Vec::new(),
            cloud: Keystone::new(day(0)),
            config: Config::new(),
            consumer: None,
            create_before_destroy: false,
            lagging: false,
            left_behind: BTreeSet::new(),
            proved: BTreeSet::new(),
            restored: false,
            retired: BTreeMap::new(),
            revoked: BTreeMap::new(),
            saved: None,
            serial: 0,
            snapshot: Snapshot::default(),
            tally: Tally::default(),
        }
    }

    pub(super) fn happen(&mut self, event: &Event) -> Checked<()> {
        self.tally.add("events", 1);
        match event {
            Event::Apply { plan, hours, apply } => {
                if let Ok(plan) = self.plan(plan)? {
                    self.wait(*hours);
                    self.apply_and_count(&plan, apply)?;
                }
            }
            Event::ApplySaved(options) => {
                if let Some(plan) = self.saved.clone() {
                    self.apply_and_count(&plan, options)?;
                }
            }
            Event::Destroy(options) => drop(self.destroy_all(options)?),
            Event::Edit(edit) => self.edit(edit),
            Event::Outside(outside) => self.outside(outside),
            Event::RefreshOnly(options) => {
                if let Ok(plan) = self.plan(options)? {
                    self.save(plan.snapshot);
                    self.check_accounted(false)?;
                }
            }
            Event::Restore(back) => {
                let kept = self.backups.iter().rev().nth(*back).cloned();
                if let Some(snapshot) = kept {
                    self.restored = true;
                    self.save(snapshot);
                    self.tally.add("old states put back", 1);
                }
            }
            Event::Save(options) => self.saved = self.plan(options)?.ok().or(self.saved.take()),
            Event::Taint => {
                let mut snapshot = self.snapshot.clone();
                if let Some(instance) = &mut snapshot.instance {
                    instance.tainted = true;
                }
                self.save(snapshot);
            }
            Event::Wait { hours } => self.wait(*hours),
        }
        Ok(())
    }

    pub(super) fn apply_and_count(
        &mut self,
        plan: &Plan,
        options: &ApplyOptions,
    ) -> Checked<Outcome> {
        let outcome = self.apply(plan, options)?;
        let told = match outcome {
            Outcome::Applied if plan.is_empty() => "applies without changes",
            Outcome::Applied => "applies",
            Outcome::Failed(Refusal::Killed) => "applies killed",
            Outcome::Failed(Refusal::Stopped) => "applies interrupted",
            Outcome::Failed(Refusal::Conflict) => "applies refused: the name is taken",
            Outcome::Failed(Refusal::Forbidden) => "applies refused: somebody else's",
            Outcome::Failed(Refusal::NoAccess) => "applies refused: no access",
            Outcome::Failed(Refusal::Past) => "applies refused: the expiry is over",
            Outcome::Failed(Refusal::Unassigned) => "applies refused: a role is missing",
            Outcome::Failed(Refusal::Unproved) => "applies refused: no proof",
            Outcome::Failed(Refusal::Lost | Refusal::Unavailable) => "applies cut off",
            Outcome::Stale => "plans too old to apply",
        };
        self.tally.add(told, 1);
        Ok(outcome)
    }

    fn wait(&mut self, hours: i64) {
        self.cloud.now += jiff::SignedDuration::from_hours(hours);
    }

    fn edit(&mut self, edit: &Edit) {
        let before = self.config.clone();
        let period = |length: i64| (length != 0).then(|| days(length));
        let config = &mut self.config;
        match edit {
            Edit::Argument(name, value) => drop(config.inputs.arguments.insert(name, *value)),
            Edit::CreateBeforeDestroy(first) => self.create_before_destroy = *first,
            Edit::ExpiresAt(0) => drop(config.inputs.arguments.insert("expires_at", 0)),
            Edit::ExpiresAt(in_days) => {
                let at = days(*in_days).after(self.cloud.now).as_second();
                config.inputs.arguments.insert("expires_at", at.unsigned_abs());
            }
            Edit::ExpiresIn(length) => {
                let seconds = length.unsigned_abs() * 86_400;
                config.inputs.arguments.insert("expires_in", seconds);
            }
            Edit::Overlap(length) => config.overlap = period(*length),
            Edit::RenewBefore(length) => config.renew_before = period(*length),
            Edit::RevokeStrays(false) => config.revoke_strays.clear(),
            Edit::RevokeStrays(true) => {
                let instance = self.snapshot.instance.as_ref();
                let strays = instance.map(|instance| instance.stored.strays.keys().cloned());
                config.revoke_strays.extend(strays.into_iter().flatten());
            }
            Edit::Rotate(rotate) => config.rotate = *rotate,
            Edit::RotationPeriod(length) => config.rotation_period = period(*length),
            Edit::Trigger(key, 0) => drop(config.inputs.triggers.remove(*key)),
            Edit::Trigger(key, value) => {
                config.inputs.triggers.insert((*key).to_owned(), *value);
            }
        }
        if !self.config.valid() {
            self.config = before;
        }
    }

    fn outside(&mut self, outside: &Outside) {
        let instance = self.snapshot.instance.clone();
        let stored = instance.map(|Instance { stored, .. }| stored);
        let cloud = &mut self.cloud;
        match outside {
            Outside::DeleteAll(user) => {
                let owned = cloud.credentials.iter().filter(|(_, found)| found.owner == *user);
                for id in owned.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                    cloud.remove(&id);
                }
            }
            Outside::DeleteCurrent => stored.iter().for_each(|stored| cloud.remove(&stored.id)),
            Outside::DeleteOld => {
                let oldest = stored.as_ref().and_then(|stored| stored.previous.values().next());
                oldest.map(|entry| cloud.remove(&entry.id)).unwrap_or_default();
            }
            Outside::DeleteStray => {
                let first = stored.as_ref().and_then(|stored| stored.strays.keys().next());
                first.map(|id| cloud.remove(id)).unwrap_or_default();
            }
            Outside::Enable(user, enabled) => {
                cloud.accounts.get_mut(user).expect("known").enabled = *enabled;
            }
            Outside::Grant(user, roles) => {
                cloud.accounts.get_mut(user).expect("known").roles = *roles & ALL_ROLES;
            }
        }
    }
}
