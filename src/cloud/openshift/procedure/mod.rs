//! The maintenance procedure: from what was seen and what this rotation has asked for so far to the one thing that is
//! done next. Pure, so that whatever happens between two steps (a kill, a lost answer, somebody else's hand) the next
//! step follows from what is there, never from what should be.
//!
//! A secret is deleted only while it is the object from before the rotation: one that was made again never is.

mod afterwards;
mod flight;
mod trouble;
mod waiting;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::health;
use super::mapping::{Difference, How, differences};
use super::mode::{Configured, annotation};
use super::name::Name;
use super::objects::Data;
use super::platform::Platform;
use super::proof::Unproven;
use super::refusal::Route;
use super::root::NewRoot;
use super::situation::Situation;
use super::targets::targets;
use flight::request;
pub use flight::{Flight, MARK, Run};
pub use trouble::{Stopped, Trouble, Uncopied};

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Task<'t> {
    pub platform: Platform,
    /// None: the root credential that is there is used.
    pub new_root: Option<&'t NewRoot>,
    pub remove_root_after: bool,
    pub limits: Limits,
}

/// How long each thing may take before the rotation stops.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The operator's silence. Another one takes over six and a half minutes after one has died.
    pub silence: SignedDuration,
    /// The operator's complaints: it tries again by itself, and a cloud may need some time to know a new key.
    pub failing: SignedDuration,
    /// Before a request that gets nowhere is touched, which ends the operator's back-off.
    pub poke: SignedDuration,
    /// The kube controller manager, node by node.
    pub redeployment: SignedDuration,
    /// The cluster's operators.
    pub consumers: SignedDuration,
    /// How long they must stay well: they notice a new secret a little later.
    pub settle: SignedDuration,
}

/// The next step.
#[derive(Clone, Debug)]
pub enum Action {
    /// Note in the cluster what was before.
    Mark {
        request: Name,
        mark: String,
    },
    /// Change these keys of the root secret, from this version; None: make it.
    WriteRoot {
        data: Data,
        version: Option<String>,
    },
    Delete {
        secret: Name,
        uid: String,
    },
    /// Touch a request, so that the operator looks at it.
    Poke {
        request: Name,
    },
    Redeploy {
        reason: String,
    },
    RemoveRoot {
        uid: String,
    },
    Unmark {
        request: Name,
    },
    /// Look again a little later.
    /// `seen`: what there would be to say if the wait ended now.
    Wait {
        what: String,
        seen: Option<Box<Stopped>>,
    },
    Stop(Box<Stopped>),
    Done(Outcome),
}

/// What a complete rotation has proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Component secrets with a new credential of their own, or a copy of the root's.
    pub components: Vec<Name>,
    /// Operators that were unwell before and still are: not waited for.
    pub unwell: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: SignedDuration::from_mins(10),
            failing: SignedDuration::from_mins(2),
            poke: SignedDuration::from_secs(5),
            redeployment: SignedDuration::from_mins(30),
            consumers: SignedDuration::from_mins(10),
            settle: SignedDuration::from_secs(5),
        }
    }
}

/// What is done next. Whoever does it tells the flight by [`Flight::did`], looks again and asks again.
pub fn next(task: &Task<'_>, situation: &Situation, flight: &mut Flight, now: Timestamp) -> Action {
    let mut step = Step { task, situation, flight, now };
    match step.rotate() {
        Ok(outcome) => Action::Done(outcome),
        Err(action) => action,
    }
}

impl Flight {
    /// An action was carried out, or is about to be: called before what cannot be undone.
    pub fn did(&mut self, action: &Action, situation: &Situation) {
        match action {
            Action::Delete { secret, .. } => {
                self.deleted.insert(secret.clone());
            }
            Action::Poke { request } => {
                self.run.poked.insert(request.clone());
            }
            Action::Redeploy { reason } => {
                let manager = situation.kube_controller_manager.as_ref();
                let newest = manager.map_or(0, |manager| manager.status.latest_available_revision);
                self.redeployment = Some((reason.clone(), newest));
            }
            Action::WriteRoot { .. } => {
                self.run.wrote_root = true;
                // Whatever was redeployed was for the former one.
                self.redeployment = None;
            }
            _ => {}
        }
    }
}

struct Step<'s> {
    task: &'s Task<'s>,
    situation: &'s Situation,
    flight: &'s mut Flight,
    now: Timestamp,
}

/// Nothing left to do here, or what is to be done first.
type Progress<T = ()> = Result<T, Action>;

impl Step<'_> {
    fn rotate(&mut self) -> Progress<Outcome> {
        self.is_still_in_its_mode()?;
        let components = match self.flight.route {
            Route::Mint => self.mint()?,
            Route::Passthrough => self.pass_through()?,
        };
        self.redeploy()?;
        self.wait_for_consumers()?;
        self.remove_root()?;
        self.unmark()?;
        let unwell = health::unwell(&self.situation.operators).into_keys().collect();
        Ok(Outcome { components, unwell })
    }

    /// The operator's configuration; what it makes of the root credential comes later.
    fn is_still_in_its_mode(&self) -> Progress {
        let fits = match Configured::of(self.situation) {
            Configured::Default => true,
            Configured::Mint => self.flight.route == Route::Mint || !self.task.platform.is_judged(),
            Configured::Passthrough => self.flight.route == Route::Passthrough,
            Configured::Conflict | Configured::Manual => false,
        };
        if fits { Ok(()) } else { Err(self.turned()) }
    }

    fn mint(&mut self) -> Progress<Vec<Name>> {
        let (done, left) = self.remade();
        let Some(name) = left.first().cloned() else {
            // Made again by whomever: the root credential is still to be the one that is wanted.
            if self.situation.root.is_some() || !self.task.remove_root_after {
                self.write_root(false)?;
            }
            return Ok(done);
        };
        self.write_root(true)?;
        self.wait_for_verdict()?;
        self.wait_until_considered(&left)?;
        self.mark()?;
        self.remake(&name)
    }

    /// The secrets that are proven to be new, and the others; those that nobody asks for any more are neither.
    fn remade(&self) -> (Vec<Name>, Vec<Name>) {
        let wanted = self.flight.order.iter().filter(|name| self.is_wanted(name));
        wanted.cloned().partition(|name| self.proof(name).is_ok())
    }

    fn is_wanted(&self, name: &Name) -> bool {
        let before = self.flight.before.get(name);
        before.and_then(|before| request(self.situation, &before.request)).is_some_and(|request| {
            request.metadata.deletion_timestamp.is_none() && request.secret().as_ref() == Ok(name)
        })
    }

    fn proof(&self, name: &Name) -> Result<(), Unproven> {
        let before = self.flight.before.get(name).ok_or(Unproven::Missing)?;
        let request = request(self.situation, &before.request).ok_or(Unproven::Missing)?;
        let secret = self.situation.components.get(name);
        let salt = &self.flight.salt;
        before.is_remade(self.task.platform, salt, self.situation, request, secret)
    }

    /// Immediately before the first deletion: a rotation that stops earlier leaves nothing behind but the root
    /// credential.
    fn mark(&self) -> Progress {
        let Some(name) = self.flight.marked_request() else { return Ok(()) };
        // Where the request is gone there is nobody to carry it; the uids still keep anything from going twice.
        let Some(request) = request(self.situation, name) else { return Ok(()) };
        if request.metadata.annotation(MARK).is_some() {
            return Ok(());
        }
        let mark = Flight { deleted: BTreeSet::new(), ..self.flight.clone() }.mark();
        Err(Action::Mark { request: name.clone(), mark })
    }

    /// Once in each run; in mint mode also where nothing changes, so that the operator judges it before the first
    /// deletion depends on it.
    fn write_root(&self, judge: bool) -> Progress {
        let platform = self.task.platform;
        let root = self.situation.root.as_ref();
        let changes = self.task.new_root.map_or_else(Data::new, |new| new.changes(root));
        match root {
            None if self.flight.run.wrote_root || self.task.new_root.is_none() => {
                Err(self.stop(Trouble::RootGone { platform }))
            }
            None => Err(Action::WriteRoot { data: changes, version: None }),
            Some(_) if self.flight.run.wrote_root && !changes.is_empty() => {
                let keys = changes.into_keys().collect();
                Err(self.stop(Trouble::RootChanged { platform, keys }))
            }
            Some(root) if !changes.is_empty() || judge && !self.flight.run.wrote_root => {
                let version = Some(root.metadata.resource_version.clone());
                Err(Action::WriteRoot { data: changes, version })
            }
            Some(_) => Ok(()),
        }
    }

    fn wait_for_verdict(&mut self) -> Progress {
        let platform = self.task.platform;
        if !platform.is_judged() {
            return Ok(());
        }
        let verdict = annotation(self.situation).map(str::to_ascii_lowercase);
        match (verdict.as_deref(), self.flight.route) {
            (Some("mint"), Route::Mint) | (Some("passthrough"), Route::Passthrough) => Ok(()),
            (Some("mint" | "passthrough"), _) => Err(self.turned()),
            (Some("insufficient"), _) => {
                Err(self.wait("the operator's verdict", true, Trouble::Insufficient { platform }))
            }
            _ => {
                let operator = self.operator();
                Err(self.wait(
                    "the operator's verdict",
                    false,
                    Trouble::NoVerdict { platform, operator },
                ))
            }
        }
    }

    /// Until the operator has looked at this very root credential for every component that is left. It proves nothing
    /// of the credential, but that the operator is there: what is deleted without it stays away.
    fn wait_until_considered(&mut self, left: &[Name]) -> Progress {
        let version = self.situation.root_version().unwrap_or_default().to_owned();
        let untouched = left.iter().filter(|name| !self.flight.deleted.contains(*name));
        let behind: Vec<Name> = untouched
            .filter_map(|name| self.flight.before.get(name))
            .filter(|before| {
                let request = request(self.situation, &before.request);
                request.is_some_and(|request| request.status.root_version != version)
            })
            .map(|before| before.request.clone())
            .collect();
        if behind.is_empty() {
            return Ok(());
        }
        let failing = behind.iter().any(|name| self.failure(name).is_some());
        let requests = behind
            .iter()
            .map(|name| match self.failure(name) {
                Some(condition) => format!("{name} ({condition})"),
                None => name.to_string(),
            })
            .collect();
        let operator = self.operator();
        let trouble = Trouble::NotConsidered { requests, operator };
        Err(self.wait_or_poke(
            "the operator to look at the root credential",
            &behind,
            failing,
            trouble,
        ))
    }

    fn remake(&mut self, name: &Name) -> Progress<Vec<Name>> {
        let why = match self.proof(name) {
            Ok(()) => return Ok(Vec::new()),
            Err(why) => why,
        };
        let Some(before) = self.flight.before.get(name).cloned() else { return Ok(Vec::new()) };
        let what = format!("the secret {name}");
        let request = before.request.clone();
        match (why, before.uid) {
            (Unproven::SameObject, Some(uid)) => Err(Action::Delete { secret: name.clone(), uid }),
            (why @ (Unproven::Foreign(_) | Unproven::SameKey), _) => {
                let why = why.to_string();
                Err(self.stop(Trouble::Wrong { secret: name.clone(), request, why }))
            }
            (why, _) => {
                let condition = self.failure(&request).cloned();
                let trouble = Trouble::NotRemade {
                    secret: name.clone(),
                    request: request.clone(),
                    why: why.to_string(),
                    condition: condition.clone(),
                    operator: self.operator(),
                };
                Err(self.wait_or_poke(&what, &[request], condition.is_some(), trouble))
            }
        }
    }

    fn pass_through(&mut self) -> Progress<Vec<Name>> {
        self.write_root(false)?;
        self.wait_for_verdict()?;
        let (copied, uncopied) = self.copied();
        if !uncopied.is_empty() {
            let requests: Vec<Name> =
                uncopied.iter().filter_map(|one| one.request.parse().ok()).collect();
            let failing = uncopied.iter().any(|one| one.condition.is_some());
            let trouble = Trouble::NotCopied(uncopied);
            return Err(self.wait_or_poke(
                "the copies of the root credential",
                &requests,
                failing,
                trouble,
            ));
        }
        // The operator may write the root secret once more by itself, and then all the copies.
        let version = self.situation.root_version().map(str::to_owned);
        if self.flight.run.confirmed != version {
            self.flight.run.confirmed = version;
            return Err(Action::Wait {
                what: "a second look at the copies".to_owned(),
                seen: None,
            });
        }
        Ok(copied)
    }

    fn copied(&self) -> (Vec<Name>, Vec<Uncopied>) {
        let (mut copied, mut uncopied) = (Vec::new(), Vec::new());
        let root = self.situation.root.as_ref().map(|root| &root.data);
        for target in targets(self.situation) {
            let (Some(secret), Some(root)) = (target.secret(), root) else { continue };
            let condition = target.request.failure().cloned();
            let differences = match self.situation.components.get(&secret) {
                Some(component) => differences(self.task.platform, root, &component.data),
                None => vec![Difference { key: "the secret".to_owned(), how: How::Missing }],
            };
            if differences.is_empty() && condition.is_none() {
                copied.push(secret);
            } else {
                let request = target.request.called();
                uncopied.push(Uncopied { request, secret, differences, condition });
            }
        }
        (copied, uncopied)
    }
}

#[cfg(test)]
mod tests;
