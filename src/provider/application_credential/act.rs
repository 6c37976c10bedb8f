//! Create, Update, Delete: the steps of the plan, one effect at a time, the honest state saved after each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock;
use crate::cloud::openstack::{Error, Login, Patience, Session, Token};
use crate::provider::application_credential::issue::{
    Issued, LIMIT, delete, forget_rules, grace, issue, no_random,
};
use crate::provider::application_credential::model::{
    ApplicationCredential, PreviousGeneration, Stray,
};
use crate::provider::application_credential::private::{Naming, Private, Retired};
use crate::provider::application_credential::proof::{self, Proof, Wanted};
use crate::provider::application_credential::{
    ApplicationCredentialResource as Resource, Kept, checks, decide, identity, inputs, told,
};
use crate::provider::arguments::{moment, number, written};
use crate::provider::due::{recorded_due, rotation_due};
use crate::provider::errors;
use crate::provider::openstack::{Openstack, patience, token};
use crate::rotation::{Reason, Step, left_due, sentence};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::{Attr, Secret, Set};
use crate::tfplugin::traits::{Change, StateCell};

/// What every step needs.
struct Run<'a> {
    openstack: &'a Openstack,
    cx: &'a Context,
    session: Session,
    caller: Token,
    patience: Patience,
}

impl<'a> Run<'a> {
    async fn begin(resource: &'a Resource, cx: &'a Context) -> Result<Self> {
        let session = resource.openstack.session_now().await?;
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        Ok(Self { openstack: &resource.openstack, cx, session, caller, patience })
    }
}

/// The first generation.
pub async fn create(
    resource: &Resource,
    cx: &Context,
    change: Change<Resource>,
    cell: &StateCell<Resource>,
) -> Result<()> {
    let run = Run::begin(resource, cx).await?;
    let Change { planned, config, .. } = change;
    let mut kept = Kept { state: planned, private: Private::default(), identity: None };
    kept.private.naming = Naming::new().map_err(no_random)?;
    let issued = next(&run, &config, &kept, 1).await?;
    record(&mut kept, &config, &issued, &run);
    cell.save(kept.clone());

    match prove(&run, &config, &issued).await {
        Ok(_) => {
            proven(&mut kept, &config, &issued);
            cell.save(kept);
            Ok(())
        }
        Err(failure) => match take_back(&run, &issued).await {
            Ok(()) => {
                cell.clear();
                Err(failed(&issued, &failure, None, "It was revoked again, and nothing is left of it.").into())
            }
            Err(error) => Err(failed(
                &issued,
                &failure,
                Some(&error),
                "It exists, and the state keeps it as tainted: the next apply revokes it and issues another.",
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
    let Some(prior) = prior else {
        return Err(Diagnostic::error(
            "Update without a prior state",
            "This is a bug of the provider.",
        )
        .into());
    };
    let inputs = inputs::compare(&prior, &config, &private);
    let steps = decide::steps(&prior, &config, &private, &inputs);
    let adopted_secret = private.adopted && config.secret_wo.known().is_some();
    let acts = steps.iter().any(|step| {
        matches!(step, Step::Issue { .. } | Step::Revoke { .. } | Step::RevokeStray { .. })
    });

    let mut kept = Kept { state: settled(&planned, &prior, &steps), private, identity: None };
    kept.state.rotation_due_at =
        decide::next_due(&inputs::policy(&config), &kept.state, &kept.private);
    kept.private.adopted = false;
    kept.private.fixed_expiry = config.expires_at.known().is_some();
    kept.identity = Some(identity(&kept.state));
    if !acts && !adopted_secret {
        cell.save(kept);
        return Ok(());
    }

    let run = Run::begin(resource, cx).await?;
    if let Some(refusal) = checks::may_manage(&run.caller, "issue or revoke").filter(|_| acts) {
        return Err(refusal.into());
    }
    let issue = steps.iter().find_map(|step| match step {
        Step::Issue { generation, reasons } => Some((*generation, reasons)),
        _ => None,
    });
    let mut pending = decide::previous(&prior).clone();
    for number in decide::previous(&kept.state).keys() {
        // Dates may have moved.
        if let Some(entry) =
            decide::previous(&kept.state).get(number).filter(|entry| entry.revoke_after.is_known())
        {
            pending.insert(number.clone(), entry.clone());
        }
    }

    let proof = match issue {
        Some((generation, reasons)) => {
            let proof = rotate(&run, &prior, &config, &mut kept, generation, reasons, cell).await?;
            retire(&prior, &config, &mut kept, &mut pending, clock::now());
            kept.private.current_locked = false;
            proof
        }
        None if adopted_secret => adopted(&run, &prior, &config).await?,
        None => current(&run, &prior, &config, &kept).await?,
    };
    let strays = prior.strays.known().cloned().unwrap_or_default();
    finish(&run, &proof, kept, &steps, pending, strays, cell).await
}

/// Issues the next generation and proves it; one that fails its proof is taken back.
async fn rotate(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    kept: &mut Kept,
    generation: u64,
    reasons: &[Reason],
    cell: &StateCell<Resource>,
) -> Result<Proof> {
    if kept.private.naming.is_empty() {
        kept.private.naming = Naming::new().map_err(no_random)?;
    }
    let before = cell.current();
    let issued = next(run, config, kept, generation).await?;
    // Should this run die now, the state knows of it.
    if let Some(mut before) = before.clone() {
        let mut strays = before.state.strays.known().cloned().unwrap_or_default();
        strays.insert(issued.credential.id.clone(), Stray::from(&issued.credential));
        before.state.strays = Attr::Known(strays);
        before.private.naming = kept.private.naming.clone();
        cell.save(before);
    }
    match prove(run, config, &issued).await {
        Ok(proof) => {
            record(kept, config, &issued, run);
            proven(kept, config, &issued);
            kept.state.generation = number(generation);
            if !kept.state.rotation_reason.is_known() || kept.state.rotation_reason == prior.rotation_reason {
                kept.state.rotation_reason = Attr::Known(sentence(generation, reasons));
            }
            Ok(proof)
        }
        Err(failure) => match take_back(run, &issued).await {
            Ok(()) => {
                if let Some(before) = before {
                    cell.save(before);
                }
                Err(failed(
                    &issued,
                    &failure,
                    None,
                    &format!(
                        "It was revoked again. The application credential {} is still the current one and nothing of it was \
                         revoked. The next apply tries the rotation again.",
                        told::called(prior)
                    ),
                )
                .into())
            }
            Err(error) => Err(failed(
                &issued,
                &failure,
                Some(&error),
                &format!(
                    "The application credential {} is still the current one. The new one is listed in `strays`: name its id in \
                     revoke_strays to revoke it.",
                    told::called(prior)
                ),
            )
            .into()),
        },
    }
}

/// Checks what must hold, then issues.
async fn next(
    run: &Run<'_>,
    config: &ApplicationCredential,
    kept: &Kept,
    generation: u64,
) -> Result<Issued> {
    let refusals = checks::may_issue(&run.session, &run.caller, config, &run.patience).await;
    if !refusals.is_empty() {
        return Err(Diagnostics(refusals));
    }
    let name = match (config.name.known(), config.name_prefix.known()) {
        (Some(name), _) => name.clone(),
        (None, prefix) => kept.private.naming.name(prefix.map_or("", String::as_str), generation),
    };
    let issued = issue(run.openstack, &run.session, &run.caller, config, name, &run.patience).await;
    issued.map_err(|failure| could_go(failure, kept))
}

/// Where a limit is reached: which generations of this resource could make room.
fn could_go(mut failure: Diagnostics, kept: &Kept) -> Diagnostics {
    let old = decide::previous(&kept.state).iter();
    let old = old.map(|(number, old)| (format!("generation {number}"), old.id.known().cloned()));
    let strays = kept.state.strays.known().into_iter().flatten();
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
async fn prove(
    run: &Run<'_>,
    config: &ApplicationCredential,
    issued: &Issued,
) -> std::result::Result<Proof, proof::Unproven> {
    if let Some(proof) = proof::renounced(config) {
        return Ok(proof);
    }
    let wanted = Wanted::of(&issued.credential);
    let options = config.verify_options.known();
    let patience = Patience { deadline: run.patience.deadline, ..Patience::default() };
    proof::by_login(&run.session, &issued.login(), &wanted, options, run.cx.cancel(), &patience)
        .await
}

async fn take_back(run: &Run<'_>, issued: &Issued) -> std::result::Result<(), Error> {
    let user = &run.caller.user.id;
    delete(run.openstack, &run.session, user, &issued.credential.id, &grace()).await?;
    forget_rules(&run.session, user, &issued.rules).await;
    Ok(())
}

/// The current generation, proven once more before an old one ends.
async fn current(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    kept: &Kept,
) -> Result<Proof> {
    if let Some(proof) = proof::renounced(config) {
        return Ok(proof);
    }
    let proven = if let (Some(id), Some(secret)) = (prior.id.known(), prior.secret.known()) {
        let login = Login { application_credential_id: id.clone(), secret: secret.0.clone() };
        let roles = kept.private.roles.iter().map(|(id, name)| (id.clone(), name.clone()));
        let wanted =
            Wanted { project_id: prior.project_id.known().cloned(), roles: roles.collect() };
        let options = config.verify_options.known();
        proof::by_login(&run.session, &login, &wanted, options, run.cx.cancel(), &run.patience)
            .await
    } else {
        let owner = prior.user_id.known().cloned().unwrap_or_default();
        let listed = run.openstack.credentials(&run.session, &owner, &run.patience).await;
        let listed = listed.map_err(|error| {
            errors::call(
                "Cannot read application credentials",
                "list the application credentials before revoking one",
                &error,
                "Nothing was revoked.",
                "",
            )
        })?;
        proof::by_record(prior, &kept.private, &listed, clock::now())
    };
    proven.map_err(|failure| {
        Diagnostic::error(
            "Nothing was revoked, as the current credential is not proven",
            format!(
                "Before an old generation is revoked, the current one, {}, must be seen to work: {failure}.\n\nEverything is as it \
                 was; the old generations still work.",
                told::called(prior)
            ),
        )
        .into()
    })
}

/// A `secret_wo` that is recorded after an import is only a claim until it has been used.
async fn adopted(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
) -> Result<Proof> {
    let (Some(id), Some(secret)) = (prior.id.known(), config.secret_wo.known()) else {
        return Err(Diagnostic::error("No secret to prove", "secret_wo is not set.").into());
    };
    let login = Login { application_credential_id: id.clone(), secret: secret.0.clone() };
    let wanted = Wanted { project_id: prior.project_id.known().cloned(), roles: Vec::new() };
    let options = config.verify_options.known();
    proof::by_login(&run.session, &login, &wanted, options, run.cx.cancel(), &run.patience).await.map_err(
        |failure| {
            Diagnostic::error(
                "secret_wo is not the secret of the imported credential",
                format!(
                    "The application credential {} was imported, and secret_wo does not open it: {failure}.\n\nNothing was \
                     changed. Give secret_wo the credential's own secret, or raise secret_wo_version after this import to \
                     rotate to a new one.",
                    told::called(prior)
                ),
            )
            .at_attribute("secret_wo")
            .into()
        },
    )
}

/// Revokes what the plan ends, one by one; what fails stays in the state and is planned again.
async fn finish(
    run: &Run<'_>,
    proof: &Proof,
    mut kept: Kept,
    steps: &[Step],
    mut pending: BTreeMap<String, PreviousGeneration>,
    mut strays: BTreeMap<String, Stray>,
    cell: &StateCell<Resource>,
) -> Result<()> {
    let mut failures = Vec::new();
    let save = |kept: &mut Kept,
                pending: &BTreeMap<String, PreviousGeneration>,
                strays: &BTreeMap<String, Stray>| {
        kept.private.previous.retain(|number, _| pending.contains_key(&number.to_string()));
        kept.state.previous_generations = Attr::Known(pending.clone());
        kept.state.strays = Attr::Known(strays.clone());
        cell.save(kept.clone());
    };
    save(&mut kept, &pending, &strays);
    for step in steps {
        match step {
            Step::Revoke { generation, .. } => {
                let number = generation.to_string();
                let Some(old) = pending.get(&number).cloned() else { continue };
                match revoke(run, proof, &mut kept, &old.id, &old.user_id).await {
                    Ok(()) => {
                        pending.remove(&number);
                    }
                    Err(error) => {
                        failures.push(not_revoked(
                            &format!("generation {number}"),
                            &old.id,
                            &error,
                        ));
                    }
                }
            }
            Step::RevokeStray { id } => {
                let Some(stray) = strays.get(id).cloned() else { continue };
                match revoke(run, proof, &mut kept, &Attr::Known(id.clone()), &stray.user_id).await
                {
                    Ok(()) => {
                        strays.remove(id);
                    }
                    Err(error) => {
                        failures.push(not_revoked("the stray", &Attr::Known(id.clone()), &error));
                    }
                }
            }
            _ => continue,
        }
        save(&mut kept, &pending, &strays);
    }
    if failures.is_empty() { Ok(()) } else { Err(Diagnostics(failures)) }
}

async fn revoke(
    run: &Run<'_>,
    _proof: &Proof,
    kept: &mut Kept,
    id: &Attr<String>,
    user: &Attr<String>,
) -> std::result::Result<(), Error> {
    let Some(id) = id.known() else { return Ok(()) };
    let user = user.known().unwrap_or(&run.caller.user.id).clone();
    delete(run.openstack, &run.session, &user, id, &run.patience).await?;
    if let Some(rules) = kept.private.rules.remove(id) {
        forget_rules(&run.session, &user, &rules).await;
    }
    Ok(())
}

/// Revokes every generation; old ones first, so that what remains is a whole state.
pub async fn destroy(
    resource: &Resource,
    cx: &Context,
    prior: Kept,
    cell: &StateCell<Resource>,
) -> Result<()> {
    let run = Run::begin(resource, cx).await?;
    let mut kept = prior;
    let mut failures = Vec::new();
    let mut remaining = decide::previous(&kept.state).clone();
    for (number, old) in remaining.clone() {
        match end(&run, &mut kept, &old.id, &old.user_id).await {
            Ok(()) => {
                remaining.remove(&number);
                kept.state.previous_generations = Attr::Known(remaining.clone());
                cell.save(kept.clone());
            }
            Err(error) => {
                failures.push(not_destroyed(
                    &run,
                    &format!("generation {number}"),
                    &old.id,
                    &old.user_id,
                    &error,
                ));
            }
        }
    }
    let (id, user) = (kept.state.id.clone(), kept.state.user_id.clone());
    if let Err(error) = end(&run, &mut kept, &id, &user).await {
        failures.push(not_destroyed(&run, "the application credential", &id, &user, &error));
    }
    if !failures.is_empty() {
        return Err(Diagnostics(failures));
    }
    cell.clear();
    Ok(())
}

async fn end(
    run: &Run<'_>,
    kept: &mut Kept,
    id: &Attr<String>,
    user: &Attr<String>,
) -> std::result::Result<(), Error> {
    let Some(id) = id.known() else { return Ok(()) };
    let user = user.known().unwrap_or(&run.caller.user.id).clone();
    delete(run.openstack, &run.session, &user, id, &run.patience).await?;
    if let Some(rules) = kept.private.rules.remove(id) {
        forget_rules(&run.session, &user, &rules).await;
    }
    Ok(())
}

/// The planned state, what was unknown in it filled from the prior one.
fn settled(
    planned: &ApplicationCredential,
    prior: &ApplicationCredential,
    steps: &[Step],
) -> ApplicationCredential {
    let mut state = planned.clone();
    macro_rules! fill {
        ($($field:ident),*) => {
            $(state.$field = state.$field.or_if_unknown(prior.$field.clone());)*
        };
    }
    fill!(
        auth_url,
        effective_roles,
        expires_at,
        generation,
        id,
        issued_at,
        missing_roles,
        name,
        previous_generations,
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
        state.rotation_due = rotation_due(&left_due(steps));
    }
    state
}

/// Writes down what was issued.
fn record(kept: &mut Kept, config: &ApplicationCredential, issued: &Issued, run: &Run<'_>) {
    let Kept { state, private, .. } = kept;
    let credential = &issued.credential;
    state.id = Attr::Known(credential.id.clone());
    state.name = Attr::Known(credential.name.clone());
    let own_secret = config.secret_wo_version.known().is_some();
    state.secret = if own_secret { Attr::Null } else { Attr::Known(Secret(issued.secret.clone())) };
    state.issued_at = Attr::Known(written(issued.at));
    if config.expires_at.known().is_none() {
        state.expires_at = credential.expires_at.map(written).into();
    }
    state.unrestricted = Attr::Known(credential.unrestricted);
    state.user_id = Attr::Known(credential.user_id.clone());
    state.user_name = Attr::Known(run.caller.user.name.clone());
    state.project_id = credential.project_id.clone().into();
    if state.auth_url.known().is_none() {
        state.auth_url = Attr::Known(run.session.cloud().auth_url.clone());
        state.region_name = run.session.cloud().region_name.clone().into();
    }
    let roles = credential.roles.iter();
    if state.effective_roles.known().is_none()
        || config.roles.known().is_none()
        || state.generation == Attr::Known(1)
    {
        state.effective_roles =
            Attr::Known(Set(roles.clone().map(|role| role.name.clone()).collect()));
    }
    private.roles = roles.map(|role| (role.id.clone(), role.name.clone())).collect();
    private.adopted_at = None;
    private.current_expired = false;
    private.fixed_expiry = config.expires_at.known().is_some();
    if !issued.rules.is_empty() {
        private.rules.insert(credential.id.clone(), issued.rules.clone());
    }
    if state.usable.is_unknown() {
        (state.usable, state.missing_roles) = (Attr::Null, Attr::Null);
    }
    state.rotation_due_at = decide::next_due(&inputs::policy(config), state, private);
    kept.identity = Some(identity(&kept.state));
}

/// Writes down that it was used.
fn proven(kept: &mut Kept, config: &ApplicationCredential, issued: &Issued) {
    if config.verify.known() == Some(&false) {
        return;
    }
    kept.private.proven = Some(issued.credential.id.clone());
    if config.check_usable.known() == Some(&true) {
        kept.state.usable = Attr::Known(true);
        kept.state.missing_roles = Attr::Known(Set::default());
    }
}

/// The old generation gets its end, unless it is gone already.
fn retire(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    kept: &mut Kept,
    pending: &mut BTreeMap<String, PreviousGeneration>,
    now: Timestamp,
) {
    if recorded_due(&prior.rotation_due).contains(&crate::rotation::Due::Vanished) {
        return;
    }
    let generation = decide::generation(prior);
    let retired = Retired {
        at: crate::provider::arguments::whole_seconds(now),
        expires_at: moment(&prior.expires_at),
        locked: kept.private.current_locked,
    };
    let revoke_after = inputs::policy(config).revoke_after(retired.at, retired.expires_at);
    pending.insert(
        generation.to_string(),
        PreviousGeneration {
            id: prior.id.clone(),
            name: prior.name.clone(),
            revoke_after: Attr::Known(written(revoke_after)),
            user_id: prior.user_id.clone(),
        },
    );
    kept.private.previous.insert(generation, retired);
}

fn failed(
    issued: &Issued,
    failure: &proof::Unproven,
    kept: Option<&Error>,
    valid: &str,
) -> Diagnostic {
    let credential = &issued.credential;
    let take_back = kept.map_or(String::new(), |error| {
        format!(" It could not be revoked either: {}.", errors::story(error))
    });
    Diagnostic::error(
        "The new application credential failed its proof",
        format!(
            "The application credential {:?} ({}) was issued, but {failure}.{take_back}\n\n{valid}",
            credential.name, credential.id
        ),
    )
}

fn not_revoked(what: &str, id: &Attr<String>, error: &Error) -> Diagnostic {
    errors::call(
        "An old application credential was not revoked",
        &format!("revoke {what} ({})", id.known().map_or("", String::as_str)),
        error,
        "The current generation is proven and in the state; the old one goes on working.",
        "It stays in the state, and the next apply tries to revoke it again.",
    )
}

fn not_destroyed(
    run: &Run<'_>,
    what: &str,
    id: &Attr<String>,
    user: &Attr<String>,
    error: &Error,
) -> Diagnostic {
    let owner = user.known().map_or("its owner", String::as_str);
    let next = match error.status() {
        Some(403) if run.caller.application_credential.as_ref().is_some_and(|login| login.restricted) => {
            "The login is a restricted application credential, which may not revoke any. Log in as the user.".to_owned()
        }
        Some(403) => format!(
            "Only its owner, user {owner}, or an administrator may revoke it; this login is {} ({}). Apply as one of them, or \
             have it revoked by hand and apply again.",
            run.caller.user.name, run.caller.user.id
        ),
        _ => "Apply again to try once more.".to_owned(),
    };
    errors::call(
        "An application credential was not revoked",
        &format!("revoke {what} ({})", id.known().map_or("", String::as_str)),
        error,
        "It goes on working, and stays in the state.",
        &next,
    )
}
