//! The course of a cluster's rotation: where it is, what was seen, what is asked; and what is done next.
//!
//! For platforms whose credential is one thing that is replaced, perhaps with a stage in which old and new are both
//! valid. Two questions: Plan asks [`decide`], a function of state and configuration; Apply asks [`before_sending`]
//! and [`taken_up`] with what it has just observed itself. Not for generations that can be listed and revoked one by
//! one: those are in `plan`.
//!
//! The rules: what is under way comes before what is due. What was asked for is never swallowed. What may have been
//! sent is looked for, never sent on a guess. Only a proof of the platform completes a rotation.

use jiff::Timestamp;

use super::plan::unaffected;
use super::policy::Policy;
use super::reason::{Change, Due, Reason};

/// How far the last rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing was rotated by this resource yet.
    None,
    /// It may have been sent, and nothing can be seen of it.
    Rotating,
    /// It was accepted, and is not proven yet.
    Verifying,
    /// What holds the old credential restarts.
    Restarting,
    /// New credentials are issued beside the old ones.
    Issuing,
    /// Old and new ones are both valid.
    Overlap,
    /// The old ones are retired.
    Retiring,
    Completed,
}

/// Why a phase is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no phase of a rotation has this name")]
pub struct UnknownPhase;

impl Phase {
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Rotating,
        Self::Verifying,
        Self::Restarting,
        Self::Issuing,
        Self::Overlap,
        Self::Retiring,
        Self::Completed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rotating => "rotating",
            Self::Verifying => "verifying",
            Self::Restarting => "restarting",
            Self::Issuing => "issuing",
            Self::Overlap => "overlap",
            Self::Retiring => "retiring",
            Self::Completed => "completed",
        }
    }

    /// A rotation was begun and is not complete.
    pub fn is_under_way(self) -> bool {
        !matches!(self, Self::None | Self::Completed)
    }

    /// Nothing is to be done: a plan is empty.
    pub fn rests(self) -> bool {
        matches!(self, Self::None | Self::Overlap | Self::Completed)
    }
}

impl std::str::FromStr for Phase {
    type Err = UnknownPhase;

    fn from_str(name: &str) -> Result<Self, UnknownPhase> {
        Self::ALL.into_iter().find(|phase| phase.name() == name).ok_or(UnknownPhase)
    }
}

/// What the state tells.
#[derive(Clone, Debug)]
pub struct Course {
    pub phase: Phase,
    pub generation: u64,
    /// As the last Read found it.
    pub due: Vec<Due>,
    pub policy: Policy,
    /// The process of the last update died in it, and nobody has looked since what it left.
    pub died: bool,
}

/// What the configuration wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub policy: Policy,
    /// Inputs that differ.
    pub changes: Vec<Change>,
    /// Inputs whose values are not known yet.
    pub unknown: Vec<&'static str>,
    /// End the overlap of this generation now.
    pub complete: Option<u64>,
}

/// What comes first: of the rotation that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// It is taken up where it stopped.
    Resume,
    /// Its overlap is ended.
    Complete,
}

/// What a plan will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Rest,
    /// Nothing is asked for, and the last run died: what it left is looked at, so that it is never taken for what is
    /// asked for later.
    Recover,
    /// Only what is under way.
    Finish(First),
    /// The next rotation, after what is under way.
    Begin {
        first: Option<First>,
        generation: u64,
        reasons: Vec<Reason>,
    },
    /// The next rotation, if an input that is unknown turns out to differ.
    Perhaps {
        first: Option<First>,
        unknown: Vec<&'static str>,
    },
    /// A rotation is asked for while the platform waits in the overlap of the last one, or issues what leads to it.
    Refuse {
        reasons: Vec<Reason>,
    },
}

/// A plan, with what it leaves due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub next: Next,
    /// Held by `rotate = false`, or for the next plan to act on.
    pub held: Vec<Due>,
}

/// The plan: no clock and nothing observed, so that the plan which apply makes again equals the first.
pub fn decide(course: &Course, wanted: &Wanted) -> Decision {
    let first = match course.phase {
        Phase::Overlap => (wanted.complete == Some(course.generation)).then_some(First::Complete),
        phase => phase.is_under_way().then_some(First::Resume),
    };
    // In flight beats due: the schedule is asked again when this rotation is complete.
    let due = if course.phase.is_under_way() {
        Vec::new()
    } else {
        unaffected(&course.due, &course.policy, &wanted.policy)
    };
    let (scheduled, held): (Vec<Due>, Vec<Due>) =
        due.into_iter().partition(|due| wanted.policy.rotate || !due.can_be_held());
    let changes = wanted.changes.iter().cloned().map(Reason::Changed);
    let reasons: Vec<Reason> = changes.chain(scheduled.into_iter().map(Reason::Due)).collect();
    let next = if !reasons.is_empty() {
        // What is being issued ends in an overlap, in which none begins.
        if matches!(course.phase, Phase::Issuing | Phase::Overlap) && first != Some(First::Complete)
        {
            Next::Refuse { reasons }
        } else {
            Next::Begin { first, generation: course.generation + 1, reasons }
        }
    } else if !wanted.unknown.is_empty() {
        Next::Perhaps { first, unknown: wanted.unknown.clone() }
    } else {
        let rests = if course.died { Next::Recover } else { Next::Rest };
        first.map_or(rests, Next::Finish)
    };
    Decision { next, held }
}

/// Who asks for a rotation: it decides what satisfies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its age or its expiry: any young credential does.
    Schedule,
    /// Somebody, by a trigger, a taint, or by creating the resource: only a rotation of theirs does.
    User,
}

impl By {
    pub fn of(reasons: &[Reason]) -> Self {
        let scheduled = reasons.iter().all(|reason| matches!(reason, Reason::Due(_)));
        if scheduled && !reasons.is_empty() { Self::Schedule } else { Self::User }
    }
}

/// What Apply has seen of the platform, immediately before it acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The credential that this resource knows.
    Same,
    /// Another one than this resource knows: rotated by somebody or something else.
    Newer,
    /// Another one, which another login has made.
    OfAnother,
    /// The platform itself shows a rotation under way that this resource did not send.
    UnderWay,
    /// This login cannot tell.
    Unseen,
}

/// What is asked of Apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub by: By,
    /// The resource is being created.
    pub creates: bool,
    /// The process of the last update died in it, and took what it knew along.
    pub died: bool,
}

/// What Apply does about a rotation that is asked for and not in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `Some`: what else there is, and does not count.
    Send(Option<Discounted>),
    /// One that is there already is the one that was asked for.
    Adopt(Adopted),
    /// The platform cannot begin one now, and the one that is under way does not count.
    Refuse,
}

/// Why a rotation that this process did not send is the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// The last update died in it.
    OfDeadRun,
    /// A schedule asks for a young credential, and this is one.
    Young,
    /// It is under way.
    UnderWay,
}

/// Why a rotation that was found does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discounted {
    /// Somebody else made it; what was asked for is a rotation after the asking.
    Outside,
}

/// Before a rotation is sent: perhaps it is there already.
pub fn before_sending(asked: Asked, seen: Standing) -> Act {
    match (seen, asked.by) {
        (Standing::UnderWay | Standing::Newer, _) if asked.died => Act::Adopt(Adopted::OfDeadRun),
        (Standing::UnderWay, By::Schedule) => Act::Adopt(Adopted::UnderWay),
        (Standing::UnderWay, By::User) if asked.creates => Act::Adopt(Adopted::UnderWay),
        (Standing::UnderWay, By::User) => Act::Refuse,
        (Standing::Newer | Standing::OfAnother, By::Schedule) => Act::Adopt(Adopted::Young),
        (Standing::Newer | Standing::OfAnother, By::User) if !asked.creates => {
            Act::Send(Some(Discounted::Outside))
        }
        (Standing::Newer | Standing::OfAnother | Standing::Same | Standing::Unseen, _) => {
            Act::Send(None)
        }
    }
}

/// Whether what is there now is of the run that died, as far as anything tells.
pub fn is_of_dead_run(seen: Standing) -> bool {
    matches!(seen, Standing::Newer | Standing::UnderWay)
}

/// What is certain of a rotation that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing was sent, or it was refused: all is as before.
    No,
    /// It was sent, and nobody knows what became of it.
    Unknown,
    Accepted,
}

/// Whether a rotation that was sent can be seen to have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    Found,
    NotFound,
}

/// What Apply does about a rotation that is in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It goes on where it stopped.
    Resume,
    /// It may still come: it is looked for until then.
    Wait(Timestamp),
    /// It never took effect, for certain: it is sent again.
    SendAgain,
}

/// A rotation in hand. `settled_by`: from when on one that left no trace never took effect.
pub fn taken_up(sent: Sent, trace: Trace, settled_by: Timestamp, now: Timestamp) -> Taken {
    match (sent, trace) {
        (Sent::Accepted, _) | (Sent::Unknown, Trace::Found) => Taken::Resume,
        (Sent::Unknown, Trace::NotFound) if now < settled_by => Taken::Wait(settled_by),
        (Sent::Unknown, Trace::NotFound) | (Sent::No, _) => Taken::SendAgain,
    }
}

#[cfg(test)]
mod tests;
