//! The provider's one way to OpenStack: the configured session, made on first use, and the listings of
//! application credentials that all resources of a walk share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::cloud::Surroundings;
use crate::cloud::openstack::config::{Caveat, Cloud, ConfigError, Settings, resolve};
use crate::cloud::openstack::keystone::ApplicationCredential;
use crate::cloud::openstack::{Error, Patience, Session, Token};
use crate::provider::errors;
use crate::provider::plan_checks::PlanChecks;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};

/// Shared by everything that needs OpenStack; configured once for each provider process.
#[derive(Debug, Default)]
pub struct Openstack {
    configured: RwLock<Configured>,
    listings: Mutex<HashMap<String, Listing>>,
    /// What `plan_checks` is for has been said.
    advised: AtomicBool,
    /// None: the process's, looked at on first use.
    surroundings: Option<Surroundings>,
}

#[derive(Clone, Debug, Default)]
enum Configured {
    /// Not yet: validation, upgrades and moves run so.
    #[default]
    No,
    /// A setting is not known before apply.
    Unknown(&'static str),
    Settings {
        settings: Arc<Settings>,
        session: Arc<OnceCell<Session>>,
        plan_checks: PlanChecks,
    },
}

type Listing = Arc<OnceCell<Arc<Vec<ApplicationCredential>>>>;

/// A provider configuration that is not known yet, and the setting that is to blame.
#[derive(Clone, Copy, Debug)]
pub struct NotYet(pub &'static str);

impl Openstack {
    pub fn in_surroundings(surroundings: Surroundings) -> Self {
        Self { surroundings: Some(surroundings), ..Self::default() }
    }

    pub fn configure(&self, settings: Result<Settings, &'static str>, plan_checks: PlanChecks) {
        let configured = match settings {
            Err(setting) => Configured::Unknown(setting),
            Ok(settings) => Configured::Settings {
                settings: Arc::new(settings),
                session: Arc::default(),
                plan_checks,
            },
        };
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured;
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub fn plan_checks(&self) -> PlanChecks {
        match &*self.configured.read().unwrap_or_else(PoisonError::into_inner) {
            Configured::Settings { plan_checks, .. } => *plan_checks,
            Configured::No | Configured::Unknown(_) => PlanChecks::default(),
        }
    }

    /// Stops a plan for what its login lacks, or warns. How to let it go on is said once in a run, not for each resource.
    pub fn refuse(&self, cx: &Context, mut refusals: Vec<Diagnostic>) -> Result<()> {
        let checks = self.plan_checks();
        if checks == PlanChecks::Error
            && let Some(first) = refusals.iter_mut().find(|refusal| concerns_login(refusal))
            && !self.advised.swap(true, Ordering::Relaxed)
        {
            first.detail.push_str(
                " If only the apply has such a login, set `plan_checks = \"warn\"` in the provider block.",
            );
        }
        checks.refuse(cx, refusals)
    }

    /// What the operator should know of the configuration, as far as it can be told: contacts nobody. What makes
    /// it unusable is said where it is used, as a configuration may do without OpenStack.
    pub async fn caveats(&self) -> Vec<Caveat> {
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Configured::Settings { settings, .. } = configured else { return Vec::new() };
        let cloud = self.resolved(settings).await;
        cloud.map(|cloud| cloud.warnings).unwrap_or_default()
    }

    /// Beside the one thread that everything else runs on: the files may be on a share that hangs.
    async fn resolved(&self, settings: Arc<Settings>) -> Result<Cloud, Error> {
        let surroundings = self.surroundings();
        let resolved = tokio::task::spawn_blocking(move || resolve(&settings, &surroundings)).await;
        resolved.map_or_else(
            |_| {
                let message = "reading the configuration of OpenStack stopped halfway".to_owned();
                Err(Error::Config(ConfigError { message, setting: None }))
            },
            |resolved| resolved.map_err(Error::Config),
        )
    }

    fn surroundings(&self) -> Surroundings {
        self.surroundings.clone().unwrap_or_else(Surroundings::of_process)
    }

    /// The session; contacts nobody. `NotYet` while the provider's configuration is unknown.
    pub async fn session(&self) -> Result<Result<Session, NotYet>> {
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (settings, session) = match configured {
            Configured::No => (Arc::default(), Arc::default()),
            Configured::Unknown(setting) => return Ok(Err(NotYet(setting))),
            Configured::Settings { settings, session, .. } => (settings, session),
        };
        let made = session
            .get_or_try_init(|| async { Session::new(self.resolved(settings).await?) })
            .await;
        match made {
            Ok(session) => Ok(Ok(session.clone())),
            Err(error) => Err(errors::login(&error).into()),
        }
    }

    /// The session where nothing can be done without one: data sources, ephemerals, apply.
    pub async fn session_now(&self) -> Result<Session> {
        self.session().await?.map_err(|NotYet(setting)| {
            Diagnostic::error(
                "The provider's configuration is not known yet",
                format!(
                    "The setting openstack.{setting} of the provider gets its value only at apply, and this cannot wait \
                     until then.\n\nApply what it comes from first (-target), or give it a value that is known."
                ),
            )
            .into()
        })
    }

    /// All credentials of a user, asked once for all resources of this walk. A change that this process
    /// makes is never answered from the copy ([`Openstack::forget`]).
    pub async fn credentials(
        &self,
        session: &Session,
        user_id: &str,
        patience: &Patience,
    ) -> Result<Arc<Vec<ApplicationCredential>>, Error> {
        let listing = {
            let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(listings.entry(user_id.to_owned()).or_default())
        };
        let listed = listing
            .get_or_try_init(|| async {
                session.keystone().application_credentials(user_id, patience).await.map(Arc::new)
            })
            .await?;
        Ok(Arc::clone(listed))
    }

    /// Call before and after every change of a user's credentials.
    pub fn forget(&self, user_id: &str) {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).remove(user_id);
    }
}

/// Another login could do what this one cannot.
fn concerns_login(refusal: &Diagnostic) -> bool {
    ["The login ", "This login "].iter().any(|begins| refusal.summary.starts_with(begins))
}

/// How long calls of this operation may go on.
pub fn patience(cx: &Context) -> Patience {
    Patience { cancel: cx.cancel().clone(), deadline: cx.deadline() }
}

/// For what must be finished although the operation was stopped or its time is up.
pub fn grace() -> Patience {
    Patience { deadline: Some(Instant::now() + Duration::from_secs(30)), ..Patience::default() }
}

/// The session's token, or what keeps it from being issued.
pub async fn token(session: &Session, patience: &Patience) -> Result<Token> {
    session.token(patience).await.map_err(|error| errors::login(&error).into())
}
