//! How the procedure waits and stops, and what it says of it.

use super::super::mode::Mode;
use super::super::name::Name;
use super::super::objects::Condition;
use super::super::root::NewRoot;
use super::flight::request;
use super::{Action, Step, Stopped, Trouble};

impl Step<'_> {
    pub(super) fn failure(&self, name: &Name) -> Option<&Condition> {
        request(self.situation, name)?.failure()
    }

    /// What is to be said of the operator where it is silent; None where it seems to run.
    pub(super) fn operator(&self) -> Option<String> {
        match &self.situation.operator {
            None => Some("There is no Deployment cloud-credential-operator".to_owned()),
            Some(deployment) if !deployment.is("Available") => {
                let why = deployment.condition("Available");
                let why = why.map_or_else(|| "not known".to_owned(), ToString::to_string);
                Some(format!("Its Deployment cloud-credential-operator is not available: {why}"))
            }
            Some(_) => None,
        }
    }

    pub(super) fn turned(&self) -> Action {
        let to = Mode::of(self.situation);
        self.stop(Trouble::Turned { from: self.flight.route.name(), to })
    }

    /// Waits; first touches those of `requests` that were not touched yet, where patience alone is not enough.
    pub(super) fn wait_or_poke(
        &mut self,
        what: &str,
        requests: &[Name],
        failing: bool,
        trouble: Trouble,
    ) -> Action {
        let (waited, _) = self.flight.waited(what, failing, self.now);
        let poked = &self.flight.run.poked;
        let unpoked = requests.iter().find(|request| !poked.contains(*request));
        match unpoked {
            Some(request) if waited >= self.task.limits.poke => {
                Action::Poke { request: request.clone() }
            }
            _ => self.wait(what, failing, trouble),
        }
    }

    pub(super) fn wait(&mut self, what: &str, failing: bool, trouble: Trouble) -> Action {
        let limits = &self.task.limits;
        let longest = match &trouble {
            Trouble::NotRedeployed(_) => limits.redeployment,
            Trouble::NotSettled(_) => limits.consumers,
            _ => limits.silence,
        };
        let (waited, failed) = self.flight.waited(what, failing, self.now);
        if waited >= longest || failed >= limits.failing && failing {
            return self.stop(trouble);
        }
        Action::Wait { what: what.to_owned(), seen: Some(self.stopped(trouble)) }
    }

    pub(super) fn stop(&self, trouble: Trouble) -> Action {
        Action::Stop(self.stopped(trouble))
    }

    pub(super) fn stopped(&self, trouble: Trouble) -> Box<Stopped> {
        let (done, left) = self.remade();
        let untouched = |name: &Name| {
            let uid = self.situation.components.get(name).map(|secret| &secret.metadata.uid);
            self.flight.before.get(name).is_some_and(|before| before.uid.as_ref() == uid)
        };
        let untouched = left.into_iter().filter(untouched).collect();
        let root = self.situation.root.as_ref();
        let is_there = |new: &NewRoot| root.is_some() && new.changes(root).is_empty();
        let root_replaced = self.task.new_root.is_some_and(is_there).then_some(self.task.platform);
        Box::new(Stopped { trouble, done, untouched, root_replaced })
    }
}
