//! Ends generations: a proof first, then one by one, old ones before the current. What fails stays in the
//! state and is planned again.

use std::collections::BTreeMap;

use crate::cloud::openstack::keystone::Existence;
use crate::cloud::openstack::{Error, Login};
use crate::provider::application_credential::issue::delete_found;
use crate::provider::application_credential::model::{
    ApplicationCredential, PreviousGeneration, Stray,
};
use crate::provider::application_credential::proof::{self, Proof, Unproven, Wanted};
use crate::provider::application_credential::run::Run;
use crate::provider::application_credential::{
    ApplicationCredentialResource as Resource, Record, decide, identity, rules, told,
};
use crate::provider::errors;
use crate::rotation::Step;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::{Attr, Secret, Set};
use crate::tfplugin::traits::StateCell;

/// The current generation, proven once more before an old one ends.
pub async fn current(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    used_once: bool,
) -> Result<Proof> {
    if let Some(proof) = proof::renounced(config) {
        return Ok(proof);
    }
    let own = config.secret_wo.known();
    let own = own.filter(|_| config.secret_wo_version == prior.secret_wo_version);
    let proven = match prior.secret.known() {
        Some(secret) => used(run, prior, config, secret).await,
        // What no record proves, the user's own secret may; where it is another one by now, the record must do.
        None => match (recorded(run, prior, used_once).await?, own) {
            (Err(Unproven::NeverUsed | Unproven::Hidden), Some(own)) => {
                used(run, prior, config, own).await
            }
            (recorded, _) => recorded,
        },
    };
    proven.map_err(|failure| {
        if failure.tells_nothing() {
            return Diagnostic::error(
                "Nothing was revoked, as the current credential could not be tried",
                format!(
                    "Before an old generation is revoked, the current one, {}, must be seen to work, and the attempt ended before \
                     that: {failure}. That says nothing against it.\n\nEverything is as it was; the old generations still work. {}",
                    told::called(prior),
                    failure.way_out(Some("update"))
                ),
            )
            .into();
        }
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

/// Proof by a login with this secret.
async fn used(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    secret: &Secret,
) -> std::result::Result<Proof, Unproven> {
    let id = prior.id.known().cloned().unwrap_or_default();
    let login = Login { application_credential_id: id, secret: secret.0.clone() };
    let (wanted, options) = (Wanted::of_state(prior), config.proof.known());
    proof::by_login(&run.session, &login, &wanted, options, run.cx.cancel(), &run.patience).await
}

/// Proof by the record of an earlier login and by what Keystone lists now.
async fn recorded(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    used_once: bool,
) -> Result<std::result::Result<Proof, Unproven>> {
    let owner = prior.user_id.known().cloned().unwrap_or_default();
    let listed = match run.openstack.credentials(&run.session, &owner, &run.patience).await {
        Ok(listed) => listed,
        Err(error) if error.status() == Some(403) => return Ok(Err(Unproven::Hidden)),
        Err(error) => {
            return Err(errors::call(
                "Cannot read application credentials",
                "list the application credentials before revoking one",
                &error,
                "Nothing was revoked.",
                "",
            )
            .into());
        }
    };
    Ok(proof::by_record(prior, used_once, &listed, &run.caller, run.session.now()))
}

/// A `secret_wo` that is recorded after an import is only a claim until it has been used.
pub async fn imported(
    run: &Run<'_>,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
) -> Result<Proof> {
    let (Some(id), Some(secret)) = (prior.id.known(), config.secret_wo.known()) else {
        return Err(Diagnostic::error("No secret to prove", "secret_wo is not set.").into());
    };
    let login = Login { application_credential_id: id.clone(), secret: secret.0.clone() };
    let wanted = Wanted { project_id: prior.project_id.known().cloned(), roles: Vec::new() };
    let options = config.proof.known();
    proof::by_login(&run.session, &login, &wanted, options, run.cx.cancel(), &run.patience).await.map_err(
        |failure| {
            if failure.tells_nothing() {
                return Diagnostic::error(
                    "secret_wo could not be tried on the imported credential",
                    format!(
                        "The application credential {} was imported, and before secret_wo was seen to open it the attempt ended: \
                         {failure}. That says nothing against it.\n\nNothing was changed. {}",
                        told::called(prior),
                        failure.way_out(Some("update"))
                    ),
                )
                .into();
            }
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

/// What an update still has to end.
#[derive(Debug)]
pub struct Ends {
    pub previous: BTreeMap<String, PreviousGeneration>,
    pub strays: BTreeMap<String, Stray>,
}

impl Ends {
    /// Revokes what the plan ends, one by one, the state saved after each.
    pub async fn carry_out(
        mut self,
        run: &Run<'_>,
        _proof: &Proof,
        mut kept: Record,
        steps: &[Step],
        cell: &StateCell<Resource>,
    ) -> Result<()> {
        let mut failures = Vec::new();
        self.save(&mut kept, cell);
        for step in steps {
            let failed = match step {
                Step::Revoke { generation, .. } => {
                    self.previous_one(run, &generation.to_string()).await
                }
                Step::RevokeStray { id } => self.stray(run, id).await,
                _ => continue,
            };
            failures.extend(failed.err());
            self.save(&mut kept, cell);
        }
        if failures.is_empty() { Ok(()) } else { Err(Diagnostics(failures)) }
    }

    async fn previous_one(
        &mut self,
        run: &Run<'_>,
        number: &str,
    ) -> std::result::Result<(), Diagnostic> {
        let Some(old) = self.previous.get(number) else { return Ok(()) };
        end(run, &old.id, &old.user_id, &old.created_access_rules)
            .await
            .map_err(|error| not_revoked(&format!("generation {number}"), &old.id, &error))?;
        self.previous.remove(number);
        Ok(())
    }

    async fn stray(&mut self, run: &Run<'_>, id: &str) -> std::result::Result<(), Diagnostic> {
        let Some(stray) = self.strays.get(id) else { return Ok(()) };
        let known = Attr::Known(id.to_owned());
        // Which rules were made for it, only its name says.
        let user = stray.user_id.known().unwrap_or(&run.caller.user.id);
        let listed = run.openstack.credentials(&run.session, user, &run.patience).await.ok();
        let found = listed.iter().flat_map(|listed| listed.iter()).find(|one| one.id == id);
        let rules = Attr::from(found.map(|found| Set(rules::created(found))));
        end(run, &known, &stray.user_id, &rules)
            .await
            .map_err(|error| not_revoked("the stray", &known, &error))?;
        self.strays.remove(id);
        Ok(())
    }

    fn save(&self, kept: &mut Record, cell: &StateCell<Resource>) {
        kept.private.previous.retain(|number, _| self.previous.contains_key(&number.to_string()));
        kept.state.previous_generations = Attr::Known(self.previous.clone());
        kept.state.strays = decide::listed(self.strays.clone());
        cell.save(kept.clone());
    }
}

/// Revokes every generation; old ones first, so that what remains is a whole state.
pub async fn destroy(
    resource: &Resource,
    cx: &Context,
    prior: Record,
    cell: &StateCell<Resource>,
) -> Result<()> {
    let mut kept = prior;
    // The first half of a replacement brings none along, and what is not revoked stays in the state.
    kept.identity = Some(identity(&kept.state));
    cell.save(kept.clone());
    let run = Run::begin(resource, cx).await?;
    let mut failures = Vec::new();
    let mut remaining = kept.state.previous().clone();
    for (number, old) in remaining.clone() {
        let what = format!("generation {number}");
        let ended =
            end_here(&run, &kept.state, &what, &old.id, &old.user_id, &old.created_access_rules);
        match ended.await {
            Ok(()) => {
                remaining.remove(&number);
                kept.state.previous_generations = Attr::Known(remaining.clone());
                cell.save(kept.clone());
            }
            Err(failure) => failures.push(failure),
        }
    }
    let ApplicationCredential { id, user_id, created_access_rules, .. } = &kept.state;
    let what = "the application credential";
    let ended = end_here(&run, &kept.state, what, id, user_id, created_access_rules);
    failures.extend(ended.await.err());
    if !failures.is_empty() {
        return Err(Diagnostics(failures));
    }
    cell.clear();
    Ok(())
}

/// The one credential, for good. What is not there is gone already, unless this is not the cloud that
/// issued it: there it would go on working, forgotten.
async fn end_here(
    run: &Run<'_>,
    state: &ApplicationCredential,
    what: &str,
    id: &Attr<String>,
    owner: &Attr<String>,
    rules: &Attr<Set<String>>,
) -> std::result::Result<(), Diagnostic> {
    let failed = |error: Error| not_destroyed(run, what, id, owner, &error);
    let there = end(run, id, owner, rules).await.map_err(failed)?;
    if !there && is_elsewhere(run, state, owner).await.map_err(failed)? {
        let id = id.known().map_or("", String::as_str);
        return Err(told::not_revoked_elsewhere(state, id, run.session.cloud()));
    }
    Ok(())
}

/// Whether this Keystone knows neither the owner nor the project, as far as it tells.
async fn is_elsewhere(
    run: &Run<'_>,
    state: &ApplicationCredential,
    owner: &Attr<String>,
) -> std::result::Result<bool, Error> {
    let keystone = run.session.keystone();
    let Some(owner) = owner.known() else { return Ok(false) };
    if keystone.user_exists(owner, &run.patience).await? == Existence::Yes {
        return Ok(false);
    }
    let Some(project) = state.project_id.known() else { return Ok(true) };
    Ok(keystone.project_exists(project, &run.patience).await? != Existence::Yes)
}

/// The one credential, and the access rules that were made for it; tells whether it was there, as already
/// gone is success. In an update only who holds a proof comes here.
async fn end(
    run: &Run<'_>,
    id: &Attr<String>,
    user: &Attr<String>,
    rules: &Attr<Set<String>>,
) -> std::result::Result<bool, Error> {
    let Some(id) = id.known() else { return Ok(true) };
    let user = user.known().unwrap_or(&run.caller.user.id);
    let there = delete_found(run.openstack, &run.session, user, id, &run.patience).await?;
    let rules = rules.known().map(|rules| rules.0.as_slice()).unwrap_or_default();
    rules::forget(&run.session, user, rules).await;
    Ok(there)
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
