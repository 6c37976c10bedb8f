//! The provider's `kubernetes` block, with the names of the kubernetes provider.

use std::sync::{PoisonError, RwLock};

use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{Access, AccessError, Exec as Plugin, Exposure, Settings};
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::{Attr, Model, Secret};

/// A way into a Kubernetes cluster, as users of the kubernetes provider know it.
#[derive(Clone, Debug, Default, Model)]
pub struct Kubernetes {
    /// A client certificate, PEM.
    #[attr(optional)]
    pub client_certificate: Attr<String>,
    /// Its key, PEM.
    #[attr(optional, sensitive)]
    pub client_key: Attr<Secret>,
    /// The certificates to trust, PEM.
    #[attr(optional)]
    pub cluster_ca_certificate: Attr<String>,
    /// Which context of the kubeconfig.
    #[attr(optional)]
    pub config_context: Attr<String>,
    /// Which user of the kubeconfig, instead of the context's.
    #[attr(optional)]
    pub config_context_auth_info: Attr<String>,
    /// Which cluster of the kubeconfig, instead of the context's.
    #[attr(optional)]
    pub config_context_cluster: Attr<String>,
    /// The path of a kubeconfig.
    #[attr(optional)]
    pub config_path: Attr<String>,
    /// The paths of several, merged.
    #[attr(optional, conflicts_with("config_path"))]
    pub config_paths: Attr<Vec<String>>,
    /// A command that gives a login.
    #[attr(optional)]
    pub exec: Attr<Exec>,
    /// The API server's address; without a scheme it is `https`.
    #[attr(optional)]
    pub host: Attr<String>,
    /// `true` trusts any certificate; the provider warns.
    #[attr(optional)]
    pub insecure: Attr<bool>,
    /// The proxy to go through: `http`, `https` or `socks5`.
    #[attr(optional, sensitive)]
    pub proxy_url: Attr<Secret>,
    /// The name that the server's certificate is for, where it is not the host's.
    #[attr(optional)]
    pub tls_server_name: Attr<String>,
    /// A bearer token.
    #[attr(optional, sensitive)]
    pub token: Attr<Secret>,
}

/// A credential plugin.
#[derive(Clone, Debug, Default, Model)]
pub struct Exec {
    /// `client.authentication.k8s.io/v1` or `client.authentication.k8s.io/v1beta1`.
    #[attr(required)]
    pub api_version: Attr<String>,
    /// Its arguments.
    #[attr(optional)]
    pub args: Attr<Vec<String>>,
    /// The command.
    #[attr(required)]
    pub command: Attr<String>,
    /// Added to its environment.
    #[attr(optional, sensitive)]
    pub env: Attr<std::collections::BTreeMap<String, String>>,
}

/// The block as it is now; resolved when it is used.
#[derive(Debug, Default)]
pub struct Shared(RwLock<Option<KubernetesAccess>>);

/// A configured way in.
#[derive(Clone, Debug)]
pub struct KubernetesAccess(Settings);

impl Shared {
    pub fn configure(&self, block: &Attr<Kubernetes>) {
        let access = block.known().map(|block| KubernetesAccess(block.settings()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = access;
    }

    /// What of it lies open to whoever stands between. Files that are not there yet, since the same run makes
    /// them, are no reason to complain now.
    pub fn caveat(&self, from: &Surroundings) -> Option<Diagnostic> {
        let access = self.configured()?.resolve(from).ok()?;
        let (summary, why) = match access.exposure()? {
            Exposure::PlainText => (
                "The login to the cluster is sent in plain text",
                "the address is http and on another machine. Whoever is on the way reads the login and the answers. Use https.",
            ),
            Exposure::Unverified => (
                "The cluster's certificate is not verified",
                "insecure says so, in the kubernetes block or in the kubeconfig. Whoever answers in the API server's place is \
                 trusted and gets the login. Use cluster_ca_certificate, or tls_server_name where only the name is another.",
            ),
        };
        let detail = format!("{} ({}): {why}", access.server(), access.origin());
        Some(Diagnostic::warning(summary, detail).at_attribute("kubernetes"))
    }

    /// None: there is no block, and Magnum gives the way in.
    pub fn configured(&self) -> Option<KubernetesAccess> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl KubernetesAccess {
    pub fn resolve(&self, from: &Surroundings) -> Result<Access, AccessError> {
        Access::resolve(&self.0, from)
    }
}

impl Kubernetes {
    fn settings(&self) -> Settings {
        let text = |attr: &Attr<String>| attr.known().cloned();
        let secret = |attr: &Attr<Secret>| attr.known().map(|secret| secret.0.clone());
        let plugin = |exec: &Exec| {
            Plugin::new(
                text(&exec.api_version).unwrap_or_default(),
                text(&exec.command).unwrap_or_default(),
                exec.args.known().cloned().unwrap_or_default(),
                exec.env.known().cloned().unwrap_or_default(),
            )
        };
        Settings {
            client_certificate: text(&self.client_certificate),
            client_key: secret(&self.client_key),
            cluster_ca_certificate: text(&self.cluster_ca_certificate),
            config_context: text(&self.config_context),
            config_context_auth_info: text(&self.config_context_auth_info),
            config_context_cluster: text(&self.config_context_cluster),
            config_path: text(&self.config_path),
            config_paths: self.config_paths.known().cloned().unwrap_or_default(),
            exec: self.exec.known().map(plugin),
            host: text(&self.host),
            insecure: self.insecure.known().copied(),
            password: None,
            proxy_url: secret(&self.proxy_url),
            tls_server_name: text(&self.tls_server_name),
            token: secret(&self.token),
            username: None,
        }
    }
}
