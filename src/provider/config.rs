//! The provider block: every part optional, nothing contacted.

use crate::cloud::oci::config::Settings as OciSettings;
use crate::cloud::openstack::config::Settings;
use crate::provider::arguments::{check_period, period};
use crate::provider::kubernetes::Kubernetes;
use crate::tfplugin::cty::Value;
use crate::tfplugin::model::{Attr, Model, Secret};

/// Issues credentials, proves that they work, rotates them and revokes them; each step is shown in the plan.
///
/// Every setting is optional, and no cloud is contacted before a resource of it is read or planned.
#[derive(Clone, Debug, Default, Model)]
pub struct Config {
    /// How to reach a Kubernetes cluster: that of `openshift`, or the one whose workloads are restarted.
    /// Without it, workloads of a Magnum cluster are restarted with a certificate that Magnum signs.
    /// The variables `KUBE_*` are read only where this block is.
    #[attr(optional)]
    pub kubernetes: Attr<Kubernetes>,
    /// How to log in to Oracle's cloud: a profile of `~/.oci/config`, each setting written here, or the variables of
    /// Oracle's provider (`OCI_*`, `TF_VAR_*`) and of its CLI (`OCI_CLI_*`), in this order, setting by setting.
    #[attr(optional)]
    pub oci: Attr<Oci>,
    /// How to log in to OpenStack: a cloud of `clouds.yaml`, each setting written here, or the `OS_*` variables.
    /// What is written here wins; when `cloud` or `OS_CLOUD` names a cloud, the variables that log in are ignored.
    #[attr(optional)]
    pub openstack: Attr<Openstack>,
    /// What a plan does that finds the login unable to do what the apply must do: `error` (the default) or `warn`,
    /// for plans made under a weaker login than the apply's.
    #[attr(optional, validate(one_of(&["error", "warn"])))]
    pub plan_checks: Attr<String>,
}

/// A login to Oracle's cloud, with the names of Oracle's provider.
#[derive(Clone, Debug, Default, Model)]
pub struct Oci {
    /// `ApiKey` (the default), `SecurityToken` (a session of `oci session authenticate`), `InstancePrincipal`,
    /// `ResourcePrincipal` (version 2.2) or `OKEWorkloadIdentity`.
    /// The last three have been used against stand-ins only, never in Oracle's cloud.
    #[attr(optional)]
    pub auth: Attr<String>,
    /// The configuration file; default `~/.oci/config`.
    #[attr(optional)]
    pub config_file: Attr<String>,
    /// The address of Container Engine, instead of the region's.
    #[attr(optional)]
    pub endpoint: Attr<String>,
    /// The fingerprint of the key; it must be that of the key that is used.
    #[attr(optional)]
    pub fingerprint: Attr<String>,
    /// The API key, PEM: PKCS#1 or PKCS#8, encrypted or not; RSA, 2048 to 4096 bits.
    #[attr(optional, sensitive, conflicts_with("private_key_path"))]
    pub private_key: Attr<Secret>,
    /// Its passphrase.
    #[attr(optional, sensitive)]
    pub private_key_password: Attr<Secret>,
    /// The path of the API key.
    #[attr(optional)]
    pub private_key_path: Attr<String>,
    /// The profile of the configuration file; default `DEFAULT`.
    #[attr(optional)]
    pub profile: Attr<String>,
    /// The region, by its name (`eu-frankfurt-1`) or key (`fra`).
    #[attr(optional)]
    pub region: Attr<String>,
    /// The tenancy's OCID.
    #[attr(optional)]
    pub tenancy_ocid: Attr<String>,
    /// The user's OCID.
    #[attr(optional)]
    pub user_ocid: Attr<String>,
}

impl Oci {
    /// The settings; or the name of the first one that is not known yet.
    pub fn settings(&self) -> Result<OciSettings, &'static str> {
        macro_rules! known {
            ($($field:ident),*) => {
                $(if self.$field.is_unknown() { return Err(stringify!($field)); })*
            };
        }
        known!(
            auth,
            config_file,
            endpoint,
            fingerprint,
            private_key,
            private_key_password,
            private_key_path,
            profile,
            region,
            tenancy_ocid,
            user_ocid
        );
        let text = |attr: &Attr<String>| attr.known().cloned();
        let secret = |attr: &Attr<Secret>| attr.known().map(|secret| secret.0.clone());
        Ok(OciSettings {
            auth: text(&self.auth),
            config_file: text(&self.config_file),
            endpoint: text(&self.endpoint),
            fingerprint: text(&self.fingerprint),
            private_key: secret(&self.private_key),
            private_key_password: secret(&self.private_key_password),
            private_key_path: text(&self.private_key_path),
            profile: text(&self.profile),
            region: text(&self.region),
            tenancy_ocid: text(&self.tenancy_ocid),
            user_ocid: text(&self.user_ocid),
        })
    }
}

/// A login to OpenStack, with the names of `clouds.yaml`.
#[derive(Clone, Debug, Default, Model)]
pub struct Openstack {
    /// An OIDC access token, such as a pipeline gets for its run, for `identity_provider` and `protocol`
    /// (`v3oidcaccesstoken`).
    #[attr(optional, sensitive)]
    pub access_token: Attr<Secret>,
    /// Where `client_id` gets its access token; else `discovery_endpoint` says it.
    #[attr(optional)]
    pub access_token_endpoint: Attr<String>,
    /// Which token of the answer is shown to Keystone: `access_token` (the default) or `id_token`.
    #[attr(optional)]
    pub access_token_type: Attr<String>,
    /// Log in with this application credential.
    #[attr(optional)]
    pub application_credential_id: Attr<String>,
    /// Its name, together with the user, where the id is not known.
    #[attr(optional)]
    pub application_credential_name: Attr<String>,
    /// Its secret.
    #[attr(optional, sensitive)]
    pub application_credential_secret: Attr<Secret>,
    /// The identity endpoint, with or without `/v3`.
    #[attr(optional)]
    pub auth_url: Attr<String>,
    /// Certificates to trust instead of the system's: a path, or PEM.
    #[attr(optional)]
    pub cacert: Attr<String>,
    /// A client certificate: a path, or PEM.
    #[attr(optional)]
    pub cert: Attr<String>,
    /// An OAuth client that gets the access token: with `client_secret` for itself (`v3oidcclientcredentials`), with
    /// `username` and `password` for a user (`v3oidcpassword`).
    #[attr(optional)]
    pub client_id: Attr<String>,
    /// The client's secret.
    #[attr(optional, sensitive)]
    pub client_secret: Attr<Secret>,
    /// The name of a cloud in `clouds.yaml`.
    #[attr(optional)]
    pub cloud: Attr<String>,
    /// The identity provider's `OpenID` configuration: `https://…/.well-known/openid-configuration`.
    #[attr(optional)]
    pub discovery_endpoint: Attr<String>,
    /// Scope to this domain rather than to a project.
    #[attr(optional)]
    pub domain_id: Attr<String>,
    /// Scope to the domain of this name.
    #[attr(optional)]
    pub domain_name: Attr<String>,
    /// Use this address of Keystone, whatever the catalog says.
    #[attr(optional)]
    pub identity_endpoint_override: Attr<String>,
    /// The identity provider that vouches for the login, by the name that Keystone gives it.
    #[attr(optional)]
    pub identity_provider: Attr<String>,
    /// `true` trusts any certificate; the provider warns.
    /// In `clouds.yaml` the same is `verify: false`.
    #[attr(optional)]
    pub insecure: Attr<bool>,
    /// Which endpoints of the catalog: `public` (the default), `internal` or `admin`.
    #[attr(optional, validate(custom(check_interface)))]
    pub interface: Attr<String>,
    /// The client certificate's key: a path, or PEM.
    #[attr(optional, sensitive)]
    pub key: Attr<Secret>,
    /// What the access token is asked for; `openid profile` where nothing is said.
    #[attr(optional)]
    pub openid_scope: Attr<String>,
    /// A one-time passcode (TOTP), together with `password`.
    #[attr(optional, sensitive)]
    pub passcode: Attr<Secret>,
    /// The user's password.
    #[attr(optional, sensitive)]
    pub password: Attr<Secret>,
    /// The domain of the project, by id.
    #[attr(optional)]
    pub project_domain_id: Attr<String>,
    /// The domain of the project, by name.
    #[attr(optional)]
    pub project_domain_name: Attr<String>,
    /// The project, by id.
    #[attr(optional)]
    pub project_id: Attr<String>,
    /// The project, by name.
    #[attr(optional)]
    pub project_name: Attr<String>,
    /// The federation protocol, by the name that Keystone gives it: `openid`, `mapped`.
    #[attr(optional)]
    pub protocol: Attr<String>,
    /// The region whose endpoints are used.
    #[attr(optional)]
    pub region_name: Attr<String>,
    /// How long one request may take, such as `60s` (the default).
    #[attr(optional, validate(custom(check_timeout)))]
    pub timeout: Attr<String>,
    /// A token that has been issued already.
    #[attr(optional, sensitive)]
    pub token: Attr<Secret>,
    /// The domain of the user, by id.
    #[attr(optional)]
    pub user_domain_id: Attr<String>,
    /// The domain of the user, by name.
    #[attr(optional)]
    pub user_domain_name: Attr<String>,
    /// The user, by id.
    #[attr(optional)]
    pub user_id: Attr<String>,
    /// The user, by name.
    #[attr(optional)]
    pub username: Attr<String>,
}

impl Openstack {
    /// The settings; or the name of the first one that is not known yet.
    pub fn settings(&self) -> Result<Settings, &'static str> {
        macro_rules! known {
            ($($field:ident),*) => {
                $(if self.$field.is_unknown() { return Err(stringify!($field)); })*
            };
        }
        known!(
            access_token,
            access_token_endpoint,
            access_token_type,
            application_credential_id,
            application_credential_name,
            application_credential_secret,
            auth_url,
            cacert,
            cert,
            client_id,
            client_secret,
            cloud,
            discovery_endpoint,
            domain_id,
            domain_name,
            identity_endpoint_override,
            identity_provider,
            insecure,
            interface,
            key,
            openid_scope,
            passcode,
            password,
            project_domain_id,
            project_domain_name,
            project_id,
            project_name,
            protocol,
            region_name,
            timeout,
            token,
            user_domain_id,
            user_domain_name,
            user_id,
            username
        );
        let text = |attr: &Attr<String>| attr.known().cloned();
        let secret = |attr: &Attr<Secret>| attr.known().map(|secret| secret.0.clone());
        Ok(Settings {
            access_token: secret(&self.access_token),
            access_token_endpoint: text(&self.access_token_endpoint),
            access_token_type: text(&self.access_token_type),
            application_credential_id: text(&self.application_credential_id),
            application_credential_name: text(&self.application_credential_name),
            application_credential_secret: secret(&self.application_credential_secret),
            auth_url: text(&self.auth_url),
            cacert: text(&self.cacert),
            cert: text(&self.cert),
            client_id: text(&self.client_id),
            client_secret: secret(&self.client_secret),
            cloud: text(&self.cloud),
            discovery_endpoint: text(&self.discovery_endpoint),
            domain_id: text(&self.domain_id),
            domain_name: text(&self.domain_name),
            identity_endpoint_override: text(&self.identity_endpoint_override),
            identity_provider: text(&self.identity_provider),
            interface: text(&self.interface),
            key: secret(&self.key),
            openid_scope: text(&self.openid_scope),
            passcode: secret(&self.passcode),
            password: secret(&self.password),
            project_domain_id: text(&self.project_domain_id),
            project_domain_name: text(&self.project_domain_name),
            project_id: text(&self.project_id),
            project_name: text(&self.project_name),
            protocol: text(&self.protocol),
            region_name: text(&self.region_name),
            timeout: period(&self.timeout).map(crate::rotation::Period::to_std),
            token: secret(&self.token),
            user_domain_id: text(&self.user_domain_id),
            user_domain_name: text(&self.user_domain_name),
            user_id: text(&self.user_id),
            username: text(&self.username),
            verify: self.insecure.known().map(|insecure| !insecure),
        })
    }
}

/// An empty text is none: modules pass "" for what is not given.
fn check_timeout(value: &Value) -> std::result::Result<(), String> {
    if is_empty(value) { Ok(()) } else { check_period(value) }
}

fn check_interface(value: &Value) -> std::result::Result<(), String> {
    const KNOWN: [&str; 6] =
        ["public", "internal", "admin", "publicURL", "internalURL", "adminURL"];
    match value {
        Value::String(text) if !text.is_empty() && !KNOWN.contains(&text.as_str()) => Err(format!(
            "must be public, internal or admin (or one of them with URL), not {text:?}"
        )),
        _ => Ok(()),
    }
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::String(text) if text.is_empty())
}
