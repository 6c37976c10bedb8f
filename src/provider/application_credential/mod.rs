//! `rekey_application_credential`: the life of a Keystone application credential.
//!
//! `model` is the schema, `observe` is Read, `decide` is Plan, `act` is Create and Update, `revoke` is Delete.

pub mod act;
pub mod adopt;
pub mod checks;
pub mod decide;
pub mod generation;
pub mod inputs;
pub mod issue;
pub mod model;
pub mod observe;
pub mod private;
pub mod proof;
pub mod revoke;
pub mod rules;
pub mod told;
pub mod validate;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use model::{AccessRule, ApplicationCredential, Identity};
pub use private::{Naming, Private, RUN_PREFIX};
pub use proof::Wanted;

use crate::clock;
use crate::cloud::openstack::keystone;
use crate::provider::application_credential::model::Stray;
use crate::provider::arguments::moment;
use crate::provider::openstack::{Openstack, patience, token};
use crate::provider::schedule::Scheduled as _;
use crate::provider::schedule::due::recorded_due;
use crate::provider::schedule::known_policy;
use crate::provider::timeouts::Defaults;
use crate::rotation::{Moment, remaining};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::Attr;
use crate::tfplugin::traits::{
    Change, ImportTarget, MoveSource, Operation, Plan, PlanRequest, Resource, StateCell, Stored,
};

/// See the module.
#[derive(Debug)]
pub struct ApplicationCredentialResource {
    openstack: Arc<Openstack>,
}

type Kept = Stored<ApplicationCredentialResource>;

impl ApplicationCredentialResource {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }

    /// What the cloud can say of a plan already; nothing while the provider is not configured.
    async fn check(
        &self,
        cx: &Context,
        prior: Option<&ApplicationCredential>,
        config: &ApplicationCredential,
        decision: &decide::Decision,
    ) -> Result<()> {
        let issues = prior.is_none() || decision.issues();
        if !issues && !decision.revokes() {
            return Ok(());
        }
        let mut refusals = Vec::new();
        if issues
            && let Some(expiry) = moment(&config.expires_at)
            && expiry <= clock::now()
        {
            refusals.push(expired(expiry));
        }
        if let Ok(session) = self.openstack.session().await? {
            let patience = patience(cx);
            let caller = token(&session, &patience).await?;
            if issues {
                refusals.extend(checks::may_issue(&session, &caller, config, &patience).await);
            } else {
                refusals.extend(checks::may_manage(&caller, "revoke"));
            }
            let other = |prior: &&ApplicationCredential| {
                prior.user_id.known().is_some_and(|owner| *owner != caller.user.id)
            };
            if let Some(prior) = prior.filter(other).filter(|_| issues) {
                cx.tell(told::owner_changes(prior, &caller));
            }
        }
        self.openstack.plan_checks().refuse(cx, refusals)
    }
}

#[async_trait]
impl Resource for ApplicationCredentialResource {
    type Identity = Identity;
    type Model = ApplicationCredential;
    type Private = Private;

    const NAME: &'static str = "application_credential";

    fn timeout(&self, operation: Operation, model: &ApplicationCredential) -> Option<Duration> {
        let (minutes, two) = (Duration::from_mins(5), Duration::from_mins(2));
        let defaults = Defaults { create: minutes, delete: minutes, read: two, update: minutes };
        Some(defaults.or(&model.timeouts, operation))
    }

    async fn validate(&self, _cx: &Context, config: &ApplicationCredential) -> Result<()> {
        validate::validate(config)
    }

    async fn read(&self, cx: &Context, stored: Kept) -> Result<Option<Kept>> {
        observe::read(self, cx, stored).await
    }

    async fn plan(&self, cx: &Context, request: PlanRequest<Self>) -> Result<Plan<Self>> {
        let PlanRequest { prior, config, private, .. } = &request;
        if prior.is_some() {
            known_policy(config)?;
        }
        let decision = decide::decide(&request);
        if let Some(prior) = prior {
            told::planned(cx, prior, config, &decision.steps);
            told::not_revocable(cx, prior, config, &private.locked_strays);
            if private.current_expired && !decision.issues() {
                told::kept_for_want_of_proof(cx, prior, config, &decision.steps);
            }
            // Read judges by the state, and cannot know yet that the configuration holds it now.
            if prior.rotate.known() != Some(&false) && config.rotate.known() == Some(&false) {
                told::held(cx, prior, &recorded_due(&prior.rotation_due));
            }
            let state = decide::state(prior, private);
            let remaining = remaining(&state, &config.policy());
            told::policy_changed(cx, prior, &decision.steps, &remaining);
        }
        self.check(cx, prior.as_ref(), config, &decision).await?;
        Ok(Plan {
            planned: decision.planned,
            private: private.clone(),
            requires_replace: decision.requires_replace,
        })
    }

    async fn plan_destroy(&self, cx: &Context, prior: Kept) -> Result<()> {
        told::strays_stay(cx, &prior.state);
        let Ok(session) = self.openstack.session().await? else { return Ok(()) };
        let caller = token(&session, &patience(cx)).await?;
        let refusals = checks::may_manage(&caller, "revoke").into_iter().collect();
        self.openstack.plan_checks().refuse(cx, refusals)
    }

    async fn create(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        Box::pin(act::create(self, cx, change, state)).await
    }

    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        Box::pin(act::update(self, cx, change, state)).await
    }

    async fn delete(&self, cx: &Context, prior: Kept, state: &StateCell<Self>) -> Result<()> {
        revoke::destroy(self, cx, prior, state).await
    }

    async fn import(&self, cx: &Context, target: ImportTarget<Identity>) -> Result<Kept> {
        adopt::import(self, cx, target).await
    }

    async fn move_state(&self, _cx: &Context, source: MoveSource) -> Result<Option<Kept>> {
        adopt::from_other(&source)
    }
}

/// The identity follows the current generation.
fn identity(state: &ApplicationCredential) -> Identity {
    Identity { id: state.id.clone(), user_id: state.user_id.clone() }
}

fn expired(expiry: jiff::Timestamp) -> Diagnostic {
    Diagnostic::error(
        "expires_at is in the past",
        format!(
            "A credential must be issued, and it would have expired already at {}; Keystone refuses that. Set expires_at to a \
             later moment, or use expires_in, which is counted from each issue.",
            Moment(expiry)
        ),
    )
    .at_attribute("expires_at")
}

impl From<&keystone::AccessRule> for AccessRule {
    fn from(rule: &keystone::AccessRule) -> Self {
        Self {
            method: Attr::Known(rule.method.clone()),
            path: Attr::Known(rule.path.clone()),
            service: Attr::Known(rule.service.clone()),
        }
    }
}

impl From<&AccessRule> for keystone::AccessRule {
    fn from(rule: &AccessRule) -> Self {
        let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_default();
        Self {
            id: None,
            method: text(&rule.method),
            path: text(&rule.path),
            service: text(&rule.service),
        }
    }
}

impl From<&keystone::ApplicationCredential> for Stray {
    fn from(credential: &keystone::ApplicationCredential) -> Self {
        Self {
            name: Attr::Known(credential.name.clone()),
            user_id: Attr::Known(credential.user_id.clone()),
        }
    }
}
