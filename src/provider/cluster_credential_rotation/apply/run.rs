//! One rotation, from the look before it is sent until it is proven or rests.

use crate::clock;
use crate::provider::arguments::{number, whole_seconds, written};
use crate::provider::cluster_credential_rotation::model::{ClusterRotation, Fact};
use crate::provider::cluster_credential_rotation::platform::{
    Advance, Cluster, Facts, Failure, Platform, Stage, When,
};
use crate::provider::cluster_credential_rotation::private::{Certainty, Flight};
use crate::provider::cluster_credential_rotation::{
    ClusterRotationResource, Record, identity, plan, told,
};
use crate::provider::openstack::patience;
use crate::provider::schedule::too_early;
use crate::rotation::course::{
    Act, Adopted, Asked, Phase, Sent, Taken, before_sending, is_of_dead_run, taken_up,
};
use crate::rotation::{Reason, sentence};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostics, Result};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::StateCell;

/// How an apply stops short.
#[derive(Debug)]
pub enum Stop {
    /// Nothing was sent: the state is as before.
    AsBefore(Diagnostics),
    /// It was sent, and the state says how far it is.
    InHand(Diagnostics),
    /// It was accepted and is over without success: the state is as before, and the next apply begins anew.
    Ended(Diagnostics),
}

/// One operation on one object.
#[derive(Debug)]
pub struct Run<'a> {
    pub cx: &'a Context,
    pub platform: &'a dyn Platform,
    pub cluster: &'a dyn Cluster,
    pub config: &'a ClusterRotation,
    pub cell: &'a StateCell<ClusterRotationResource>,
    pub prior: Option<&'a ClusterRotation>,
}

/// Between two looks at something that may still come.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

impl Run<'_> {
    /// A resource that does not rotate when it is created: what is there.
    pub async fn record(&self, mut record: Record) -> Result<()> {
        let look = self.cluster.look(self.cx, &record.state).await?;
        if let Some(refusal) = too_early(&self.config.renew_before, look.lifetime) {
            return Err(refusal.into());
        }
        look.facts.write(&mut record.state);
        record.private.signs = self.cluster.signs_of(&record.state);
        record.private.lifetime = look.lifetime;
        let phase = look.phase.filter(|phase| phase.is_under_way());
        let started = Attr::Known(written(clock::now()));
        let state = &mut record.state;
        state.phase = Attr::Known(phase.unwrap_or(Phase::None).name().into());
        state.started_at = if phase.is_some() { started } else { Attr::Null };
        state.generation = Attr::Known(i64::from(phase.is_some()));
        state.rotation_reason = state.rotation_reason.clone().or_if_unknown(Attr::Null);
        if phase.is_some() {
            let reasons = [Reason::BegunOutside];
            state.rotation_reason = Attr::Known(sentence(1, &reasons));
            record.private.flight =
                Some(self.flight(Certainty::Accepted, self.cluster.found(&record.state, None)));
        }
        self.save(&mut record);
        Ok(())
    }

    /// A rotation that is asked for and not in hand.
    pub async fn begin(&self, record: &mut Record, asked: Asked) -> Result<(), Stop> {
        let look = self.cluster.look(self.cx, &record.state).await.map_err(Stop::AsBefore)?;
        if let Some(refusal) = too_early(&self.config.renew_before, look.lifetime) {
            return Err(Stop::AsBefore(refusal.into()));
        }
        let none = ClusterRotation::default();
        let known = self.prior.unwrap_or(&none);
        let signs = record.private.signs.clone().or_else(|| self.cluster.signs_of(known));
        let standing = self.cluster.standing(signs.as_ref(), &look);
        match before_sending(asked, standing) {
            Act::Adopt(why) => {
                let found = self.cluster.found(&record.state, signs.as_ref());
                record.private.flight = Some(self.flight(Certainty::Accepted, found));
                if why != Adopted::UnderWay || !asked.creates {
                    self.cx.tell(told::adopted(&self.cluster.called(), why));
                }
            }
            Act::Refuse => {
                let why = told::under_way_elsewhere(&self.cluster.called(), look.phase);
                return Err(Stop::AsBefore(why.into()));
            }
            Act::Send(discounted) => {
                if discounted.is_some() {
                    self.cx.tell(told::rotates_again(&self.cluster.called()));
                }
                self.send(record, Stop::AsBefore).await?;
            }
        }
        self.advance(record).await
    }

    /// Nobody asks for what the run that died was to do. If it did it all the same, it is a rotation of its own: counted,
    /// proven, and no answer to what is asked for later.
    pub async fn recover(&self, mut record: Record) -> Result<(), Stop> {
        let look = self.cluster.look(self.cx, &record.state).await.map_err(Stop::AsBefore)?;
        let none = ClusterRotation::default();
        let signs = record.private.signs.clone();
        let signs = signs.or_else(|| self.cluster.signs_of(self.prior.unwrap_or(&none)));
        let standing = self.cluster.standing(signs.as_ref(), &look);
        let counted = self.platform.counts_dead_runs() && !record.state.at().is_under_way();
        if !(counted && is_of_dead_run(standing)) {
            self.save(&mut record);
            return Ok(());
        }
        let generation = record.state.counted() + 1;
        record.state.generation = number(generation);
        record.state.rotation_reason = Attr::Known(sentence(generation, &[Reason::OfDeadRun]));
        let found = self.cluster.found(&record.state, signs.as_ref());
        record.private.flight = Some(self.flight(Certainty::Accepted, found));
        self.cx.tell(told::counted(&self.cluster.called(), generation));
        self.advance(&mut record).await
    }

    /// The one that is in hand.
    pub async fn take_up(&self, record: &mut Record, died: bool) -> Result<(), Stop> {
        let mut flight = match record.private.flight.take() {
            Some(flight) => flight,
            None => self.remembered(record, died),
        };
        let settled_by = self.cluster.settled_by(flight.sent_at);
        loop {
            let trace = match flight.sent {
                Certainty::Unknown => self.cluster.trace(&flight.notes).await,
                Certainty::Accepted | Certainty::No => Ok(crate::rotation::course::Trace::NotFound),
            };
            let trace = trace.map_err(Stop::InHand)?;
            match taken_up(Sent::from(flight.sent), trace, settled_by, clock::now()) {
                Taken::Resume => {
                    flight.sent = Certainty::Accepted;
                    record.private.flight = Some(flight);
                    return self.advance(record).await;
                }
                Taken::SendAgain => {
                    record.private.flight = Some(Flight { sent: Certainty::No, ..flight });
                    self.send(record, Stop::InHand).await?;
                    return self.advance(record).await;
                }
                Taken::Wait(until) => {
                    if patience(self.cx).sleep(PAUSE).await.is_err() {
                        let called = self.cluster.called();
                        return Err(Stop::InHand(told::not_seen(&called, until).into()));
                    }
                }
            }
        }
    }

    /// Ends the overlap.
    pub async fn complete(&self, record: &mut Record) -> Result<(), Stop> {
        let mut flight = match record.private.flight.take() {
            Some(flight) => flight,
            None => self.remembered(record, false),
        };
        let mut facts = Facts::default();
        let done = self
            .cluster
            .complete(&mut self.stage(&record.state.clone(), &mut flight, &mut facts))
            .await;
        match done {
            Ok(()) => {
                facts.write(&mut record.state);
                record.state.phase = Attr::Known(Phase::Retiring.name().into());
                record.private.flight = Some(flight);
                self.save(record);
                self.advance(record).await
            }
            Err(Failure::Refused(why)) => Err(Stop::AsBefore(why)),
            Err(failure) => {
                facts.write(&mut record.state);
                record.private.flight = Some(flight);
                self.save(record);
                Err(Stop::InHand(failure.why()))
            }
        }
    }

    /// Asks what can be known before, notes what is there, and sends.
    async fn send(
        &self,
        record: &mut Record,
        refused: fn(Diagnostics) -> Stop,
    ) -> Result<(), Stop> {
        let refusals = self.cluster.refusals(self.cx, When::Sending).await;
        if !refusals.is_empty() {
            return Err(refused(Diagnostics(refusals)));
        }
        let notes = self.cluster.mark(&record.state).await.map_err(refused)?;
        // Should this process panic in the call, what it may have done is in the state.
        let mut flight = self.flight(Certainty::Unknown, notes);
        record.state.phase = Attr::Known(Phase::Rotating.name().into());
        record.private.flight = Some(flight.clone());
        self.save(record);
        let sent = self.cluster.send(self.cx, &record.state, &mut flight.notes).await;
        flight.sent = match &sent {
            Ok(()) | Err(Failure::Unfinished(_)) => Certainty::Accepted,
            Err(Failure::Unknown(_)) => Certainty::Unknown,
            Err(Failure::Refused(_) | Failure::Ended(_)) => Certainty::No,
        };
        record.private.flight = Some(flight);
        match sent {
            Ok(()) => {
                record.state.phase = Attr::Known(Phase::Verifying.name().into());
                self.save(record);
                Ok(())
            }
            Err(Failure::Refused(why) | Failure::Ended(why)) => {
                self.save(record);
                Err(refused(why))
            }
            Err(Failure::Unfinished(why) | Failure::Unknown(why)) => {
                self.save(record);
                Err(Stop::InHand(why))
            }
        }
    }

    /// Stage by stage, until it is proven or rests.
    async fn advance(&self, record: &mut Record) -> Result<(), Stop> {
        let mut phase = record.state.at();
        if !phase.is_under_way() || phase == Phase::Rotating {
            phase = Phase::Verifying;
        }
        loop {
            record.state.phase = Attr::Known(phase.name().into());
            self.save(record);
            let Some(mut flight) = record.private.flight.take() else { return Ok(()) };
            let mut facts = Facts::default();
            let state = record.state.clone();
            let done = self.cluster.advance(&mut self.stage(&state, &mut flight, &mut facts)).await;
            facts.write(&mut record.state);
            record.private.flight = Some(flight);
            match done {
                Ok(Advance::More(next)) => phase = next,
                Ok(Advance::Rests(next)) => {
                    record.state.phase = Attr::Known(next.name().into());
                    self.remember(record);
                    self.save(record);
                    return Ok(());
                }
                Ok(Advance::Done(_proof)) => {
                    record.private.flight = None;
                    record.private.since = None;
                    record.state.phase = Attr::Known(Phase::Completed.name().into());
                    record.state.completed_at = Attr::Known(written(clock::now()));
                    self.remember(record);
                    self.save(record);
                    return Ok(());
                }
                Err(Failure::Ended(why)) => {
                    // Whoever took it up cannot go back to before: it is to be sent again.
                    if let Some(flight) = &mut record.private.flight {
                        flight.sent = Certainty::No;
                    }
                    record.state.phase = Attr::Known(Phase::Rotating.name().into());
                    self.save(record);
                    return Err(Stop::Ended(why));
                }
                Err(failure) => {
                    self.save(record);
                    return Err(Stop::InHand(failure.why()));
                }
            }
        }
    }

    /// What tells this credential from the next one.
    fn remember(&self, record: &mut Record) {
        record.private.signs = self.cluster.signs_of(&record.state).or(record.private.signs.take());
    }

    fn stage<'s>(
        &'s self,
        state: &'s ClusterRotation,
        flight: &'s mut Flight,
        facts: &'s mut Facts,
    ) -> Stage<'s> {
        let sent_at = flight.sent_at;
        Stage {
            cx: self.cx,
            phase: state.at(),
            creates: self.prior.is_none(),
            sent_at,
            notes: &mut flight.notes,
            facts,
            state,
        }
    }

    fn flight(&self, sent: Certainty, notes: serde_json::Value) -> Flight {
        let sent_at = whole_seconds(clock::now());
        Flight { platform: self.platform.name().to_owned(), sent, sent_at, notes }
    }

    /// Of one whose notes went with the process that died, or were written by nobody.
    fn remembered(&self, record: &Record, died: bool) -> Flight {
        let unknown = died && record.state.at() == Phase::Rotating;
        let sent = if unknown { Certainty::Unknown } else { Certainty::Accepted };
        let sent_at = crate::provider::arguments::moment(&record.state.started_at);
        // Where what held it restarts, it was proven, and the attributes are those of after.
        let then = record.private.signs.as_ref().filter(|_| record.state.at() != Phase::Restarting);
        let found = self.cluster.found(&record.state, then);
        Flight { sent_at: sent_at.unwrap_or_else(clock::now), ..self.flight(sent, found) }
    }

    fn save(&self, record: &mut Record) {
        let state = &mut record.state;
        if let Some(flight) = &record.private.flight {
            state.started_at = Attr::Known(written(flight.sent_at));
        }
        for fact in Fact::ALL {
            fact.fill(state, self.prior);
        }
        state.completed_at = state.completed_at.clone().or_if_unknown(Attr::Null);
        state.rotation_due_at = plan::next_due(self.config, state, &record.private);
        record.identity = Some(identity(state));
        self.cell.save(record.clone());
    }
}
