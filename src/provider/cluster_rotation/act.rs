//! Create and Update: what of the state is kept in each case, and what an operator is told. The rotation itself
//! is in `run`.

use crate::clock;
use crate::provider::arguments::whole_seconds;
use crate::provider::cluster_rotation::model::ClusterRotation;
use crate::provider::cluster_rotation::private::Private;
use crate::provider::cluster_rotation::run::{Run, Stop, remembered};
use crate::provider::cluster_rotation::{ClusterRotationResource, Kept, checks, decide, identity};
use crate::rotation::{left_due, sentence};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result, Severity};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{Change, StateCell};

pub async fn create(
    resource: &ClusterRotationResource,
    cx: &Context,
    change: Change<ClusterRotationResource>,
    cell: &StateCell<ClusterRotationResource>,
) -> Result<()> {
    let Change { planned, config, .. } = change;
    let run = Run::begin(resource, cx, &config).await?;
    let id = run.magnum.cluster.known().cloned().unwrap_or_default();
    let target = checks::find(&run.session, &run.magnum, &id, &run.patience).await?;
    let mut kept = Kept { state: planned, private: Private::default(), identity: None };
    let name = run.credential.name();
    kept.state.id = Attr::Known(format!("{}/{name}", target.cluster.uuid));
    kept.state.owner_user_id = target.cluster.user_id.clone().into();
    kept.private.cluster_name = Some(target.cluster.name.clone());
    kept.private.project_id.clone_from(&target.cluster.project_id);
    kept.private.since = Some(whole_seconds(clock::now()));
    kept.identity = Some(identity(&kept.state));
    if !decide::rotates_on_create(&config) {
        run.see(&target.cluster.uuid, &mut kept).await?;
        kept.state.rotation_due_at = decide::next_due(&config, &kept.state, &kept.private);
        cell.save(kept);
        return Ok(());
    }
    match Box::pin(run.rotate(target, &config, &mut kept, cell)).await {
        Ok(()) => Ok(()),
        Err(Stop::Before(why)) => {
            cell.clear();
            Err(why)
        }
        // An error would taint the resource, and the next apply would rotate again.
        Err(Stop::After(why)) => {
            for diagnostic in why.0 {
                let detail = format!(
                    "{}\n\nResources that depend on this one are applied although the rotation is not complete. The next apply takes \
                     it up where it stopped and does not rotate again.",
                    diagnostic.detail
                );
                cx.tell(Diagnostic { severity: Severity::Warning, detail, ..diagnostic });
            }
            Ok(())
        }
    }
}

pub async fn update(
    resource: &ClusterRotationResource,
    cx: &Context,
    change: Change<ClusterRotationResource>,
    cell: &StateCell<ClusterRotationResource>,
) -> Result<()> {
    let Change { prior, planned, config, private } = change;
    let Some(prior) = prior else {
        let detail = "This is a bug of the provider.";
        return Err(Diagnostic::error("Update without a prior state", detail).into());
    };
    let steps = decide::steps(&prior, &config, &private);
    let resumes = decide::unfinished(&prior);
    let before = cell.current();
    let mut kept = Kept { state: settled(&planned, &prior), private, identity: None };
    kept.private.adopted = false;
    kept.identity = Some(identity(&kept.state));
    if kept.state.rotation_due.is_unknown() {
        kept.state.rotation_due = crate::provider::due::rotation_due(&left_due(&steps));
    }
    kept.state.rotation_due_at = decide::next_due(&config, &kept.state, &kept.private);
    let rotation = decide::rotation(&steps);
    if rotation.is_none() && !resumes {
        kept.state.phase = prior.phase.clone();
        cell.save(kept);
        return Ok(());
    }
    if let Some((generation, reasons)) = rotation {
        kept.state.generation = crate::provider::arguments::number(generation);
        kept.state.rotation_reason = Attr::Known(sentence(generation, reasons));
        // One that may not have been accepted is looked for first, and then counts as this one.
        if kept.private.under_way.as_ref().is_some_and(|under_way| under_way.accepted) {
            kept.private.under_way = None;
        }
    }
    let run = Run::begin(resource, cx, &config).await?;
    if resumes && rotation.is_none() && kept.private.under_way.is_none() {
        kept.private.under_way = Some(remembered(&prior, &run.caller));
    }
    let uuid = decide::uuid(&prior);
    let target = checks::find(&run.session, &run.magnum, &uuid, &run.patience).await?;
    match Box::pin(run.rotate(target, &config, &mut kept, cell)).await {
        Ok(()) => Ok(()),
        Err(Stop::Before(why)) => {
            if let Some(before) = before {
                cell.save(before);
            }
            Err(why)
        }
        Err(Stop::After(why)) => Err(why),
    }
}

/// The planned state, what was unknown in it filled from the prior one.
fn settled(planned: &ClusterRotation, prior: &ClusterRotation) -> ClusterRotation {
    let mut state = planned.clone();
    macro_rules! fill {
        ($($field:ident),*) => {
            $(state.$field = state.$field.or_if_unknown(prior.$field.clone());)*
        };
    }
    fill!(
        application_credential_ids,
        ca_certificate_sha256,
        completed_at,
        expires_at,
        generation,
        id,
        owner_user_id,
        phase,
        rotation_due_at,
        rotation_reason,
        started_at
    );
    state
}
