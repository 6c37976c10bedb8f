//! A modelled Terraform: state and its backups, plans that are applied late, replacements in both orders,
//! and a dependent resource that hands the credential to a consumer.
//!
//! It keeps the rules that the real one enforces on providers, and lets the judge look at each call.

use super::checked::{Checked, ensure};
use super::files::{ApplyOptions, Instance, Outcome, Plan, PlanOptions, Purpose, Snapshot};
use super::judge::check_result;
use super::keystone::Refusal;
use super::provider::{Action, Answer, Provider};
use super::resource::{Config, Stored};
use super::world::World;

impl World {
    pub(super) fn plan(&mut self, options: &PlanOptions) -> Checked<Result<Plan, Refusal>> {
        self.cloud.begin(options.by, &options.faults);
        let mut snapshot = self.snapshot.clone();
        if options.refresh
            && let Some(instance) = snapshot.instance.take()
        {
            let read = match Provider::read(&instance.stored, &mut self.cloud) {
                Ok(read) => read,
                Err(refusal) => return Ok(Err(refusal)),
            };
            self.check_read(&instance.stored, read.as_ref())?;
            snapshot.instance = read.map(|stored| Instance { stored, ..instance });
        }
        let mut config = self.config.clone();
        config.unknown = options.unknown.iter().copied().collect();

        let mut plan = Plan {
            action: Action::Create,
            asked: false,
            config,
            create_before_destroy: self.create_before_destroy,
            first: None,
            seen_by: Some(options.by).filter(|_| options.refresh),
            serial: self.serial,
            snapshot,
        };
        if let Some(Instance { stored, tainted }) = &plan.snapshot.instance {
            plan.asked = options.replace || *tainted;
            let first = Provider::plan(Some(stored), &plan.config);
            plan.action = if plan.asked { Action::Replace } else { first.action };
            plan.first = Some(first).filter(|_| !tainted);
        }
        Ok(Ok(plan))
    }

    pub(super) fn apply(&mut self, plan: &Plan, options: &ApplyOptions) -> Checked<Outcome> {
        if plan.serial != self.serial {
            return Ok(Outcome::Stale);
        }
        self.cloud.begin(options.by, &options.faults);
        let mut config = plan.config.clone();
        config.unknown.clear();
        let mut snapshot = plan.snapshot.clone();
        let done = self.carry_out(plan, &config, &mut snapshot)?;
        let done = match done {
            Ok(()) if options.dependents_fail => Err(Refusal::Unavailable),
            Ok(()) => self.hand_over(&mut snapshot)?,
            failed => failed,
        };
        self.note_lag(&snapshot);
        if done == Err(Refusal::Forbidden) && plan.action == Action::Update {
            let told = plan.seen_by == Some(options.by) && snapshot.deposed.is_empty();
            ensure!(!told, "{:?} planned what {0:?} may not delete", options.by);
        }
        let killed = done == Err(Refusal::Killed);
        if killed && options.kills_all {
            // A consumer may hold what no state knows.
            self.restored |= self.consumer != self.snapshot.dependent;
        } else {
            self.save(snapshot);
        }
        self.check_accounted(killed)?;
        Ok(done.map_or_else(Outcome::Failed, |()| Outcome::Applied))
    }

    pub(super) fn save(&mut self, snapshot: Snapshot) {
        if snapshot != self.snapshot {
            self.serial += 1;
            self.backups.push(std::mem::replace(&mut self.snapshot, snapshot));
        }
    }

    /// The resource itself, up to the point where its dependents are next.
    fn carry_out(
        &mut self,
        plan: &Plan,
        config: &Config,
        snapshot: &mut Snapshot,
    ) -> Checked<Result<(), Refusal>> {
        match (plan.action, snapshot.instance.take()) {
            (Action::Nothing, instance) => {
                snapshot.instance = instance;
                Ok(Ok(()))
            }
            (Action::Update, Some(prior)) => self.update(plan, config, prior, snapshot),
            (Action::Create, _) => self.create(config, snapshot),
            (Action::Replace, Some(prior)) if plan.create_before_destroy => {
                snapshot.deposed.push(prior.stored.clone());
                let done = self.create(config, snapshot)?;
                if snapshot.instance.is_none() {
                    snapshot.deposed.pop();
                    snapshot.instance = Some(prior);
                }
                Ok(done)
            }
            (Action::Replace, Some(prior)) => {
                let purpose = Purpose::Replacement { asked: plan.asked, config };
                let answer = self.destroy(&prior.stored, &purpose)?;
                let tainted = prior.tainted;
                match answer.error {
                    Some(refusal) => {
                        let state = answer.state.filter(|_| refusal != Refusal::Killed);
                        let stored = state.unwrap_or(prior.stored);
                        snapshot.instance = Some(Instance { stored, tainted });
                        Ok(Err(refusal))
                    }
                    None => self.create(config, snapshot),
                }
            }
            (action, None) => Err(format!("{action:?} of nothing")),
        }
    }

    fn update(
        &mut self,
        plan: &Plan,
        config: &Config,
        prior: Instance,
        snapshot: &mut Snapshot,
    ) -> Checked<Result<(), Refusal>> {
        let again = Provider::plan(Some(&prior.stored), config);
        let first = plan.first.as_ref().ok_or("an update without a plan")?;
        self.check_again(first, &again)?;
        if again.action == Action::Nothing {
            snapshot.instance = Some(prior);
            return Ok(Ok(()));
        }
        let answer = Provider::update(&prior.stored, config, &mut self.cloud);
        self.check_update(&prior.stored, config, &again, &answer)?;
        let Answer { state, error } = answer;
        let state = state.filter(|_| error != Some(Refusal::Killed));
        if let (Some(state), None) = (&state, error) {
            check_result(first, state)?;
            check_result(&again, state)?;
        }
        let stored = state.unwrap_or(prior.stored);
        snapshot.instance = Some(Instance { stored, tainted: false });
        Ok(error.map_or(Ok(()), Err))
    }

    fn create(&mut self, config: &Config, snapshot: &mut Snapshot) -> Checked<Result<(), Refusal>> {
        let planned = Provider::plan(None, config);
        let answer = Provider::create(config, &mut self.cloud);
        self.check_create(&answer)?;
        let Answer { state, error } = answer;
        let state = state.filter(|_| error != Some(Refusal::Killed));
        if let (Some(state), None) = (&state, error) {
            check_result(&planned, state)?;
        }
        let tainted = error.is_some();
        snapshot.instance = state.map(|stored| Instance { stored, tainted });
        Ok(error.map_or(Ok(()), Err))
    }

    /// The dependents get what the state holds; then what was replaced may go.
    fn hand_over(&mut self, snapshot: &mut Snapshot) -> Checked<Result<(), Refusal>> {
        let id = snapshot.instance.as_ref().map(|instance| instance.stored.id.clone());
        if let Some(id) = id.filter(|id| snapshot.dependent.as_ref() != Some(id)) {
            self.check_handed(&id)?;
            self.consumer = Some(id.clone());
            snapshot.dependent = Some(id);
        }
        while let Some(deposed) = snapshot.deposed.first().cloned() {
            let answer = self.destroy(&deposed, &Purpose::Deposed)?;
            if let Some(refusal) = answer.error {
                let state = answer.state.filter(|_| refusal != Refusal::Killed);
                snapshot.deposed[0] = state.unwrap_or(deposed);
                return Ok(Err(refusal));
            }
            snapshot.deposed.remove(0);
        }
        Ok(Ok(()))
    }

    /// `terraform destroy`: the dependents first.
    pub(super) fn destroy_all(&mut self, options: &ApplyOptions) -> Checked<Outcome> {
        self.cloud.begin(options.by, &options.faults);
        let mut snapshot = self.snapshot.clone();
        snapshot.dependent = None;
        self.consumer = None;
        let mut outcome = Outcome::Applied;
        if let Some(Instance { stored, tainted }) = snapshot.instance.take() {
            let answer = self.destroy(&stored, &Purpose::Destroy)?;
            if let Some(refusal) = answer.error {
                let state = answer.state.filter(|_| refusal != Refusal::Killed);
                let stored = state.unwrap_or(stored);
                snapshot.instance = Some(Instance { stored, tainted });
                outcome = Outcome::Failed(refusal);
            }
        }
        self.save(snapshot);
        self.check_accounted(false)?;
        Ok(outcome)
    }

    fn destroy(&mut self, stored: &Stored, purpose: &Purpose<'_>) -> Checked<Answer> {
        let before = self.cloud.log.len();
        let answer = Provider::destroy(stored, &mut self.cloud);
        self.check_destroy(stored, purpose, before)?;
        Ok(answer)
    }
}
