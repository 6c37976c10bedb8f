//! Where every history must end: at rest, or at a refusal that only a user can lift.

use super::checked::{Checked, ensure};
use super::files::{ApplyOptions, Instance, Outcome, Plan, PlanOptions};
use super::judge::issued;
use super::keystone::{Refusal, USERS, User};
use super::provider::Action;
use super::world::World;

impl World {
    /// Time stands still, nothing fails, and `by` goes on until there is nothing to do; or until it is clear
    /// that `by` can do nothing.
    pub(super) fn come_to_rest(&mut self, by: User) -> Checked<()> {
        const ROUNDS: usize = 8;
        let mut outcomes = Vec::new();
        let mut living = Vec::new();
        for _ in 0..ROUNDS {
            let (faults, unknown) = (Vec::new(), Vec::new());
            let options = PlanOptions { by, faults, refresh: true, replace: false, unknown };
            match self.plan(&options)? {
                Ok(plan) if plan.is_empty() => {
                    const LONGEST: usize = 4;
                    self.tally.add("histories at rest", 1);
                    self.tally.add("rounds to rest", outcomes.len());
                    if outcomes.len() > LONGEST {
                        return Err(format!("{by:?} came to rest too late: {outcomes:?}"));
                    }
                    return self.check_rest(&plan, by);
                }
                Ok(plan) => {
                    let (faults, dependents_fail, kills_all) = (Vec::new(), false, false);
                    let options = ApplyOptions { by, dependents_fail, faults, kills_all };
                    outcomes.push((plan.action, self.apply_and_count(&plan, &options)?));
                }
                Err(refusal) => outcomes.push((Action::Nothing, Outcome::Failed(refusal))),
            }
            living.push(self.cloud.credentials.len());
        }
        let last = outcomes[ROUNDS - 1];
        let stuck = living[ROUNDS - 1] == living[ROUNDS - 3] && outcomes[ROUNDS - 2] == last;
        self.tally.add("histories that need somebody else", 1);
        match last {
            (action, Outcome::Failed(refusal)) if stuck && self.excusable(action, refusal, by) => {
                Ok(())
            }
            _ => Err(format!("no rest for {by:?}: {outcomes:?}")),
        }
    }

    /// Whether a user must change something before this can work.
    fn excusable(&self, action: Action, refusal: Refusal, by: User) -> bool {
        let account = &self.cloud.accounts[&by];
        let roles = self.config.roles();
        let current = self.snapshot.instance.as_ref().map(|instance| &instance.stored);
        match refusal {
            Refusal::Conflict => self.config.argument("name_prefix") == 0,
            Refusal::Forbidden => action == Action::Replace || !self.snapshot.deposed.is_empty(),
            Refusal::NoAccess => !self.cloud.has_access(by),
            Refusal::Past => self.config.expires_at().is_some_and(|at| at <= self.cloud.now),
            Refusal::Unassigned => roles & !account.roles != 0,
            Refusal::Unproved => current.is_some_and(|stored| {
                let power = self.cloud.power(&stored.id);
                let expiry = self.cloud.credentials.get(&stored.id).and_then(|it| it.expires_at);
                action == Action::Update
                    && expiry.is_none_or(|expiry| expiry > self.cloud.now)
                    && (power == 0 || roles & !power != 0)
            }),
            Refusal::Killed | Refusal::Lost | Refusal::Stopped | Refusal::Unavailable => false,
        }
    }

    /// Where a history ends: nothing is due, nothing is left to do, by anybody.
    fn check_rest(&mut self, plan: &Plan, by: User) -> Checked<()> {
        let Some(Instance { stored, .. }) = plan.snapshot.instance.clone() else {
            return Err("at rest without a resource".into());
        };
        let now = self.cloud.now;
        let live = self.cloud.credentials.get(&stored.id).cloned();
        let current = live.ok_or_else(|| format!("{} is gone, and nobody minds", stored.id))?;
        let policy = self.config.policy();
        ensure!(
            stored.inputs == self.config.inputs,
            "the inputs are not those of the configuration"
        );
        ensure!(stored.policy == policy, "the policy is not that of the configuration");
        ensure!(
            !self.config.rotate || !self.config.is_overdue(&current, now),
            "{} is overdue, and nobody minds",
            stored.id
        );
        let expired = current.expires_at.is_some_and(|expiry| expiry <= now);
        self.cloud.begin(by, &[]);
        let holds = expired || !self.config.rotate;
        ensure!(holds || stored.rotation_due.is_empty(), "{:?} stays due", stored.rotation_due);
        for (generation, entry) in &stored.previous {
            let expiry = self.cloud.credentials.get(&entry.id).and_then(|it| it.expires_at);
            let end = policy
                .overlap
                .map_or(self.retired[&entry.id], |overlap| overlap.after(self.retired[&entry.id]));
            let end = expiry.map_or(end, |expiry| expiry.min(end));
            ensure!(
                self.restored || entry.revoke_after == end,
                "generation {generation} ends at {end}, and is told to end at {}",
                entry.revoke_after
            );
            let stays = match self.config.overlap {
                _ if expired || !self.cloud.may_touch(entry.owner) => true,
                None => false,
                Some(_) => entry.revoke_after > now || !self.config.rotate,
            };
            ensure!(stays, "generation {generation} is over, and nobody minds");
        }
        for id in self.config.revoke_strays.iter().filter(|id| stored.strays.contains_key(*id)) {
            let owner = self.cloud.credentials.get(id).map(|stray| stray.owner);
            let reachable = owner.is_some_and(|owner| self.cloud.may_touch(owner));
            ensure!(expired || !reachable, "{id} was named, and is still there");
        }
        ensure!(self.restored || self.consumer.as_ref() == Some(&stored.id), "the consumer waits");

        for by in USERS {
            for refresh in [true, false] {
                let (faults, unknown) = (Vec::new(), Vec::new());
                let options = PlanOptions { by, faults, refresh, replace: false, unknown };
                let Ok(plan) = self.plan(&options)? else { continue };
                let issues = plan.steps().iter().any(|step| issued(step).is_some());
                ensure!(
                    !issues && !matches!(plan.action, Action::Create | Action::Replace),
                    "at rest, and yet {by:?} would rotate: {:?}",
                    plan.steps()
                );
            }
        }
        Ok(())
    }
}
