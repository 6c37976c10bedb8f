//! `ephemeral "rekey_application_credential"`: a credential for the length of a run.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cloud::openstack::{Patience, Session, Token};
use crate::provider::application_credential::generation::undecided;
use crate::provider::application_credential::{
    AccessRule, ApplicationCredential, Naming, RUN_PREFIX, Wanted, checks, issue, of_one_run,
    proof, rules, validate,
};
use crate::provider::arguments::{check_period, written};
use crate::provider::errors;
use crate::provider::openstack::{Openstack, grace, patience, token};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Diagnostics, Result};
use crate::tfplugin::model::{Attr, Model, Secret, Set};
use crate::tfplugin::traits::{Ephemeral, Opened};

const LIFE: &str = "30m";

/// So long after its expiry a credential is swept: Keystone's nodes may differ, and nobody is in a hurry.
const SWEEP_MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// An application credential for this run: issued, proven, and revoked when the run no longer needs it.
/// If the run dies it expires by itself.
///
/// Terraform opens it in plan and again in apply, so the login of both must be able to issue one.
#[derive(Clone, Debug, Default, Model)]
pub struct RunCredential {
    /// The requests that the credential may make.
    #[attr(optional)]
    pub access_rules: Attr<Set<AccessRule>>,
    /// The identity endpoint that issued it.
    #[attr(computed)]
    pub auth_url: Attr<String>,
    /// What it is for, as Keystone shows it.
    #[attr(optional)]
    pub description: Attr<String>,
    /// When it expires by itself.
    #[attr(computed)]
    pub expires_at: Attr<String>,
    /// How long it is valid at most; default `30m`, at least a minute.
    /// Make it longer than the run takes: where a run fails or is interrupted, Terraform does not close what it has
    /// opened, and the credential works until it expires.
    #[attr(optional, validate(custom(check_period)))]
    pub expires_in: Attr<String>,
    /// Its id.
    #[attr(computed)]
    pub id: Attr<String>,
    /// Its name, which begins with `rekey-ephemeral-` and ends with a mark of the provider: those of the same user that
    /// expired an hour ago or earlier are deleted when the next one is opened.
    #[attr(computed)]
    pub name: Attr<String>,
    /// The project that it gives access to.
    #[attr(computed)]
    pub project_id: Attr<String>,
    /// The region of the provider's configuration.
    #[attr(computed)]
    pub region_name: Attr<String>,
    /// The roles that it carries, by name or id; without it, all roles of the login.
    #[attr(optional)]
    pub roles: Attr<Set<Attr<String>>>,
    /// Its secret.
    #[attr(computed, sensitive)]
    pub secret: Attr<Secret>,
    /// Whether it may make and delete other application credentials; default `false`.
    #[attr(optional)]
    pub unrestricted: Attr<bool>,
    /// Its owner.
    #[attr(computed)]
    pub user_id: Attr<String>,
}

/// What Close needs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Private {
    id: String,
    rules: Vec<String>,
    user_id: String,
}

/// See the module.
#[derive(Debug)]
pub struct EphemeralApplicationCredential {
    openstack: Arc<Openstack>,
}

impl EphemeralApplicationCredential {
    pub fn new(openstack: Arc<Openstack>) -> Self {
        Self { openstack }
    }

    /// Deletes what earlier runs left behind: ones of the same user that expired long ago, with a name that only the
    /// provider makes. Nothing depends on it, so nothing here stops the run.
    async fn sweep(&self, session: &Session, caller: &Token, patience: &Patience) {
        let user = &caller.user.id;
        let Ok(listed) = self.openstack.credentials(session, user, patience).await else { return };
        // A plan comes here, and what is deleted cannot be brought back: Keystone's own time, which is never later
        // than the present, and not this machine's.
        let long_ago = caller.issued_at.saturating_sub(SWEEP_MARGIN).unwrap_or(Timestamp::MIN);
        for old in listed.iter().filter(|credential| {
            of_one_run(&credential.name)
                && credential.expires_at.is_some_and(|expiry| expiry <= long_ago)
        }) {
            let swept =
                session.keystone().delete_application_credential(user, &old.id, patience).await;
            match swept {
                Ok(()) => rules::forget(session, user, &rules::created(old)).await,
                Err(error) => {
                    tracing::debug!(id = old.id, %error, "expired ephemeral credential not swept");
                }
            }
            self.openstack.forget(user);
        }
    }
}

#[async_trait]
impl Ephemeral for EphemeralApplicationCredential {
    type Model = RunCredential;
    type Private = Private;

    const NAME: &'static str = "application_credential";

    async fn validate(&self, _cx: &Context, config: &RunCredential) -> Result<()> {
        let wish = ApplicationCredential {
            access_rules: config.access_rules.clone(),
            roles: config.roles.clone(),
            ..ApplicationCredential::default()
        };
        validate::rights(&wish)?;
        let minute = crate::rotation::Period::from_seconds(60);
        if crate::provider::arguments::period(&config.expires_in)
            .is_some_and(|life| Some(life) < minute)
        {
            return Err(Diagnostic::error(
                "The duration is too short",
                "expires_in must be at least a minute (PT1M, 1m): anything shorter is over before it can be used.",
            )
            .at_attribute("expires_in")
            .into());
        }
        Ok(())
    }

    async fn open(
        &self,
        cx: &Context,
        config: RunCredential,
    ) -> Result<Opened<RunCredential, Private>> {
        let session = self.openstack.session_now().await?;
        let patience = patience(cx);
        let caller = token(&session, &patience).await?;
        let wish = ApplicationCredential {
            access_rules: config.access_rules.clone(),
            description: config.description.clone(),
            expires_in: config.expires_in.clone().or(Attr::Known(LIFE.into())),
            roles: config.roles.clone(),
            unrestricted: config.unrestricted,
            ..ApplicationCredential::default()
        };
        let refusals = checks::may_issue(&session, &caller, &wish, &patience).await;
        if !refusals.is_empty() {
            return Err(Diagnostics(refusals));
        }
        self.sweep(&session, &caller, &patience).await;
        let naming = Naming::new().map_err(issue::no_random)?;
        let name = |tried: usize, made_rules: &[bool]| {
            (tried == 0).then(|| naming.name(RUN_PREFIX, 1, made_rules))
        };
        let issued =
            issue::issue(&self.openstack, &session, &caller, &wish, name, &patience).await?;
        let credential = &issued.credential;
        let private = Private {
            id: credential.id.clone(),
            rules: issued.rules.clone(),
            user_id: caller.user.id.clone(),
        };
        let wanted = Wanted::of(credential);
        if let Err(failure) =
            proof::by_login(&session, &issued.login(), &wanted, None, cx.cancel(), &patience).await
        {
            let left = match self.end(&session, &private, &grace()).await {
                Ok(()) => "It was revoked again.".to_owned(),
                Err(error) => format!(
                    "It could not be revoked ({}), and expires by itself.",
                    errors::story(&error)
                ),
            };
            if failure.tells_nothing() {
                return Err(undecided(&issued, &failure, &left, None).into());
            }
            return Err(Diagnostic::error(
                "The new application credential failed its proof",
                format!(
                    "The application credential {:?} ({}) was issued, but {failure}.\n\n{left}",
                    credential.name, credential.id
                ),
            )
            .into());
        }
        let result = RunCredential {
            auth_url: Attr::Known(session.cloud().auth_url.clone()),
            expires_at: credential.expires_at.map(written).into(),
            id: Attr::Known(credential.id.clone()),
            name: Attr::Known(credential.name.clone()),
            project_id: credential.project_id.clone().into(),
            region_name: session.cloud().region_name.clone().into(),
            secret: Attr::Known(Secret(issued.secret.clone())),
            user_id: Attr::Known(credential.user_id.clone()),
            ..config
        };
        Ok(Opened { result, private, renew_at: None })
    }

    async fn close(&self, cx: &Context, private: Private) -> Result<()> {
        let session = self.openstack.session_now().await?;
        self.end(&session, &private, &patience(cx)).await.map_err(|error| {
            errors::call(
                "An ephemeral application credential was not revoked",
                &format!("revoke the application credential {}", private.id),
                &error,
                "It goes on working until it expires; a later run deletes it.",
                "",
            )
            .into()
        })
    }
}

impl EphemeralApplicationCredential {
    /// Idempotent.
    async fn end(
        &self,
        session: &Session,
        private: &Private,
        patience: &Patience,
    ) -> std::result::Result<(), crate::cloud::openstack::Error> {
        let Private { id, rules, user_id } = private;
        issue::delete(&self.openstack, session, user_id, id, patience).await?;
        rules::forget(session, user_id, rules).await;
        Ok(())
    }
}
