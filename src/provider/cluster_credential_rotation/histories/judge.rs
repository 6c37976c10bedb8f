//! What happens in a history, and what must hold whatever does:
//!
//! - a rotation is sent at most once for each time it was asked for, but for runs that left no evidence and drivers
//!   that said they failed;
//! - what was asked for is never swallowed: at rest the credential is younger than the last asking;
//! - a schedule never sends two within its period;
//! - nothing is called complete while the driver works or has failed;
//! - every history comes to rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::cloud::Cloud;
use super::terraform::{Options, PlanFile, Run, Workspace};
use crate::clock;
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::rotation::course::Phase;
use crate::tfplugin::model::Attr;

#[derive(Clone, Debug)]
pub enum Event {
    Apply(Options),
    ApplySaved(Options),
    ByHand,
    Period(Option<i64>),
    Plan(bool),
    /// The triggers are set back to what the state has.
    PutBack,
    RefreshOnly,
    Rotate(bool),
    Save(bool),
    Taint,
    Trigger,
    /// Hours.
    Wait(i64),
}

#[derive(Debug)]
pub struct World {
    cloud: Arc<Cloud>,
    workspace: Workspace,
    saved: Option<PlanFile>,
    ahead: SignedDuration,
    triggers: u64,
    /// When somebody asked last: by a trigger, a taint, or by a create that rotates.
    asked_at: Option<Timestamp>,
    askings: usize,
    /// Runs that may have sent and left nothing by which the next one could know.
    without_evidence: usize,
    /// A process died in an update, and no update has ended since: then one by hand may be taken for its own.
    died: bool,
    pub tally: BTreeMap<&'static str, usize>,
}

impl World {
    pub fn new(rotate_on_create: bool) -> Self {
        clock::shift(SignedDuration::ZERO);
        let cloud = Arc::new(Cloud::new());
        let config = ClusterRotation {
            rotate_on_create: Attr::Known(rotate_on_create),
            ..ClusterRotation::default()
        };
        let workspace = Workspace::new(&cloud, config);
        Self {
            cloud,
            workspace,
            saved: None,
            ahead: SignedDuration::ZERO,
            triggers: 0,
            asked_at: None,
            askings: 0,
            without_evidence: 0,
            died: false,
            tally: BTreeMap::new(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn pass(&mut self, time: SignedDuration) {
        self.ahead += time;
        clock::shift(self.ahead);
        // A slow driver has all the time in the world.
        for _ in 0..5 {
            self.cloud.tick();
        }
    }

    pub async fn happen(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Apply(options) => {
                if let Some(plan) = self.workspace.plan(options.refresh).await {
                    Box::pin(self.apply(plan, options)).await?;
                }
            }
            Event::ApplySaved(options) => {
                if let Some(plan) = self.saved.take() {
                    Box::pin(self.apply(plan, options)).await?;
                }
            }
            Event::ByHand => {
                self.cloud.truth().by_hand();
                self.count("rotations by hand");
            }
            Event::Period(days) => {
                let period = days.map(|days| format!("{days}d"));
                self.workspace.config.rotation_period = period.into();
            }
            Event::Plan(refresh) => {
                let _ = self.workspace.plan(*refresh).await;
            }
            Event::PutBack => {
                if let Some(stored) =
                    self.workspace.stored.clone().filter(|_| !self.workspace.tainted)
                    && stored.state.triggers != self.workspace.config.triggers
                {
                    self.workspace.config.triggers = stored.state.triggers;
                    self.asked_at = None;
                    // A saved plan may still do it, and then this asks for another.
                    self.askings += 1;
                    self.count("askings taken back");
                }
            }
            Event::RefreshOnly => self.workspace.refresh_only().await,
            Event::Rotate(rotate) => self.workspace.config.rotate = Attr::Known(*rotate),
            Event::Save(refresh) => self.saved = self.workspace.plan(*refresh).await,
            Event::Taint => {
                if self.workspace.stored.is_some() && !self.workspace.tainted {
                    self.workspace.taint();
                    if self.workspace.config.rotates_on_create() {
                        self.asks();
                    } else {
                        // With it goes what the triggers had asked for.
                        self.asked_at = None;
                    }
                }
            }
            Event::Trigger => {
                self.triggers += 1;
                let value = Attr::Known(self.triggers.to_string());
                self.workspace.config.triggers = Attr::Known([("n".to_owned(), value)].into());
                // A create that does not rotate records them, also where it replaces a tainted one.
                let records = self.workspace.tainted && !self.workspace.config.rotates_on_create();
                if self.workspace.stored.is_some() && !records {
                    self.asks();
                } else {
                    // A saved plan may still make it one.
                    self.askings += 1;
                }
            }
            Event::Wait(hours) => self.pass(SignedDuration::from_hours(*hours)),
        }
        Ok(())
    }

    fn asks(&mut self) {
        // What a run that died was asked for went with it: a second asking cannot be told from the first.
        if !self.died {
            self.asked_at = Some(clock::now());
        }
        self.askings += 1;
        self.count("askings");
        // Two askings in one second cannot be told apart by whole seconds.
        self.pass(SignedDuration::from_mins(5));
    }

    async fn apply(&mut self, plan: PlanFile, options: &Options) -> Result<(), String> {
        self.count("applies");
        let creates = self.workspace.stored.is_none() || self.workspace.tainted;
        if self.workspace.stored.is_none() && self.workspace.config.rotates_on_create() {
            self.askings += 1;
        }
        let sent = self.cloud.truth().sent.len();
        let run = Box::pin(self.workspace.apply(plan, options)).await?;
        let more = self.cloud.truth().sent.len() - sent;
        for _ in 0..more {
            self.count("rotations sent");
        }
        match run {
            Run::Died => {
                self.count("applies that died");
                if options.kills_all || creates {
                    self.without_evidence += more;
                }
                // Its asking stays, whatever of it was done.
                if creates {
                    self.askings += 1;
                }
                self.died |= !options.kills_all && !creates;
            }
            // Empty: nothing is asked for, and what is asked for later is asked for anew.
            Run::Done | Run::Empty => self.died = false,
            Run::Failed => {
                self.count("applies that failed");
                if creates && self.workspace.stored.is_none() {
                    self.askings += 1;
                }
            }
            Run::Stale => {}
        }
        if run == Run::Done {
            self.judge_completion()?;
        }
        if self.workspace.stored.as_ref().is_some_and(|stored| stored.state.at() == Phase::Rotating)
        {
            self.count("rotations of which nobody knew");
        }
        self.judge_schedule()
    }

    /// Done takes a proof.
    fn judge_completion(&self) -> Result<(), String> {
        let Some(stored) = &self.workspace.stored else { return Ok(()) };
        if stored.state.at() != Phase::Completed {
            return Ok(());
        }
        if stored.private.flight.is_some() {
            return Err("called complete and still in flight".into());
        }
        if self.cloud.truth().working.is_some() {
            return Err("called complete while the driver works".into());
        }
        Ok(())
    }

    /// A schedule counts from the sending.
    fn judge_schedule(&mut self) -> Result<(), String> {
        let (early, scheduled) = {
            let truth = self.cloud.truth();
            let shortest = SignedDuration::from_hours(10 * 24);
            let by_schedule: Vec<_> =
                truth.sent.iter().filter(|sending| sending.by_schedule && sending.holds).collect();
            let early = by_schedule.windows(2).any(|pair| {
                pair[0].generation != pair[1].generation
                    && pair[1].at.duration_since(pair[0].at) < shortest
            });
            (early, by_schedule.len())
        };
        self.tally.insert("rotations by schedule", scheduled);
        if early { Err("two scheduled rotations within a period".into()) } else { Ok(()) }
    }

    /// Without faults: everything is done, and then nothing is to do.
    pub async fn come_to_rest(&mut self) -> Result<(), String> {
        let calm = Options { refresh: true, faults: Vec::new(), kills_all: false };
        self.workspace.config.rotate = Attr::Known(true);
        for round in 0..12 {
            self.pass(SignedDuration::from_mins(5));
            // A driver that is at work is a refusal.
            let busy = self.cloud.truth().working.is_some();
            let Some(plan) = self.workspace.plan(true).await else {
                if busy {
                    continue;
                }
                return Err("no plan could be made".into());
            };
            self.count("applies");
            let sent = self.cloud.truth().sent.len();
            if self.workspace.stored.is_none() && self.workspace.config.rotates_on_create() {
                self.askings += 1;
            }
            let run = Box::pin(self.workspace.apply(plan, &calm)).await?;
            let more = self.cloud.truth().sent.len() - sent;
            for _ in 0..more {
                self.count("rotations sent");
            }
            match run {
                Run::Empty => return self.at_rest(),
                Run::Done | Run::Failed if round < 11 => {}
                other => {
                    return Err(format!("not at rest: {other:?}, {:#?}", self.workspace.stored));
                }
            }
        }
        Err(format!("never at rest: {:#?}", self.workspace.stored))
    }

    fn at_rest(&mut self) -> Result<(), String> {
        let stored = self.workspace.stored.as_ref().ok_or("nothing is in the state")?;
        if stored.state.triggers != self.workspace.config.triggers {
            return Err("a change of triggers was swallowed".into());
        }
        if stored.state.at().is_under_way() {
            return Err(format!("at rest in the phase {}", stored.state.at().name()));
        }
        let truth = self.cloud.truth();
        // The one exception: whoever does not know what became of a sending takes one by hand for it, as nothing tells
        // them apart.
        let young = |asked: &Timestamp| {
            truth.sent.iter().any(|sending| sending.holds && sending.at >= *asked)
        };
        let doubtful = ["applies that died", "rotations of which nobody knew"];
        let doubtful = doubtful.iter().any(|what| self.tally.contains_key(what));
        let excused = doubtful && !truth.by_hand.is_empty();
        let swallowed = self.asked_at.as_ref().is_some_and(|asked| !young(asked));
        if swallowed && !excused {
            return Err("a rotation that was asked for was never sent".into());
        }
        let asked_for =
            truth.sent.iter().filter(|sending| sending.holds && !sending.by_schedule).count();
        if asked_for > self.askings + self.without_evidence {
            return Err(format!(
                "{asked_for} rotations for {} askings and {} runs without evidence: {:#?}",
                self.askings, self.without_evidence, truth.sent
            ));
        }
        Ok(())
    }
}
