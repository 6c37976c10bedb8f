//! `rekey_application_credential`: the life of a Keystone application credential.
//!
//! `model` is the schema, `observe` is Read, `decide` is Plan, `act` is Create and Update, `revoke` is Delete.

pub mod act;
pub mod checks;
pub mod decide;
pub mod generation;
pub mod import;
pub mod inputs;
pub mod issue;
pub mod model;
pub mod naming;
pub mod observe;
pub mod private;
pub mod proof;
pub mod revoke;
pub mod rules;
pub mod run;
pub mod told;
pub mod validate;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

pub use model::{AccessRule, ApplicationCredential, Identity};
pub use naming::{Naming, RUN_PREFIX, of_one_run};
pub use private::Private;
pub use proof::Wanted;

use crate::clock;
use crate::cloud::openstack::{Session, keystone};
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
    /// The ids of what this process has refreshed.
    refreshed: Mutex<BTreeSet<String>>,
    /// This process has applied something.
    applying: AtomicBool,
    clock_told: AtomicBool,
}

/// What is stored of one credential.
type Record = Stored<ApplicationCredentialResource>;

impl ApplicationCredentialResource {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self {
            openstack,
            refreshed: Mutex::default(),
            applying: AtomicBool::default(),
            clock_told: AtomicBool::default(),
        }
    }

    fn refreshed(&self) -> BTreeSet<String> {
        self.refreshed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether core plans again in an apply what the operator has seen planned already. Terraform allows a deferral in
    /// each apply, and an apply refreshes nothing. OpenTofu shows no difference until something has been applied, and
    /// repeats what it hears until then.
    fn plans_again(&self, cx: &Context) -> bool {
        let applies = cx.capabilities().deferral_allowed == Some(true);
        applies && self.refreshed().is_empty() || self.applying.load(Ordering::Relaxed)
    }

    /// Whether this is the operator's plan for certain. An error of the planning in an apply would leave the old object of
    /// a replacement behind, where one of the apply itself restores it.
    fn plans_first(&self, cx: &Context) -> bool {
        let said = cx.capabilities().deferral_allowed == Some(false);
        (said || !self.refreshed().is_empty()) && !self.plans_again(cx)
    }

    /// Says once that this machine's clock is off, where it is.
    fn tell_clock(&self, cx: &Context, session: &Session) {
        let Some(ahead) = session.clock_ahead() else { return };
        if !self.clock_told.swap(true, Ordering::Relaxed) {
            cx.tell(told::clocks_differ(ahead, session.cloud()));
        }
    }

    /// What the cloud can say of a plan already; nothing while the provider is not configured.
    async fn check(
        &self,
        cx: &Context,
        request: &PlanRequest<Self>,
        decision: &decide::Decision,
    ) -> Result<()> {
        let PlanRequest { prior, config, private, .. } = request;
        let issues = prior.is_none() || decision.issues();
        if !issues && !decision.revokes() {
            return Ok(());
        }
        let mut refusals = Vec::new();
        let mut known = None;
        let mut now = clock::now();
        if let Ok(session) = self.openstack.session().await? {
            let patience = patience(cx);
            let caller = token(&session, &patience).await?;
            if issues {
                refusals.extend(checks::may_issue(&session, &caller, config, &patience).await);
                let names = |name: &&String| {
                    prior.as_ref().is_none_or(|prior| prior.name.known() != Some(*name))
                };
                // The second half of a replacement brings what is remembered of the first, which has the name.
                let anew = prior.is_some() || private.naming.is_empty();
                let name = config.name.known().filter(names).filter(|_| anew);
                if let Some(name) = name.filter(|_| self.plans_first(cx)) {
                    let ours = self.refreshed();
                    let free = checks::name_is_free(
                        &self.openstack,
                        &session,
                        &caller,
                        name,
                        &ours,
                        &patience,
                    );
                    refusals.extend(free.await);
                }
            } else {
                refusals.extend(checks::may_manage(&caller, "revoke"));
            }
            if let Some(prior) = prior {
                if checks::elsewhere(&prior.auth_url, session.cloud()) {
                    refusals.push(checks::another_cloud(&prior.auth_url, session.cloud()));
                }
                let others = prior.user_id.known().is_some_and(|owner| *owner != caller.user.id);
                // Where it may not even look, Read has said so.
                if issues && others && !private.current_locked {
                    cx.tell(told::owner_changes(prior, &caller));
                }
            }
            known = Some(caller);
            now = session.now();
            self.tell_clock(cx, &session);
        }
        if let Some(expiry) = moment(&config.expires_at).filter(|expiry| issues && *expiry <= now) {
            refusals.push(expired(expiry));
        }
        if let Some(prior) = prior {
            if !decision.requires_replace.is_empty() {
                refusals.extend(checks::may_replace(prior, private));
            }
            let gained = told::gained(prior, config, private, known.as_ref());
            if let Some(gained) = gained.filter(|_| issues) {
                cx.tell(gained);
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

    async fn read(&self, cx: &Context, stored: Record) -> Result<Option<Record>> {
        if let Some(id) = stored.state.id.known() {
            self.refreshed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        }
        observe::read(self, cx, stored).await
    }

    async fn plan(&self, cx: &Context, mut request: PlanRequest<Self>) -> Result<Plan<Self>> {
        let handed = request.config.clone();
        if let Some(prior) = &request.prior {
            request.private.restore(prior);
            request.config = inputs::wishes(&handed);
        }
        let PlanRequest { prior, config, private, .. } = &request;
        if prior.is_some() {
            known_policy(config)?;
        }
        let mut decision = decide::decide(&request);
        decide::keep_handed(&handed, config, &mut decision.planned);
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
        self.check(cx, &request, &decision).await?;
        if self.plans_again(cx) {
            cx.take();
        }
        Ok(Plan {
            planned: decision.planned,
            private: private.clone(),
            requires_replace: decision.requires_replace,
        })
    }

    async fn plan_destroy(&self, cx: &Context, prior: Record) -> Result<()> {
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
        self.applying.store(true, Ordering::Relaxed);
        Box::pin(act::create(self, cx, change, state)).await
    }

    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.applying.store(true, Ordering::Relaxed);
        Box::pin(act::update(self, cx, change, state)).await
    }

    async fn delete(&self, cx: &Context, prior: Record, state: &StateCell<Self>) -> Result<()> {
        self.applying.store(true, Ordering::Relaxed);
        revoke::destroy(self, cx, prior, state).await
    }

    async fn import(&self, cx: &Context, target: ImportTarget<Identity>) -> Result<Record> {
        import::import(self, cx, target).await
    }

    async fn move_state(&self, _cx: &Context, source: MoveSource) -> Result<Option<Record>> {
        import::from_other(&source)
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
