//! `data "rekey_openshift_credentials_mode"`: how an OpenShift cluster's components come by their cloud credentials.

use std::sync::Arc;

use async_trait::async_trait;

use crate::cloud::openshift::mode::{Configured, annotation, legacy_disabled};
use crate::cloud::openshift::refusal::{Wish, refusals};
use crate::cloud::openshift::targets::order;
use crate::cloud::openshift::{Mode, Situation};
use crate::provider::cluster_credential_rotation::openshift::client;
use crate::provider::kubernetes::Shared;
use crate::provider::openstack::patience;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Model};
use crate::tfplugin::traits::DataSource;

/// How the Cloud Credential Operator of an OpenShift cluster works: what is configured, what the operator makes of it,
/// and what follows for a rotation.
/// The cluster is the one that the provider's `kubernetes` block leads to; nothing in it is changed.
#[derive(Clone, Debug, Default, Model)]
pub struct CredentialsMode {
    /// What the operator says of the root secret: `mint`, `passthrough` or `insufficient`; null where it says nothing.
    #[attr(computed)]
    pub annotation: Attr<String>,
    /// The secrets of the components, as NAMESPACE/NAME, in the order in which a rotation reaches them.
    #[attr(computed)]
    pub component_secrets: Attr<Vec<String>>,
    /// `spec.credentialsMode` of the operator's configuration; empty means by what the root credential can do.
    #[attr(computed)]
    pub credentials_mode: Attr<String>,
    /// What `credentials_mode` and the legacy `ConfigMap` come to: `default`, `manual`, `mint`, `passthrough`, or `conflict`.
    #[attr(computed)]
    pub effective_mode: Attr<String>,
    /// The `CredentialsRequest`s that fail now, each with its secret and condition.
    #[attr(computed)]
    pub failing: Attr<Vec<String>>,
    /// The cluster's own name for itself, which begins its resources' names in the cloud.
    #[attr(computed)]
    pub id: Attr<String>,
    /// Whether the `ConfigMap` from before `credentials_mode` says that the operator is disabled.
    #[attr(computed)]
    pub legacy_disabled: Attr<bool>,
    /// The mode: `mint`, `mint_root_removed`, `passthrough`, `passthrough_root_removed`, `manual_long_term`,
    /// `manual_short_term`, `insufficient`, `unknown`, `conflict` or `unsupported`.
    #[attr(computed)]
    pub mode: Attr<String>,
    /// The platform, as the cluster spells it: `AWS`, `Azure`, `GCP`, `OpenStack`, `VSphere`, or another one.
    #[attr(computed)]
    pub platform: Attr<String>,
    /// What keeps the root credential that is there from being rotated in, with what to do instead; empty where nothing.
    #[attr(computed)]
    pub refusals: Attr<Vec<String>>,
    /// The secret with the root credential, as NAMESPACE/NAME; null on other platforms.
    #[attr(computed)]
    pub root_secret: Attr<String>,
    /// Whether it is there.
    #[attr(computed)]
    pub root_secret_exists: Attr<bool>,
    /// Who signs the tokens of the components' service accounts; empty: the cluster's own default.
    #[attr(computed)]
    pub service_account_issuer: Attr<String>,
    /// Whether components log in with such tokens instead of secrets.
    #[attr(computed)]
    pub short_term: Attr<bool>,
}

/// See the module.
#[derive(Debug)]
pub struct OpenshiftCredentialsMode {
    kubernetes: Arc<Shared>,
}

impl OpenshiftCredentialsMode {
    pub fn new(kubernetes: Arc<Shared>) -> Self {
        Self { kubernetes }
    }
}

#[async_trait]
impl DataSource for OpenshiftCredentialsMode {
    type Model = CredentialsMode;

    const NAME: &'static str = "openshift_credentials_mode";

    async fn read(&self, cx: &Context, _config: CredentialsMode) -> Result<CredentialsMode> {
        let client = client(&self.kubernetes)?;
        let situation = Situation::read(&client, &patience(cx)).await.map_err(|error| {
            Diagnostic::error("The cluster's credentials cannot be looked at", error.to_string())
        })?;
        Ok(CredentialsMode::of(&situation))
    }
}

impl CredentialsMode {
    fn of(situation: &Situation) -> Self {
        let mode = Mode::of(situation);
        let refusals = refusals(situation, &Wish::default());
        let failing = crate::cloud::openshift::refusal::failing(situation);
        let failing = failing.into_iter().map(|(request, condition)| {
            let secret =
                request.secret().map_or_else(|why| why.to_string(), |name| name.to_string());
            format!("{}, secret {secret}: {condition}", request.called())
        });
        let platform = situation.platform;
        Self {
            annotation: annotation(situation).map(str::to_owned).into(),
            component_secrets: Attr::Known(order(situation, mode)),
            credentials_mode: Attr::Known(situation.operator_mode.clone().unwrap_or_default()),
            effective_mode: Attr::Known(Configured::of(situation).name().to_owned()),
            failing: Attr::Known(failing.collect()),
            id: Attr::Known(situation.infrastructure.status.infrastructure_name.clone()),
            legacy_disabled: Attr::Known(legacy_disabled(situation)),
            mode: Attr::Known(mode.name().to_owned()),
            platform: Attr::Known(situation.infrastructure.platform().to_owned()),
            refusals: Attr::Known(
                refusals.iter().map(|refusal| format!("{refusal} {}", refusal.advice())).collect(),
            ),
            root_secret: platform.map(crate::cloud::openshift::Platform::root).into(),
            root_secret_exists: Attr::Known(situation.root.is_some()),
            service_account_issuer: Attr::Known(situation.issuer.clone()),
            short_term: Attr::Known(mode == Mode::ManualShortTerm),
        }
    }
}
