//! What must hold in every history. The judge goes by what the modelled Keystone saw and by its own
//! calendar, not by what the decisions say of themselves.

use std::collections::BTreeSet;

use super::super::{Due, Period, Reason, Step};
use super::checked::{Checked, ensure};
use super::files::{Purpose, Snapshot};
use super::keystone::{Effect, Refusal};
use super::provider::{Action, Answer, Planned, Provider, generation_of};
use super::resource::{Config, Stored};
use super::world::World;

impl World {
    /// Every live credential that the resource made is in the state, or listed as a stray.
    pub(super) fn check_read(&mut self, prior: &Stored, read: Option<&Stored>) -> Checked<()> {
        let listed = read.map(Stored::ids).unwrap_or_default();
        for (id, credential) in self.cloud.credentials.clone() {
            let ours = generation_of(&credential.name, prior.private.key).is_some();
            if !ours || listed.contains(id.as_str()) {
                continue;
            }
            ensure!(
                !self.cloud.may_touch(credential.owner),
                "{id} ({}) is alive and Read does not tell of it",
                credential.name
            );
            if read.is_none() {
                // Of an account that this caller cannot see.
                self.left_behind.insert(id);
            }
        }
        if let Some(read) = read {
            self.tally.add("strays listed", read.strays.len());
            let twice = Provider::read(read, &mut self.cloud);
            ensure!(
                twice.as_ref().is_err() || twice == Ok(Some(read.clone())),
                "a second Read differs from the first: {twice:?}"
            );
        }
        Ok(())
    }

    /// The plan that apply makes again equals the first.
    pub(super) fn check_again(&mut self, first: &Planned, again: &Planned) -> Checked<()> {
        if first.unknown.iter().any(|path| path == "triggers" || path.starts_with("argument.")) {
            let certain = first.steps.iter().find_map(issued);
            let then = again.steps.iter().find_map(issued);
            let may = first.steps.iter().any(|step| matches!(step, Step::IssueIfChanged { .. }));
            ensure!(
                match (certain, then) {
                    (None, then) => may || then.is_none(),
                    (Some((generation, reasons)), Some((same, more))) =>
                        generation == same && reasons.iter().all(|reason| more.contains(reason)),
                    (Some(_), None) => false,
                },
                "planned {:?}, then {:?}",
                first.steps,
                again.steps
            );
            let told =
                if then.is_some() { "unknown inputs changed" } else { "unknown inputs equal" };
            self.tally.add(told, usize::from(may));
        } else {
            ensure!(
                first.steps == again.steps,
                "planned {:?}, then {:?}",
                first.steps,
                again.steps
            );
        }
        let allowed = first.action == again.action || again.action == Action::Nothing;
        ensure!(allowed, "planned {:?}, then {:?}", first.action, again.action);
        agree(first, &again.values, Some(&again.unknown))
    }

    /// Nothing is issued without a reason, nothing revoked before its successor was used, nothing that a
    /// consumer may still hold.
    pub(super) fn check_update(
        &mut self,
        prior: &Stored,
        config: &Config,
        planned: &Planned,
        answer: &Answer,
    ) -> Checked<()> {
        let mut made = BTreeSet::new();
        let mut used = BTreeSet::new();
        for effect in self.cloud.log.clone() {
            match effect {
                Effect::Issued(id) => {
                    let step = planned.steps.iter().find_map(issued);
                    let (generation, reasons) = step.ok_or("issued without a step")?;
                    self.check_reason(prior, config, generation, reasons)?;
                    made.insert(id);
                }
                Effect::LoggedIn { id, roles } => {
                    if config.roles() & !roles == 0 {
                        self.proved.insert(id.clone());
                        used.insert(id);
                    }
                }
                Effect::Deleted(id) if made.contains(&id) => {
                    let kept = answer.state.as_ref().is_some_and(|state| state.id == id);
                    ensure!(!kept, "{id} was taken back and is in the state");
                    ensure!(answer.error.is_some(), "{id} was taken back without an error");
                    self.tally.add("credentials taken back", 1);
                }
                Effect::Deleted(id) => {
                    let successor = made.last().unwrap_or(&prior.id);
                    ensure!(
                        used.contains(successor),
                        "{id} was revoked before {successor} was used"
                    );
                    self.check_revocation(&id, prior, config)?;
                }
            }
        }
        let state = answer.state.as_ref().filter(|_| answer.error != Some(Refusal::Killed));
        if let Some(state) = state {
            self.check_known(made.iter().map(String::as_str), state)?;
            self.check_kept(prior, state, answer.error.is_none())?;
            for entry in state.previous.values() {
                self.retired.entry(entry.id.clone()).or_insert(self.cloud.now);
            }
            self.tally.add("rotations in place", usize::from(state.id != prior.id));
        }
        Ok(())
    }

    /// A create proves what it made, or takes it back.
    pub(super) fn check_create(&mut self, answer: &Answer) -> Checked<()> {
        for effect in self.cloud.log.clone() {
            if let Effect::LoggedIn { id, .. } = effect {
                self.proved.insert(id);
            }
        }
        let state = answer.state.as_ref();
        if answer.error != Some(Refusal::Killed) {
            for effect in &self.cloud.log {
                let Effect::Issued(id) = effect else { continue };
                let known = state.is_some_and(|state| state.id == *id);
                let told = !self.cloud.unanswered.contains(id);
                let lives = self.cloud.credentials.contains_key(id);
                ensure!(known || !told || !lives, "{id} was made, and is in no state");
            }
        }
        ensure!(
            answer.error.is_some() || state.is_some_and(|state| self.proved.contains(&state.id)),
            "a create returned what was never used"
        );
        self.tally.add("creates", usize::from(answer.error.is_none()));
        Ok(())
    }

    /// A destroy touches the generations that the state knows, and has a reason.
    pub(super) fn check_destroy(
        &mut self,
        prior: &Stored,
        purpose: &Purpose<'_>,
        before: usize,
    ) -> Checked<()> {
        if let Purpose::Replacement { asked, config } = purpose {
            ensure!(
                *asked || config.overlap.is_none(),
                "replaced, though it could be rotated in place"
            );
            self.tally.add("replacements", 1);
        }
        for effect in self.cloud.log.split_off(before) {
            let Effect::Deleted(id) = effect else { return Err("a destroy makes nothing".into()) };
            ensure!(prior.ids().contains(id.as_str()), "{id} was not known");
            ensure!(!prior.strays.contains_key(&id), "{id} is a stray that nobody named");
            let held = self.consumer.as_ref() == Some(&id);
            ensure!(
                !(held && matches!(purpose, Purpose::Deposed)) || self.restored,
                "{id} is in use, and was destroyed as deposed"
            );
            self.revoked.insert(id, true);
        }
        // What it leaves behind is told by no later plan: it is the destroy that has to tell.
        let strays = self.cloud.credentials.iter().filter(|(id, credential)| {
            let ours = generation_of(&credential.name, prior.private.key).is_some();
            ours && (prior.strays.contains_key(*id) || !prior.ids().contains(id.as_str()))
        });
        self.left_behind.extend(strays.map(|(id, _)| id.clone()));
        Ok(())
    }

    /// Only what was used is handed on, and nothing that was revoked.
    pub(super) fn check_handed(&mut self, id: &str) -> Checked<()> {
        ensure!(self.proved.contains(id), "{id} was handed on unproved");
        let dead = self.revoked.get(id) == Some(&false);
        ensure!(!dead || self.restored, "{id} was handed on after it was revoked");
        self.tally.add("credentials handed on", 1);
        Ok(())
    }

    /// The consumer waits for a run that did not reach its dependents.
    pub(super) fn note_lag(&mut self, snapshot: &Snapshot) {
        let current = snapshot.instance.as_ref().map(|instance| &instance.stored.id);
        self.lagging = self.consumer.is_some() && self.consumer.as_ref() != current;
    }

    /// No credential is forgotten, unless nobody could know it: its maker was killed, or never had a reply.
    pub(super) fn check_accounted(&mut self, killed: bool) -> Checked<()> {
        if killed {
            let made = self.cloud.log.iter().filter_map(|effect| match effect {
                Effect::Issued(id) => Some(id.clone()),
                _ => None,
            });
            self.left_behind.extend(made);
        }
        let mut known = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let instance = self.snapshot.instance.as_ref().map(|instance| &instance.stored);
        for stored in instance.into_iter().chain(&self.snapshot.deposed) {
            known.extend(stored.ids());
            keys.insert(stored.private.key);
        }
        for (id, credential) in &self.cloud.credentials {
            let listable = keys.iter().any(|key| generation_of(&credential.name, *key).is_some());
            let excused = self.left_behind.contains(id) || self.cloud.unanswered.contains(id);
            ensure!(
                listable || excused || self.restored || known.contains(id.as_str()),
                "{id} ({}) is forgotten",
                credential.name
            );
        }
        Ok(())
    }

    /// What was made is in the state, if the provider could know of it.
    fn check_known<'a>(&self, made: impl Iterator<Item = &'a str>, state: &Stored) -> Checked<()> {
        let known = state.ids();
        for id in made {
            let lives = self.cloud.credentials.contains_key(id);
            let told = !self.cloud.unanswered.contains(id);
            ensure!(
                !lives || !told || known.contains(id),
                "{id} was made, and is not in the state"
            );
        }
        Ok(())
    }

    /// What lives on is told as an old generation, and what does not is not.
    fn check_kept(&self, prior: &Stored, state: &Stored, done: bool) -> Checked<()> {
        let kept = |id: &String| state.id == *id || state.previous.values().any(|it| it.id == *id);
        for id in prior.previous.values().map(|entry| &entry.id).chain([&prior.id]) {
            let lives = self.cloud.credentials.contains_key(id);
            ensure!(!lives || kept(id), "{id} lives on, and is not told as an old generation");
        }
        let retired = state.previous.values().any(|entry| entry.id == prior.id);
        let vanished = prior.rotation_due.iter().any(|(code, _)| code == "vanished");
        ensure!(!(retired && vanished), "{} is told as an old generation, and is gone", prior.id);
        let others = prior.private.others.contains(&prior.id);
        let ended = prior.private.current_expired && !others && done;
        ensure!(!(retired && ended), "{} had expired, and was kept", prior.id);
        Ok(())
    }

    fn check_reason(
        &mut self,
        prior: &Stored,
        config: &Config,
        generation: u64,
        reasons: &[Reason],
    ) -> Checked<()> {
        ensure!(!reasons.is_empty(), "generation {generation} has no reason");
        let known = prior.previous.keys().chain(prior.strays.values()).chain([&prior.generation]);
        ensure!(known.max() < Some(&generation), "generation {generation} is an old number");
        let current = self.cloud.credentials.get(&prior.id);
        let changed = config.inputs != prior.inputs;
        let due = config.rotate && current.is_some_and(|it| config.is_overdue(it, self.cloud.now));
        ensure!(
            changed || due || current.is_none(),
            "generation {generation} was not asked for: {reasons:?}"
        );
        for reason in reasons {
            let (told, holds) = match reason {
                Reason::Changed(_) => ("issued for a change", changed),
                Reason::Due(Due::Vanished) => ("issued as it had vanished", current.is_none()),
                Reason::Due(Due::Expired { deadline }) => {
                    ("issued as it had expired", *deadline <= self.cloud.now)
                }
                Reason::Due(Due::RenewBefore { deadline }) => {
                    ("issued before the expiry", *deadline <= self.cloud.now)
                }
                Reason::Due(Due::RotationPeriod { deadline }) => {
                    ("issued by age", *deadline <= self.cloud.now)
                }
                _ => return Err(format!("{reason:?} calls for no generation")),
            };
            ensure!(holds, "generation {generation} has a reason that is not so: {reason:?}");
            self.tally.add(told, 1);
        }
        Ok(())
    }

    fn check_revocation(&mut self, id: &str, prior: &Stored, config: &Config) -> Checked<()> {
        let now = self.cloud.now;
        let credential = &self.cloud.deleted[id];
        let expired = credential.expires_at.is_some_and(|expiry| expiry <= now);
        if prior.strays.contains_key(id) {
            ensure!(config.revoke_strays.contains(id), "{id} is a stray that nobody named");
            self.revoked.insert(id.to_owned(), true);
            self.tally.add("strays revoked", 1);
            return Ok(());
        }
        let kept = if id == prior.id {
            self.tally.add("expired credentials revoked at once", usize::from(expired));
            !expired
        } else {
            let entry = prior.previous.values().find(|entry| entry.id == id);
            ensure!(entry.is_some(), "{id} was not known, and was revoked");
            let retired = self.retired[id];
            let over = |overlap: Period| overlap.after(retired) <= now && config.rotate;
            self.tally.add("revocations after the overlap", 1);
            !(config.overlap.is_none_or(over) || expired && config.rotate)
        };
        ensure!(!kept, "{id} was revoked in its overlap");
        let gap = self.consumer.as_deref() == Some(id)
            && !(expired || self.lagging || self.restored || config.overlap.is_none());
        ensure!(!gap, "{id} was revoked while its consumer, who never lagged, holds it");
        self.revoked.insert(id.to_owned(), expired || config.overlap.is_none());
        Ok(())
    }
}

/// What was planned is what came.
pub(super) fn check_result(planned: &Planned, state: &Stored) -> Checked<()> {
    agree(planned, &state.attributes(), None)
}

pub(super) fn issued(step: &Step) -> Option<(u64, &[Reason])> {
    match step {
        Step::Issue { generation, reasons } => Some((*generation, reasons)),
        _ => None,
    }
}

/// Every value that was known is the same, and no path came or went unannounced.
fn agree(
    planned: &Planned,
    values: &std::collections::BTreeMap<String, String>,
    unknown: Option<&BTreeSet<String>>,
) -> Checked<()> {
    let open = |path: &str| {
        planned.unknown.iter().any(|unknown| {
            path.strip_prefix(unknown.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    for (path, value) in planned.values.iter().filter(|(path, _)| !open(path)) {
        let came = values.get(path).filter(|_| unknown.is_none_or(|paths| !paths.contains(path)));
        ensure!(came == Some(value), "{path} was planned as {value} and is {came:?}");
    }
    if planned.action != Action::Create {
        let added = values.keys().find(|path| !open(path) && !planned.values.contains_key(*path));
        ensure!(added.is_none(), "{added:?} was not planned");
    }
    Ok(())
}
