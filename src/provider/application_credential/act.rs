//! Create and Update: the steps of the plan in their order, the honest state saved after each.

use crate::provider::application_credential::generation::{self, failed, prove, take_back};
use crate::provider::application_credential::issue::no_random;
use crate::provider::application_credential::model::ApplicationCredential;
use crate::provider::application_credential::naming::Naming;
use crate::provider::application_credential::private::Private;
use crate::provider::application_credential::revoke::{self, Ends};
use crate::provider::application_credential::run::Run;
use crate::provider::application_credential::{
    ApplicationCredentialResource as Resource, Record, checks, decide, identity, inputs,
};
use crate::provider::schedule::Scheduled as _;
use crate::rotation::{Policy, Step, left_due};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{Change, StateCell};

/// The first generation.
pub async fn create(
    resource: &Resource,
    cx: &Context,
    change: Change<Resource>,
    cell: &StateCell<Resource>,
) -> Result<()> {
    let run = Run::begin(resource, cx).await?;
    let Change { planned, config, .. } = change;
    let mut kept = Record { state: planned.clone(), private: Private::default(), identity: None };
    kept.private.naming = Naming::new().map_err(no_random)?;
    let issued = generation::next(&run, None, &config, &kept, 1).await?;
    generation::record(&mut kept, &planned, &config, &issued, &run);
    cell.save(kept.clone());

    match prove(&run, &config, &issued).await {
        Ok(_) => {
            generation::proven(&mut kept, &config);
            cell.save(kept);
            Ok(())
        }
        Err(failure) => match take_back(&run, &issued).await {
            Ok(()) => {
                cell.clear();
                let valid = "It was revoked again, and nothing is left of it.";
                Err(failed(&issued, &failure, None, valid, "create").into())
            }
            Err(error) => Err(failed(
                &issued,
                &failure,
                Some(&error),
                "It exists, and the state keeps it as tainted: the next apply revokes it and issues another.",
                "create",
            )
            .into()),
        },
    }
}

/// The steps of an update.
pub async fn update(
    resource: &Resource,
    cx: &Context,
    change: Change<Resource>,
    cell: &StateCell<Resource>,
) -> Result<()> {
    let Change { prior, planned, config, private } = change;
    let config = inputs::wishes(&config);
    let Some(prior) = prior else {
        return Err(Diagnostic::error(
            "Update without a prior state",
            "This is a bug of the provider.",
        )
        .into());
    };
    let inputs = inputs::compare(&prior, &config, &private);
    let steps = decide::steps(&prior, &config, &private, &inputs);
    let own_secret = private.imported && config.secret_wo.known().is_some();
    let acts = steps.iter().any(|step| {
        matches!(step, Step::Issue { .. } | Step::Revoke { .. } | Step::RevokeStray { .. })
    });

    let mut kept = Record { state: planned.clone(), private, identity: None };
    let policy = config.policy();
    fill_in(&mut kept, &prior, &policy, &steps);
    kept.state.rotation_due_at = decide::next_due(&policy, &kept.state, &kept.private);
    kept.private.imported = false;
    kept.private.fixed_expiry = config.expires_at.known().is_some();
    kept.identity = Some(identity(&kept.state));
    if !acts && !own_secret {
        cell.save(kept);
        return Ok(());
    }

    let run = Run::begin(resource, cx).await?;
    if let Some(refusal) = checks::may_manage(&run.caller, "issue or revoke").filter(|_| acts) {
        return Err(refusal.into());
    }
    let issues = steps.iter().any(|step| matches!(step, Step::Issue { .. }));
    if let Some(refusal) = checks::planned_for(&planned, issues, &run.session, &run.caller) {
        return Err(refusal.into());
    }
    let issue = steps.iter().find_map(|step| match step {
        Step::Issue { generation, reasons } => Some((*generation, reasons)),
        _ => None,
    });
    let mut pending = prior.previous().clone();
    for number in kept.state.previous().keys() {
        // Dates may have moved.
        if let Some(entry) =
            kept.state.previous().get(number).filter(|entry| entry.revoke_after.is_known())
        {
            pending.insert(number.clone(), entry.clone());
        }
    }

    let proof = match issue {
        Some((generation, reasons)) => {
            let next = (generation, reasons.as_slice());
            let proof =
                generation::succeed(&run, &prior, &planned, &config, &mut kept, next, cell).await?;
            generation::retire(&prior, &config, &mut kept, &mut pending, run.session.now());
            kept.private.current_locked = false;
            proof
        }
        None if own_secret => {
            let proof = revoke::imported(&run, &prior, &config).await?;
            kept.private.proven = true;
            proof
        }
        None => revoke::current(&run, &prior, &config, kept.private.proven).await?,
    };
    let strays = prior.strays.known().cloned().unwrap_or_default();
    let ends = Ends { previous: pending, strays };
    ends.carry_out(&run, &proof, kept, &steps, cell).await
}

/// What was unknown in the planned state is filled from the prior one.
fn fill_in(kept: &mut Record, prior: &ApplicationCredential, wanted: &Policy, steps: &[Step]) {
    let Record { state, private, .. } = kept;
    if state.previous_generations.is_unknown() {
        state.previous_generations = Attr::Known(decide::staying(prior, wanted, private));
    }
    macro_rules! fill {
        ($($field:ident),*) => {
            $(if state.$field.is_unknown() {
                state.$field.clone_from(&prior.$field);
            })*
        };
    }
    fill!(
        auth_url,
        created_access_rules,
        effective_roles,
        expires_at,
        generation,
        id,
        issued_at,
        name,
        project_id,
        region_name,
        rotation_due_at,
        rotation_reason,
        secret,
        strays,
        unrestricted,
        usable,
        user_id,
        user_name
    );
    if state.rotation_due.is_unknown() {
        state.rotation_due = decide::waiting(&left_due(steps));
    }
}
