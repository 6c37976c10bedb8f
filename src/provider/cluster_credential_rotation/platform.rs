//! What a platform gives: the seam between the course of a rotation, which is the same for all, and what one platform
//! does for it. Which there are is in `platforms`.
//!
//! A [`Platform`] is pure: it knows its block and nothing of the cloud. Opened, it becomes a [`Cluster`], which looks,
//! sends and proves. Neither decides: what a look means is for `rotation::course`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::timeouts::Defaults;
use crate::rotation::Change;
use crate::rotation::course::{Phase, Standing, Trace};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::Attr;

/// Inputs besides `triggers` whose change calls for a rotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    pub changes: Vec<Change>,
    /// Whose values are not known yet.
    pub unknown: Vec<&'static str>,
}

/// A platform with its block: pure.
#[async_trait]
pub trait Platform: std::fmt::Debug + Send + Sync {
    /// The name of its block, which tags the private data.
    fn name(&self) -> &'static str;

    /// What is wrong with the configuration, as far as it can be known offline.
    fn validate(&self, config: &ClusterRotation) -> Vec<Diagnostic>;

    /// The attributes that it fills; all others stay null.
    fn facts(&self) -> &'static [Fact];

    /// Those of them that a rotation changes.
    fn changed_by_rotation(&self) -> &'static [Fact];

    /// Those by which a rotation is known from the next. They stay as they were while one may have happened of which
    /// nobody can answer yet, as they are all that a process which dies leaves behind.
    fn evidence(&self) -> &'static [Fact] {
        &[]
    }

    /// The phase in which an apply that rotates ends; None where that cannot be said before.
    fn ends_in(&self) -> Option<Phase>;

    /// How long operations may take.
    fn timeouts(&self) -> Defaults;

    /// Where the block means another object than the state's: those arguments cannot change in place.
    fn replaced(&self, prior: &ClusterRotation, memory: &Value) -> Vec<AttributePath>;

    /// What calls for a rotation besides `triggers`. `imported`: what the state does not know is recorded.
    fn inputs(&self, prior: &ClusterRotation, imported: bool) -> Inputs {
        let _ = (prior, imported);
        Inputs::default()
    }

    /// What a rotation will restart, as far as it is known; null where nothing.
    fn restarts(&self, memory: &Value) -> Attr<Vec<String>> {
        let _ = memory;
        Attr::Null
    }

    /// For texts that name the object without asking anybody: `the cluster "prod" (91b6…)`.
    fn called(&self, known: Known<'_>) -> String;

    /// Whether which cluster it is will be known only in apply.
    fn is_unnamed(&self) -> bool {
        false
    }

    /// The warning of an expiry that comes soon, if one does.
    fn expiring(&self, known: Known<'_>, now: Timestamp) -> Option<Diagnostic> {
        let _ = (known, now);
        None
    }

    /// What a change of the configuration that rotates nothing leads to, where that is not plain.
    fn changed(&self, known: Known<'_>, config: &ClusterRotation) -> Vec<Diagnostic> {
        let _ = (known, config);
        Vec::new()
    }

    /// What keeps the overlap from being ended now, by what the state tells: an error of the plan.
    fn too_young(&self, known: Known<'_>, now: Timestamp) -> Option<Diagnostic> {
        let _ = (known, now);
        None
    }

    /// Whether a rotation that a dead run has made can be proven although nobody asks for it any more.
    fn counts_dead_runs(&self) -> bool {
        true
    }

    /// What a destroy leaves as it is.
    fn stays(&self, known: Known<'_>) -> String;

    /// Logs in and finds the object.
    async fn open(&self, cx: &Context, which: Which<'_>) -> Result<Opened>;
}

/// What the state knows of the object.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub state: &'a ClusterRotation,
    /// What [`Cluster::memory`] gave.
    pub memory: &'a Value,
}

/// Which object is opened, and how fresh a look it takes.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The one that the block names, asked anew.
    Named,
    /// The state's, for looking: a copy that the walk shares will do.
    LookedAt(Known<'a>),
    /// The state's, asked anew: something is about to be done to it.
    ActedOn(Known<'a>),
}

impl<'a> Which<'a> {
    pub fn known(self) -> Option<Known<'a>> {
        match self {
            Self::Named => None,
            Self::LookedAt(known) | Self::ActedOn(known) => Some(known),
        }
    }
}

/// What opening came to.
#[derive(Debug)]
pub enum Opened {
    Here(Box<dyn Cluster>),
    /// A setting of the provider is not known before apply.
    NotYet(String),
    /// The platform itself says that this object exists no more.
    Gone(Diagnostic),
    /// It cannot be seen by this login, which proves nothing: a warning, and the state is kept.
    Hidden(Diagnostic),
}

impl Opened {
    /// Where nothing can be done without it.
    pub fn now(self) -> Result<Box<dyn Cluster>> {
        match self {
            Self::Here(cluster) => Ok(cluster),
            Self::NotYet(setting) => Err(Diagnostic::error(
                "The provider's configuration is not known yet",
                format!(
                    "The setting {setting} of the provider gets its value only at apply, and this cannot wait until then.\n\nApply \
                     what it comes from first (-target), or give it a value that is known."
                ),
            )
            .into()),
            Self::Gone(why) | Self::Hidden(why) => {
                let severity = crate::tfplugin::diagnostics::Severity::Error;
                Err(Diagnostic { severity, ..why }.into())
            }
        }
    }
}

/// When it is asked what keeps a login from rotating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At plan, of a rotation that is the next thing that happens.
    Planning,
    /// At plan, of one that comes after the rotation in hand: that this one keeps the cluster busy is no refusal.
    PlanningAfterwards,
    /// By apply, immediately before it sends: then with everything that can be known before.
    Sending,
}

impl When {
    pub fn sends(self) -> bool {
        self == Self::Sending
    }
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Look {
    /// For the state.
    pub facts: Facts,
    /// What tells one credential from the next; None where this login cannot see it.
    pub signs: Option<Value>,
    /// The login that looked could have made what it sees.
    pub own: bool,
    /// The phase that the platform itself shows of the last rotation; None where it shows none.
    pub phase: Option<Phase>,
    /// How long a credential of this kind lives, from its beginning to its expiry.
    pub lifetime: Option<jiff::SignedDuration>,
}

/// Values for the state; what is not here stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Facts(pub Vec<(Fact, Value)>);

impl Facts {
    pub fn set(&mut self, fact: Fact, value: impl serde::Serialize) {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.0.retain(|(known, _)| *known != fact);
        self.0.push((fact, value));
    }

    /// Writes them into the state.
    pub fn write(&self, state: &mut ClusterRotation) {
        self.write_but(&[], state);
    }

    /// Writes all but these into the state.
    pub fn write_but(&self, kept: &[Fact], state: &mut ClusterRotation) {
        for (fact, value) in self.0.iter().filter(|(fact, _)| !kept.contains(fact)) {
            fact.write(state, value);
        }
    }
}

/// How a stage ends.
#[derive(Debug)]
pub enum Advance {
    /// There is more to do, in this phase.
    More(Phase),
    /// The platform waits, in this phase; the apply is over.
    Rests(Phase),
    Done(Proof),
}

/// That a rotation is complete. Only a platform can say so, after it has looked.
#[derive(Debug)]
pub struct Proof(());

impl Proof {
    /// For platforms, and only after a look: what was seen is the caller's to answer for.
    pub(in crate::provider::cluster_credential_rotation) fn seen() -> Self {
        Self(())
    }
}

/// How an effect failed: what is certain decides what the next apply does.
#[derive(Debug)]
pub enum Failure {
    /// Nothing was sent, or it was refused: all is as before.
    Refused(Diagnostics),
    /// It was sent, and nobody knows what became of it. The next apply looks for it.
    Unknown(Diagnostics),
    /// It was accepted and is not complete. The next apply takes it up and sends nothing again.
    Unfinished(Diagnostics),
    /// It was accepted, and the platform says that it is over without success. The next apply begins anew.
    Ended(Diagnostics),
}

impl Failure {
    pub fn why(self) -> Diagnostics {
        match self {
            Self::Refused(why) | Self::Unknown(why) | Self::Unfinished(why) | Self::Ended(why) => {
                why
            }
        }
    }
}

/// One stage of a rotation that is under way.
#[derive(Debug)]
pub struct Stage<'a> {
    pub cx: &'a Context,
    pub phase: Phase,
    /// The resource is being created: an error would taint it, and the next apply would rotate again.
    pub creates: bool,
    pub sent_at: Timestamp,
    /// The platform's own notes of this rotation: what was before, how far it is. Saved after each stage.
    pub notes: &'a mut Value,
    pub facts: &'a mut Facts,
    /// The state as it will be: what the plan has promised stands in it.
    pub state: &'a ClusterRotation,
}

/// An object of a platform, found by this login.
#[async_trait]
pub trait Cluster: std::fmt::Debug + Send + Sync {
    /// The name of the platform's block.
    fn platform(&self) -> &'static str;

    /// The attribute `id`.
    fn id(&self) -> String;

    /// For texts: `the cluster "prod" (91b6…)`.
    fn called(&self) -> String;

    /// What plans and later runs shall know of it without asking anybody.
    fn memory(&self) -> Value;

    /// What is there.
    async fn look(&self, cx: &Context, state: &ClusterRotation) -> Result<Look>;

    /// What told the credential from others, as the state's attributes have it. Pure.
    fn signs_of(&self, state: &ClusterRotation) -> Option<Value>;

    /// What the signs of then and a look of now say. Pure.
    fn standing(&self, then: Option<&Value>, now: &Look) -> Standing;

    /// What keeps this login from rotating.
    async fn refusals(&self, cx: &Context, when: When) -> Vec<Diagnostic>;

    /// What keeps the overlap from being ended now, asked at plan; with what is no more than a warning.
    async fn against_completing(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// What a planned rotation brings that the plan's lines do not show.
    async fn forewarn(&self, cx: &Context, known: Option<Known<'_>>) -> Vec<Diagnostic>;

    /// Notes for a rotation that is about to be sent: what is there before it.
    async fn mark(&self, state: &ClusterRotation) -> Result<Value>;

    /// Notes for one that was found, of which nothing from before is known but the signs of then.
    fn found(&self, state: &ClusterRotation, then: Option<&Value>) -> Value;

    /// Sends it, once.
    async fn send(
        &self,
        cx: &Context,
        state: &ClusterRotation,
        notes: &mut Value,
    ) -> Result<(), Failure>;

    /// Whether one that was sent has left a trace.
    async fn trace(&self, notes: &Value) -> Result<Trace>;

    /// From when on one that was sent and left no trace never took effect.
    fn settled_by(&self, sent_at: Timestamp) -> Timestamp;

    /// Does the next stage, or waits for it.
    async fn advance(&self, stage: &mut Stage<'_>) -> Result<Advance, Failure>;

    /// Ends the overlap, on platforms that have one.
    async fn complete(&self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        let _ = stage;
        Err(Failure::Refused(
            Diagnostic::error(
                "There is no overlap to complete",
                format!("On this platform a rotation of {} completes by itself.", self.called()),
            )
            .at_attribute("complete_generation")
            .into(),
        ))
    }
}
