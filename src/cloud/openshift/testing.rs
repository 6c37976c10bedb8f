//! Clusters as the tests of this module see them, without any API.

use serde_json::{Value as Json, json};

use super::name::Name;
use super::objects::{Conditioned, CredentialsRequest, Data, Infrastructure, MODE, OWNER, Secret};
use super::platform::{OPERATOR_NAMESPACE, Platform};
use super::situation::Situation;
use super::value::Value;

/// A cluster in the making. Every builder method returns the changed one.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    situation: Situation,
    minted: bool,
}

/// A healthy one with a root secret, and without any component.
pub(super) fn cluster(platform: Platform) -> Cluster {
    let root = match platform {
        Platform::Aws => {
            vec![("aws_access_key_id", "AKIAROOT"), ("aws_secret_access_key", "root-secret")]
        }
        Platform::Azure => platform.root_keys().iter().map(|key| (*key, "value")).collect(),
        Platform::Gcp => vec![("service_account.json", r#"{"private_key_id":"root"}"#)],
        Platform::Openstack => vec![("clouds.yaml", CLOUDS)],
        Platform::Vsphere => vec![("vc.username", "u"), ("vc.password", "p")],
    };
    let situation = Situation {
        platform: Some(platform),
        operator_mode: Some(String::new()),
        root: Some(secret(&platform.root(), &root)),
        version: Some(version("4.19.1")),
        operators: vec![operator("storage", true, false, false)],
        ..Situation::default()
    };
    let spelling = match platform {
        Platform::Aws => "AWS",
        Platform::Azure => "Azure",
        Platform::Gcp => "GCP",
        Platform::Openstack => "OpenStack",
        Platform::Vsphere => "VSphere",
    };
    let cluster = Cluster { situation, minted: false }.on(spelling);
    if platform.can_mint() { cluster } else { cluster.annotated("passthrough") }
}

impl Cluster {
    /// `status.platformStatus.type`.
    pub(super) fn on(mut self, platform: &str) -> Self {
        self.situation.infrastructure = infrastructure(platform);
        self.situation.platform = platform.parse().ok();
        self
    }

    pub(super) fn mode(mut self, mode: &str) -> Self {
        self.situation.operator_mode = Some(mode.to_owned());
        self
    }

    pub(super) fn legacy(mut self, disabled: &str) -> Self {
        self.situation.legacy_disabled = Some(disabled.to_owned());
        self
    }

    pub(super) fn issuer(mut self, issuer: &str) -> Self {
        self.situation.issuer = issuer.to_owned();
        self
    }

    pub(super) fn annotated(mut self, mode: &str) -> Self {
        if let Some(root) = &mut self.situation.root {
            root.metadata.annotations.insert(MODE.to_owned(), mode.to_owned());
        }
        self
    }

    pub(super) fn without_root(mut self) -> Self {
        self.situation.root = None;
        self
    }

    /// Every component has a credential of its own.
    pub(super) fn minted(mut self) -> Self {
        self.minted = true;
        if self.situation.requests.is_empty() {
            self = self.component("openshift-x/own");
        }
        self
    }

    /// A healthy component with its request, which is named like its secret's namespace and name.
    pub(super) fn component(mut self, secret: &str) -> Self {
        self.situation.requests.push(request(self.situation.platform.unwrap(), secret));
        self
    }

    pub(super) fn situation(&self) -> Situation {
        let mut situation = self.situation.clone();
        let platform = situation.platform.unwrap_or(Platform::Aws);
        let version = situation.root_version().unwrap_or("1").to_owned();
        for request in &mut situation.requests {
            request.status.root_version.clone_from(&version);
            if self.minted {
                let field = if platform == Platform::Gcp { "serviceAccountID" } else { "user" };
                request.status.provider_status =
                    serde_json::from_value(json!({ field: "minted-user" })).unwrap();
            }
            let name = request.secret().unwrap();
            let data = if self.minted {
                key(platform, &format!("of-{name}"))
            } else {
                let root = situation.root.clone().unwrap_or_default().data;
                copied(platform, &root)
            };
            let component = component(&name, &request.called(), &format!("uid-{name}"), data);
            situation.components.insert(name, component);
        }
        situation
    }
}

pub(super) const CLOUDS: &str = "clouds: {openstack: {auth: {auth_url: 'http://k/v3', \
     application_credential_id: id, application_credential_secret: root-secret}}}";

pub(super) fn request(platform: Platform, secret: &str) -> CredentialsRequest {
    let name: Name = secret.parse().unwrap();
    from(&json!({
        "metadata": {
            "namespace": OPERATOR_NAMESPACE,
            "name": format!("{}-{}", name.namespace(), name.name()),
        },
        "spec": {
            "secretRef": { "namespace": name.namespace(), "name": name.name() },
            "providerSpec": { "kind": platform.provider_spec() },
        },
        "status": { "provisioned": true },
    }))
}

/// The request that has this secret.
pub(super) fn request_of<'s>(situation: &'s Situation, secret: &Name) -> &'s CredentialsRequest {
    let has = |request: &&CredentialsRequest| request.secret().as_ref() == Ok(secret);
    situation.requests.iter().find(has).unwrap()
}

pub(super) fn secret(name: &str, data: &[(&str, &str)]) -> Secret {
    let name: Name = name.parse().unwrap();
    let mut secret: Secret = from(&json!({ "metadata": {
        "namespace": name.namespace(), "name": name.name(),
        "uid": format!("uid-{name}"), "resourceVersion": "1",
    } }));
    secret.data = data.iter().map(|(key, value)| ((*key).to_owned(), Value::new(*value))).collect();
    secret
}

/// As the operator writes it.
pub(super) fn component(name: &Name, owner: &str, uid: &str, data: Data) -> Secret {
    let mut secret: Secret = from(&json!({ "metadata": {
        "namespace": name.namespace(), "name": name.name(), "uid": uid,
        "annotations": { OWNER: owner }, "labels": { OWNER: "true" },
    } }));
    secret.data = data;
    secret
}

/// A component's data with a key of its own.
pub(super) fn key(platform: Platform, id: &str) -> Data {
    let pairs: Vec<(&str, String)> = match platform {
        Platform::Gcp => {
            vec![("service_account.json", json!({ "private_key_id": id }).to_string())]
        }
        _ => vec![("aws_access_key_id", id.to_owned()), ("aws_secret_access_key", "x".to_owned())],
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::new(value))).collect()
}

/// What the operator copies.
pub(super) fn copied(platform: Platform, root: &Data) -> Data {
    let mut data = root.clone();
    if platform == Platform::Aws {
        let text = |key: &str| root.get(key).and_then(Value::text).unwrap_or_default();
        let ini = format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}",
            text("aws_access_key_id"),
            text("aws_secret_access_key")
        );
        data.insert("credentials".to_owned(), Value::new(ini));
    }
    data
}

pub(super) fn infrastructure(platform: &str) -> Infrastructure {
    from(
        &json!({ "status": { "infrastructureName": "infra", "platformStatus": { "type": platform } } }),
    )
}

pub(super) fn version(version: &str) -> Conditioned {
    from(&json!({ "status": { "history": [{ "state": "Completed", "version": version }] } }))
}

pub(super) fn operator(
    name: &str,
    available: bool,
    progressing: bool,
    degraded: bool,
) -> Conditioned {
    let condition = |kind: &str, is: bool| json!({ "type": kind, "status": if is { "True" } else { "False" }, "reason": "Because" });
    from(&json!({
        "metadata": { "name": name },
        "status": { "conditions": [
            condition("Available", available),
            condition("Progressing", progressing),
            condition("Degraded", degraded),
        ] },
    }))
}

fn from<T: serde::de::DeserializeOwned>(value: &Json) -> T {
    serde_json::from_value(value.clone()).unwrap()
}
