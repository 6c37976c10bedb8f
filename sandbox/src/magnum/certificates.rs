//! `/v1/certificates`: the CAs of a cluster, and certificates that they sign.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::clusters::found;
use super::model::{Authorities, Magnum};
use super::{refuse, views};
use crate::authority::{Authority, Broken};
use crate::http::Reply;

/// Shows a CA to the cluster's owner.
pub(crate) fn show(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let cluster = found(magnum, call.ask.param("cluster"), Some(call.project()))?;
    let owner = call.reads(&cluster.project_id) && cluster.user_id == call.caller.user_id;
    if !owner && !call.caller.is_admin() {
        return Err(refuse::forbidden("certificate:get"));
    }
    let in_path = Some(call.ask.param("ca_cert_type")).filter(|kind| !kind.is_empty());
    let kind = in_path.or_else(|| call.ask.query("ca_cert_type")).unwrap_or_default();
    let base = call.site.base();
    Ok(Reply::ok(&json!({
        "cluster_uuid": cluster.uuid,
        "links": views::links(&base, "certificates", &cluster.uuid),
        "pem": cluster.authorities.of(kind).pem(),
    })))
}

/// Signs for the cluster's owner.
pub(crate) fn sign(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let body: Value = serde_json::from_slice(&call.ask.body).map_err(|_| refuse::no_json())?;
    let known = ["cluster_uuid", "csr", "pem", "ca_cert_type", "links", "created_at", "updated_at"];
    let mut keys = body.as_object().into_iter().flat_map(|members| members.keys());
    if let Some(unknown) = keys.find(|key| !known.contains(&key.as_str())) {
        return Err(refuse::unknown_attribute("certificate", unknown));
    }
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    // A cluster that is not there is the request's fault here, not the address's.
    let cluster =
        found(magnum, text("cluster_uuid"), Some(call.project())).map_err(
            |refusal| match refusal.status {
                StatusCode::NOT_FOUND => refuse::bad_request(&format!(
                    "Cluster {} could not be found.",
                    text("cluster_uuid")
                )),
                _ => refusal,
            },
        )?;
    let owner = call.is_member(&cluster.project_id) && cluster.user_id == call.caller.user_id;
    if !owner && !call.caller.is_admin() {
        return Err(refuse::forbidden("certificate:create"));
    }
    let (uuid, authority) = (cluster.uuid.clone(), cluster.authorities.of(text("ca_cert_type")));
    let authority = std::sync::Arc::clone(authority);
    let serial: String = magnum.ids.hex();
    let Some(pem) = authority.sign(text("csr"), &serial.as_bytes()[..16], call.ask.now) else {
        let csr = text("csr").escape_default().to_string().replace("\\\"", "\"");
        return Err(refuse::bad_request(&format!("Received invalid csr b'{csr}'.")));
    };
    let base = call.site.base();
    let mut shown = json!({
        "cluster_uuid": uuid,
        "links": views::links(&base, "certificates", &uuid),
        "csr": text("csr"),
        "pem": pem,
    });
    if body.get("ca_cert_type").is_some() {
        shown["ca_cert_type"] = body["ca_cert_type"].clone();
    }
    Ok(Reply::json(StatusCode::CREATED, &shown))
}

impl Authorities {
    pub(crate) fn new(name: &str, now: jiff::Timestamp) -> Result<Self, Broken> {
        let make = || Authority::new(name, now).map(std::sync::Arc::new);
        Ok(Self { kubernetes: make()?, etcd: make()?, front_proxy: make()? })
    }

    /// Whatever is no known kind is Kubernetes'.
    fn of(&self, kind: &str) -> &std::sync::Arc<Authority> {
        match kind {
            "etcd" => &self.etcd,
            "front-proxy" | "front_proxy" => &self.front_proxy,
            _ => &self.kubernetes,
        }
    }
}
