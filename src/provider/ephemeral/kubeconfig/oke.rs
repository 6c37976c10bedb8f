//! A cluster of OKE's: its kubeconfig as it is now, with a token in place of the command that would fetch one.

use crate::redaction::ExposeSecret as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::{Kubeconfig, OkeCluster, Private};
use crate::cloud::oci::container_engine::KubeconfigEndpoint;
use crate::provider::oci::{Oci, call};
use crate::provider::oke::{Entrance, entrance};
use crate::provider::openstack::patience;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Secret};
use crate::tfplugin::traits::Opened;

pub(super) async fn open(
    oci: &Oci,
    cx: &Context,
    config: Kubeconfig,
    wanted: &OkeCluster,
) -> Result<Opened<Kubeconfig, Private>> {
    let session = oci.session_now().await?;
    let patience = patience(cx);
    let id = wanted.cluster_id.known().cloned().unwrap_or_default();
    let endpoint = match wanted.endpoint.known().map(String::as_str) {
        Some("PRIVATE_ENDPOINT") => Some(KubeconfigEndpoint::Private),
        Some("PUBLIC_ENDPOINT") => Some(KubeconfigEndpoint::Public),
        Some("VCN_HOSTNAME") => Some(KubeconfigEndpoint::VcnHostname),
        _ => None,
    };
    let failed = |error| {
        let doing = format!("get a kubeconfig of the cluster {id}");
        call("There is no way into the cluster", &doing, &error, "", "").at_attribute("oke")
    };
    let text = session.container_engine().kubeconfig(&id, endpoint, &patience).await;
    let text = text.map_err(failed)?;
    let Some(entrance) = entrance(&text).filter(|entrance| !entrance.server.is_empty()) else {
        return Err(Diagnostic::error(
            "There is no way into the cluster",
            format!("The kubeconfig that OKE gives of the cluster {id} names no address and CA."),
        )
        .at_attribute("oke")
        .into());
    };
    let token = session.bearer_token(&id, &patience).await.map_err(failed)?;
    let token = Secret(token.token);
    let result = Kubeconfig {
        client_certificate: Attr::Null,
        client_key: Attr::Null,
        raw: Attr::Known(raw(&id, &entrance, &token)),
        cluster_ca_certificate: Attr::Known(entrance.bundle),
        host: Attr::Known(entrance.server),
        token: Attr::Known(token),
        ..config
    };
    Ok(Opened { result, private: Private {}, renew_at: None })
}

/// A kubeconfig, as JSON, which is YAML.
fn raw(id: &str, entrance: &Entrance, token: &Secret) -> Secret {
    let ca = BASE64_STANDARD.encode(&entrance.bundle);
    let text = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": id,
            "cluster": { "server": entrance.server, "certificate-authority-data": ca },
        }],
        "users": [{ "name": "token", "user": { "token": token.0.expose_secret() } }],
        "contexts": [{ "name": id, "context": { "cluster": id, "user": "token" } }],
        "current-context": id,
    });
    Secret(text.to_string().into())
}
