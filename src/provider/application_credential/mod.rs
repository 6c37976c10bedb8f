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

use std::collections::{BTreeMap, BTreeSet};
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
use crate::provider::walk::Walk;
use crate::rotation::{Due, Moment, due, remaining};
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
    walk: Walk,
    clock_told: AtomicBool,
    /// What this login cannot replace, by its private data: whether core will, only the second half of the replacement
    /// tells, which brings nothing else of the first.
    locked: Mutex<BTreeMap<String, Diagnostic>>,
}

/// What is stored of one credential.
type Record = Stored<ApplicationCredentialResource>;

impl ApplicationCredentialResource {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self {
            openstack,
            refreshed: Mutex::default(),
            walk: Walk::default(),
            clock_told: AtomicBool::default(),
            locked: Mutex::default(),
        }
    }

    fn refreshed(&self) -> BTreeSet<String> {
        self.refreshed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers what `-replace` would end, for [`Self::cannot_be_replaced`].
    fn remember_locked(
        &self,
        prior: &ApplicationCredential,
        private: &Private,
        decision: &decide::Decision,
    ) {
        let told = decision.requires_replace.is_empty();
        let refusal = checks::may_end(prior, private, checks::Ending::Replaced).filter(|_| told);
        let Some(refusal) = refusal else { return };
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.insert(half(private), refusal);
    }

    /// Why what is created anew cannot take the place of what it is to replace.
    fn cannot_be_replaced(&self, cx: &Context, private: &Private) -> Option<Diagnostic> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.remove(&half(private)).filter(|_| self.walk.plans_first(cx))
    }

    /// Says once that this machine's clock is off, where it is.
    fn tell_clock(&self, cx: &Context, session: &Session) {
        let Some(ahead) = session.clock_ahead() else { return };
        if !self.clock_told.swap(true, Ordering::Relaxed) {
            cx.tell(told::clocks_differ(ahead, session.cloud()));
        }
    }

    /// What is due at once by arguments that change in this plan. The plan is the same with and without it: only the
    /// plan after this apply acts on it.
    async fn arising(
        &self,
        cx: &Context,
        prior: &ApplicationCredential,
        config: &ApplicationCredential,
        private: &Private,
        decision: &decide::Decision,
    ) -> Result<Vec<Due>> {
        let (policy, recorded) = (config.policy(), prior.policy());
        let changed = policy.changed_from(&recorded);
        if changed.is_empty() || !policy.rotate || !decision.requires_replace.is_empty() {
            return Ok(Vec::new());
        }
        let Ok(session) = self.openstack.session().await? else { return Ok(Vec::new()) };
        token(&session, &patience(cx)).await?;
        let present = !recorded_due(&prior.rotation_due).contains(&Due::Vanished);
        let observed = decide::observed(prior, private, present);
        let ended = |due: &Due| matches!(due, Due::Overlap { generation, .. } if decision.revoked(*generation));
        let mut due = due(&observed, &policy, session.now());
        due.retain(|due| {
            due.governors().iter().any(|by| changed.contains(by))
                && !(due.calls_for_generation() && decision.issues())
                && !ended(due)
        });
        Ok(due)
    }

    /// What the cloud can say of a plan already; nothing while the provider is not configured.
    async fn check(
        &self,
        cx: &Context,
        request: &PlanRequest<Self>,
        decision: &decide::Decision,
    ) -> Result<()> {
        let PlanRequest { prior, config, private, .. } = request;
        let unreplaceable = match prior {
            Some(prior) => {
                self.remember_locked(prior, private, decision);
                None
            }
            None => self.cannot_be_replaced(cx, private),
        };
        let issues = prior.is_none() || decision.issues();
        if !issues && !decision.revokes() {
            return Ok(());
        }
        let mut refusals: Vec<Diagnostic> = unreplaceable.into_iter().collect();
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
                if let Some(name) = name.filter(|_| self.walk.plans_first(cx)) {
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
                if prior.has_another_address(session.cloud()) {
                    refusals.push(checks::another_cloud(&prior.auth_url, session.cloud()));
                }
                let others = prior.user_id.known().is_some_and(|owner| *owner != caller.user.id);
                // Where it may not even look, Read has said whose the next one is.
                let others = others && !private.current_locked;
                if let Some(moves) = told::moves(prior, &caller, others).filter(|_| issues) {
                    cx.tell(moves);
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
                refusals.extend(checks::may_end(prior, private, checks::Ending::Replacement));
            }
            let gained = told::gained(prior, config, private, known.as_ref());
            if let Some(gained) = gained.filter(|_| issues) {
                cx.tell(gained);
            }
        }
        self.openstack.refuse(cx, refusals)
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
        self.walk.refreshes();
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
        if let Some(prior) = prior {
            known_policy(config)?;
            if let Some(refusal) = checks::named_strays(prior, config) {
                return Err(refusal.into());
            }
        }
        let mut decision = decide::decide(&request);
        decide::keep_handed(&handed, config, &mut decision.planned);
        if let Some(prior) = prior {
            told::planned(cx, prior, config, &decision.steps);
            told::not_revocable(cx, prior, config, &private.locked_strays);
            told::no_strays(cx, prior, config);
            // Read judges by the state, and cannot know what the configuration does about it.
            let strays = told::strays(prior, config);
            if let Some(strays) = strays.filter(|_| decision.requires_replace.is_empty()) {
                cx.tell(strays);
            }
            let seen = (private.current_expired, private.expires_soon);
            told::overdue(cx, prior, config, &decision, seen);
            let state = decide::state(prior, private);
            let remaining = remaining(&state, &config.policy());
            let arising = self.arising(cx, prior, config, private, &decision).await?;
            told::policy_changed(cx, prior, &decision.steps, &remaining, &arising);
        }
        self.check(cx, &request, &decision).await?;
        if self.walk.plans_again(cx) {
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
        let may_not = checks::may_manage(&caller, "revoke");
        let ends = || {
            let refusal = checks::may_end(&prior.state, &prior.private, checks::Ending::Destroy)?;
            // Elsewhere nobody is known, and nothing is a question of rights.
            let cloud = session.cloud();
            let elsewhere = prior.state.has_another_address(cloud);
            Some(if elsewhere {
                checks::another_cloud(&prior.state.auth_url, cloud)
            } else {
                refusal
            })
        };
        let refusals = may_not.or_else(ends).into_iter().collect();
        self.openstack.refuse(cx, refusals)
    }

    async fn create(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.walk.applies();
        Box::pin(act::create(self, cx, change, state)).await
    }

    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.walk.applies();
        Box::pin(act::update(self, cx, change, state)).await
    }

    async fn delete(&self, cx: &Context, prior: Record, state: &StateCell<Self>) -> Result<()> {
        self.walk.applies();
        revoke::destroy(self, cx, prior, state).await
    }

    async fn import(&self, cx: &Context, target: ImportTarget<Identity>) -> Result<Record> {
        import::import(self, cx, target).await
    }

    async fn move_state(&self, _cx: &Context, source: MoveSource) -> Result<Option<Record>> {
        import::from_other(&source)
    }
}

/// What both halves of a replacement have.
fn half(private: &Private) -> String {
    serde_json::to_string(private).unwrap_or_default()
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
