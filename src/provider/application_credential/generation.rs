//! Makes the next generation: what must hold is checked, the credential is issued, proven and written down;
//! one that fails its proof is taken back.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::openstack::{Error, Patience};
use crate::provider::application_credential::issue::{Issued, LIMIT, delete, issue, no_random};
use crate::provider::application_credential::model::{
    ApplicationCredential, PreviousGeneration, Stray,
};
use crate::provider::application_credential::naming::Naming;
use crate::provider::application_credential::private::Retired;
use crate::provider::application_credential::proof::{self, Proof, Unproven, Wanted};
use crate::provider::application_credential::run::Run;
use crate::provider::application_credential::{
    ApplicationCredentialResource as Resource, Record, checks, decide, identity, rules, told,
    validate,
};
use crate::provider::arguments::{moment, number, whole_seconds, written};
use crate::provider::errors;
use crate::provider::openstack::grace;
use crate::provider::schedule::Scheduled as _;
use crate::provider::schedule::due::recorded_due;
use crate::rotation::{Due, Reason, sentence};
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::{Attr, Secret, Set};
use crate::tfplugin::traits::StateCell;

/// A successor, issued and proven; one that fails its proof is taken back.
pub async fn succeed(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    planned: &ApplicationCredential,
    config: &ApplicationCredential,
    kept: &mut Record,
    (generation, reasons): (u64, &[Reason]),
    cell: &StateCell<Resource>,
) -> Result<Proof> {
    if kept.private.naming.is_empty() {
        kept.private.naming = Naming::new().map_err(no_random)?;
    }
    let before = cell.current();
    let issued = next(run, Some(prior), config, kept, generation).await?;
    if !issued.found.is_empty() {
        run.cx.tell(told::made_already(generation, &issued.found, &issued.credential));
    }
    // Should this run die now, the state knows of it.
    if let Some(mut before) = before.clone() {
        let mut strays = before.state.strays.known().cloned().unwrap_or_default();
        for credential in issued.found.iter().chain([&issued.credential]) {
            strays.insert(credential.id.clone(), Stray::from(credential));
        }
        before.state.strays = Attr::Known(strays);
        before.private.naming = kept.private.naming.clone();
        cell.save(before);
    }
    let proof = match prove(run, config, &issued).await {
        Ok(proof) => proof,
        Err(failure) => {
            let taken_back = take_back(run, &issued).await;
            if let (Ok(()), Some(before)) = (&taken_back, before) {
                cell.save(before);
            }
            return Err(not_succeeded(prior, &issued, &failure, taken_back.err().as_ref()).into());
        }
    };
    record(kept, planned, config, &issued, run);
    proven(kept, config);
    kept.state.generation = number(generation);
    if !kept.state.rotation_reason.is_known() || kept.state.rotation_reason == prior.rotation_reason
    {
        kept.state.rotation_reason = Attr::Known(sentence(generation, reasons));
    }
    Ok(proof)
}

/// Checks what must hold, then issues.
pub async fn next(
    run: &Run<'_>,
    prior: Option<&ApplicationCredential>,
    config: &ApplicationCredential,
    kept: &Record,
    generation: u64,
) -> Result<Issued> {
    // What was not known to `validate`: an empty restriction gives every right.
    validate::rights(config)?;
    let refusals = checks::may_issue(&run.session, &run.caller, config, &run.patience).await;
    if !refusals.is_empty() {
        return Err(Diagnostics(refusals));
    }
    if config.secret_wo_version.is_known() && !config.secret_wo.is_known() {
        return Err(no_secret().into());
    }
    let prefix = config.name_prefix.known().map_or("", String::as_str);
    let name = |tried: usize, made_rules: &[bool]| match config.name.known() {
        Some(name) => (tried == 0).then(|| name.clone()),
        None => kept.private.naming.other_name(prefix, generation, tried, made_rules),
    };
    let issued = issue(run.openstack, &run.session, &run.caller, config, name, &run.patience).await;
    issued.map_err(|failure| match prior {
        Some(prior) => could_go(failure, prior, &run.caller.user.id),
        None => failure,
    })
}

/// Core hands over no write-only value where the whole resource is ignored.
fn no_secret() -> Diagnostic {
    Diagnostic::error(
        "secret_wo was not handed over",
        "The next generation is to be issued with the secret in secret_wo, and Terraform did not hand it over, as with \
         `ignore_changes = all`. Nothing was issued. List the arguments to ignore instead of all of them.",
    )
    .at_attribute("secret_wo")
}

/// Where the caller's limit is reached: which of its generations could make room. The current one is not
/// among them, nor is what counts for another user.
fn could_go(mut failure: Diagnostics, prior: &ApplicationCredential, user: &str) -> Diagnostics {
    let own = |owner: &Attr<String>| owner.known().is_some_and(|owner| owner == user);
    let old = prior.previous().iter().filter(|(_, old)| own(&old.user_id));
    let old = old.map(|(number, old)| (format!("generation {number}"), old.id.known().cloned()));
    let strays = prior.strays.known().into_iter().flatten();
    let strays = strays.filter(|(_, stray)| own(&stray.user_id));
    let strays = strays.map(|(id, _)| ("stray".to_owned(), Some(id.clone())));
    let all: Vec<String> = old
        .chain(strays)
        .map(|(what, id)| format!("{what} ({})", id.unwrap_or_default()))
        .collect();
    for diagnostic in &mut failure.0 {
        if diagnostic.detail.contains(LIMIT) && !all.is_empty() {
            let room = format!(
                "\n\nOf this resource these could go: {}. A shorter `overlap`, or `revoke_strays`, lets them.",
                all.join(", ")
            );
            diagnostic.detail.push_str(&room);
        }
    }
    failure
}

/// Uses the new credential. Once it exists this is finished even when the operation was stopped.
pub async fn prove(
    run: &Run<'_>,
    config: &ApplicationCredential,
    issued: &Issued,
) -> std::result::Result<Proof, Unproven> {
    if let Some(proof) = proof::renounced(config) {
        return Ok(proof);
    }
    let wanted = Wanted::of(&issued.credential);
    let options = config.proof.known();
    let patience = Patience { deadline: run.patience.deadline, ..Patience::default() };
    proof::by_login(&run.session, &issued.login(), &wanted, options, run.cx.cancel(), &patience)
        .await
}

pub async fn take_back(run: &Run<'_>, issued: &Issued) -> std::result::Result<(), Error> {
    let user = &run.caller.user.id;
    delete(run.openstack, &run.session, user, &issued.credential.id, &grace()).await?;
    rules::forget(&run.session, user, &issued.rules).await;
    Ok(())
}

/// Writes down what was issued.
pub fn record(
    kept: &mut Record,
    planned: &ApplicationCredential,
    config: &ApplicationCredential,
    issued: &Issued,
    run: &Run<'_>,
) {
    let Record { state, private, .. } = kept;
    let credential = &issued.credential;
    state.id = Attr::Known(credential.id.clone());
    if !planned.name.is_known() {
        state.name = Attr::Known(credential.name.clone());
    }
    let own_secret = config.secret_wo_version.known().is_some();
    state.secret = if own_secret { Attr::Null } else { Attr::Known(Secret(issued.secret.clone())) };
    state.issued_at = Attr::Known(written(issued.at));
    if !planned.expires_at.is_known() {
        state.expires_at = credential.expires_at.map(written).into();
    }
    state.unrestricted = Attr::Known(credential.unrestricted);
    state.user_id = Attr::Known(credential.user_id.clone());
    state.user_name = Attr::Known(run.caller.user.name.clone());
    state.project_id = credential.project_id.clone().into();
    if planned.auth_url.is_unknown() {
        state.auth_url = Attr::Known(run.session.cloud().auth_url.clone());
        state.region_name = run.session.cloud().region_name.clone().into();
    }
    let roles = credential.roles.iter();
    if planned.effective_roles.is_unknown() {
        state.effective_roles =
            Attr::Known(Set(roles.clone().map(|role| role.name.clone()).collect()));
    }
    private.roles = roles.map(|role| (role.id.clone(), role.name.clone())).collect();
    private.imported_at = None;
    private.current_expired = false;
    private.expires_soon = false;
    private.fixed_expiry = config.expires_at.known().is_some();
    if planned.created_access_rules.is_unknown() {
        state.created_access_rules = Attr::Known(Set(issued.rules.clone()));
    }
    private.proven = false;
    // Whoever issues it owns it, until another login looks.
    private.owner_reads = true;
    if planned.usable.is_unknown() {
        state.usable = Attr::Null;
    }
    let next = config.policy().next(decide::since(state, private), credential.expires_at);
    state.rotation_due_at = next.map(written).into();
    kept.identity = Some(identity(&kept.state));
}

/// Writes down that it was used.
pub fn proven(kept: &mut Record, config: &ApplicationCredential) {
    if proof::renounced(config).is_some() {
        return;
    }
    kept.private.proven = true;
    if config.check_usable.known() == Some(&true) {
        kept.state.usable = Attr::Known(true);
    }
}

/// The old generation gets its end, unless it is gone already.
pub fn retire(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    kept: &mut Record,
    pending: &mut BTreeMap<String, PreviousGeneration>,
    now: Timestamp,
) {
    if recorded_due(&prior.rotation_due).contains(&Due::Vanished) {
        return;
    }
    let generation = prior.number();
    let retired = Retired {
        at: whole_seconds(now),
        expires_at: moment(&prior.expires_at),
        locked: kept.private.current_locked,
    };
    let revoke_after = config.policy().revoke_after(retired.at, retired.expires_at);
    pending.insert(
        generation.to_string(),
        PreviousGeneration {
            created_access_rules: prior.created_access_rules.clone(),
            id: prior.id.clone(),
            name: prior.name.clone(),
            revoke_after: Attr::Known(written(revoke_after)),
            user_id: prior.user_id.clone(),
        },
    );
    kept.private.previous.insert(generation, retired);
}

pub fn failed(
    issued: &Issued,
    failure: &Unproven,
    kept: Option<&Error>,
    valid: &str,
    operation: &str,
) -> Diagnostic {
    let credential = &issued.credential;
    let take_back = kept.map_or(String::new(), |error| {
        format!(" It could not be revoked either: {}.", errors::story(error))
    });
    if failure.tells_nothing() {
        return undecided(issued, failure, &format!("{valid}{take_back}"), Some(operation));
    }
    Diagnostic::error(
        "The new application credential failed its proof",
        format!(
            "The application credential {:?} ({}) was issued, but {failure}.{take_back}\n\n{valid}",
            credential.name, credential.id
        ),
    )
}

/// Nothing is held against a credential that nobody could try.
pub fn undecided(
    issued: &Issued,
    failure: &Unproven,
    valid: &str,
    operation: Option<&str>,
) -> Diagnostic {
    let credential = &issued.credential;
    Diagnostic::error(
        "The new application credential could not be tried",
        format!(
            "The application credential {:?} ({}) was issued, and before it was seen to work the attempt ended: {failure}. That says \
             nothing against it, but nothing may depend on a credential that was never used. {valid}\n\n{}",
            credential.name,
            credential.id,
            failure.way_out(operation)
        ),
    )
}

fn not_succeeded(
    prior: &ApplicationCredential,
    issued: &Issued,
    failure: &Unproven,
    kept: Option<&Error>,
) -> Diagnostic {
    let current = told::called(prior);
    let valid = match kept {
        None => format!(
            "It was revoked again. The application credential {current} is still the current one and nothing of it was revoked. \
             The next apply tries the rotation again."
        ),
        Some(_) => format!(
            "The application credential {current} is still the current one. The new one is listed in `strays`: name its id in \
             revoke_strays to revoke it."
        ),
    };
    failed(issued, failure, kept, &valid, "update")
}
