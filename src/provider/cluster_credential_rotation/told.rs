//! What the operator is told, whatever the platform. Summaries are constants; the detail names the object, says what
//! is still valid and what to do. `called` is as a platform calls it: `the cluster "prod" (91b6…)`.

use jiff::Timestamp;

use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::rotation::course::{Adopted, Phase};
use crate::rotation::{Moment, Reason, sentence};
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic};

pub fn not_refreshed(called: &str, setting: &str) -> Diagnostic {
    Diagnostic::warning(
        "Cluster not refreshed",
        format!(
            "The provider's setting {setting} is not known before apply, so {called} could not be looked at. The state is kept as it \
             was; what has become due since then waits for the next plan."
        ),
    )
}

pub fn rotated_outside(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "A rotation was made outside this resource",
        format!(
            "What {called} has is not what the state knows. A schedule counts from now; a change of triggers rotates once more."
        ),
    )
}

/// The process of the last update died, and what it was to do may be done.
pub fn of_a_dead_run(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "A rotation was found whose run died",
        format!(
            "The last apply of {called} did not end, and another credential is there than the state knows. If the rotation that it was \
             to do is still planned, the next apply takes this one as made and proves it; whatever else triggers are set to meanwhile, they \
             cannot be told from that. To have one more, change triggers again after it. Where nothing is planned any more, the next apply \
             counts this one as the next generation."
        ),
    )
}

/// Of the plan in which nothing is asked for any more.
pub fn recovers(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "What a run that died has left is looked at",
        format!(
            "The last apply of {called} did not end, and what it was to do is not asked for any more. This apply sends nothing: it looks \
             whether that run has rotated all the same. If so, that is counted as the next generation and proven; what is asked for later is \
             a rotation of its own."
        ),
    )
}

/// Of its apply, where one was found.
pub fn counted(called: &str, generation: u64) -> Diagnostic {
    Diagnostic::warning(
        "A rotation of a run that died is counted",
        format!(
            "The last apply of {called} did not end, and had rotated: that is generation {generation}, and it is proven like one of this \
             apply. Nothing was sent."
        ),
    )
}

pub fn begun_outside(called: &str, phase: Phase) -> Diagnostic {
    Diagnostic::warning(
        "A rotation was begun outside this resource",
        format!(
            "A rotation of {called} that this resource did not begin is in the phase {:?}. It is counted as the next generation.",
            phase.name()
        ),
    )
}

pub fn unfinished(called: &str, phase: Phase) -> Diagnostic {
    Diagnostic::warning(
        "A rotation is not complete",
        format!(
            "The last rotation of {called} stopped in the phase {:?}. The next apply takes it up there.",
            phase.name()
        ),
    )
}

/// Of a create that stops short.
pub fn goes_on(detail: &str) -> String {
    format!(
        "{detail}\n\nResources that depend on this one are applied although the rotation is not complete. The next apply takes it up \
         where it stopped and does not rotate again."
    )
}

pub fn adopted(called: &str, why: Adopted) -> Diagnostic {
    let why = match why {
        Adopted::OfDeadRun => "the last apply died while it rotated, and its rotation was found",
        Adopted::Young => "it was rotated outside since, and a schedule asks for no more than that",
        Adopted::UnderWay => "one is under way already",
    };
    Diagnostic::warning(
        "A rotation that was found is taken as made",
        format!(
            "For {called} no further rotation was sent: {why}. It is proven like one of this apply."
        ),
    )
}

pub fn rotates_again(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "The cluster is rotated once more",
        format!(
            "Outside this resource {called} was rotated since the last apply. That does not count for what was asked \
             for: whoever changes triggers wants a rotation after that, also of what somebody else has made meanwhile."
        ),
    )
}

pub fn completes(called: &str) -> Diagnostic {
    Diagnostic::warning(
        "The overlap ends with this apply",
        format!(
            "complete_generation names the rotation of {called} that is in its overlap: the old credentials are retired by this apply, and \
             whoever still uses them is refused."
        ),
    )
}

pub fn completes_nothing() -> Diagnostic {
    Diagnostic::warning(
        "complete_generation has no effect yet",
        "A resource that is created begins with generation 1 at most, so what stands there names a rotation of another one. It is ignored \
         until it is changed or taken away: give the number of a rotation when that one is in its overlap.",
    )
    .at_attribute("complete_generation")
}

pub fn under_way_elsewhere(called: &str, phase: Option<Phase>) -> Diagnostic {
    let phase =
        phase.map_or("under way".to_owned(), |phase| format!("in the phase {:?}", phase.name()));
    Diagnostic::error(
        "A rotation that somebody else began is under way",
        format!(
            "For {called} a rotation that this resource did not begin is {phase}, and the platform begins no second one. Nothing was \
             sent.\n\nPlan again: the plan shows it, and what ends it."
        ),
    )
}

pub fn not_seen(called: &str, until: Timestamp) -> Diagnostic {
    Diagnostic::error(
        "It is not known whether the cluster's credential was rotated",
        format!(
            "A rotation of {called} was sent, and nothing of it can be seen so far. It may still come until {}.\n\nApply again: it is \
             looked for first, and sent again only after that.",
            Moment(until)
        ),
    )
}

/// A change asks for a rotation while the last one waits in its overlap, or is issued and will wait there. One that was
/// begun outside answers no trigger, not even where the asker's own run began it and was killed with Terraform.
pub fn in_overlap(state: &ClusterRotation, reasons: &[Reason]) -> Diagnostic {
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let generation = state.counted();
    let issuing = state.at() == Phase::Issuing;
    let date = state.auto_completes_at.known();
    let by_itself =
        date.map_or_else(String::new, |at| format!(" The platform ends it by itself at {at}."));
    let stands = if issuing {
        format!(
            "the rotation of generation {generation} is issuing new credentials, and after that it is in its overlap"
        )
    } else {
        format!("generation {generation} is in its overlap")
    };
    let outside = state
        .rotation_reason
        .known()
        .is_some_and(|reason| *reason == sentence(generation, &[Reason::BegunOutside]));
    let outside = if outside {
        " It was begun outside this resource, or by a run that was killed before it could note it, so it does not answer what was asked \
         for since."
    } else {
        ""
    };
    let wait = date
        .map_or_else(|| "Wait until it is complete".to_owned(), |at| format!("Wait until {at}"));
    Diagnostic::error(
        if issuing {
            "The last rotation is not complete"
        } else {
            "The last rotation is still in its overlap"
        },
        format!(
            "The next rotation is called for ({}), and the platform begins none before the overlap of generation {generation} has ended; \
             {stands}.{by_itself}{outside} Nothing was sent, and what is asked for is planned again as long as it stands in the \
             configuration.\n\n{wait} and apply. To end the overlap sooner, and cut off clients that still use the old credentials, set \
             complete_generation = {generation} (24 hours after its start at the earliest). Where that rotation is enough, set what was \
             changed back: the plan is then without a second one, and an apply takes up what is unfinished.",
            reasons.join("; ")
        ),
    )
    .at(AttributePath::attribute("triggers"))
}

/// A replacement that was planned is a destroy and a create, which core plans apart: this one was planned as an update.
pub fn another_object(called: &str) -> Diagnostic {
    Diagnostic::error(
        "The cluster is another than the plan's",
        format!(
            "When the plan was made it was not known which cluster is meant, and it was made for {called}. Now it is known, and it is \
             another one or another credential: that is a resource of its own. Nothing was sent.\n\nPlan again: the plan then shows the \
             replacement."
        ),
    )
}

pub fn no_platform() -> Diagnostic {
    Diagnostic::error(
        "No platform",
        "The block that names the cluster is not known. This is a bug of the provider.",
    )
}

pub fn nothing_undone(called: &str, stays: &str, state: &ClusterRotation) -> Diagnostic {
    let phase = state.at();
    let goes_on = match (phase.is_under_way(), state.auto_completes_at.known()) {
        (true, Some(at)) => format!(
            " A rotation is in the phase {:?}; the platform goes on with it, and completes it at {at}.",
            phase.name()
        ),
        (true, None) => {
            format!(" A rotation is in the phase {:?}; it is not stopped.", phase.name())
        }
        (false, _) => String::new(),
    };
    Diagnostic::warning(
        "Destroying a rotation undoes nothing",
        format!(
            "For {called}, {stays} stays as the last rotation left it.{goes_on} Only this record of it is removed."
        ),
    )
}
