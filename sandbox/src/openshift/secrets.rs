//! Secrets as the operator reads and writes them. A component's secret without the label is not there for it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::api::{Api, Refused};
use super::cloud::AccessKey;
use super::names::{MODE, REQUEST, ROOT_NAMESPACE};
use super::platform::Platform;

/// Of one secret.
pub(super) fn path(namespace: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets/{name}")
}

pub(super) async fn root(api: &Api, platform: Platform) -> Result<Option<Value>, Refused> {
    api.get(&path(ROOT_NAMESPACE, platform.root_secret())).await
}

/// The verdict on it; empty where there is none.
pub(super) fn verdict(root: &Value) -> &str {
    root["metadata"]["annotations"][MODE].as_str().unwrap_or_default()
}

/// The secret that a `CredentialsRequest` is for, where the operator can see it.
pub(super) async fn target(api: &Api, request: &Value) -> Result<Option<Value>, Refused> {
    let (namespace, name) = reference(request);
    let found = api.get(&path(&namespace, &name)).await?;
    Ok(found.filter(is_visible))
}

pub(super) fn reference(request: &Value) -> (String, String) {
    let text =
        |key: &str| request["spec"]["secretRef"][key].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

pub(super) fn is_visible(secret: &Value) -> bool {
    secret["metadata"]["labels"][REQUEST] == "true"
}

/// Makes a component's secret, or writes it anew; the other keys and annotations of one that is there stay, unless
/// `data` is told to be all.
pub(super) async fn write(
    api: &Api,
    request: &Value,
    before: Option<&Value>,
    data: Map<String, Value>,
    annotations: Value,
) -> Result<(), String> {
    let (namespace, name) = reference(request);
    let text = |key: &str| request["metadata"][key].as_str().unwrap_or_default();
    let mut secret = before.cloned().unwrap_or_else(|| {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": { "name": name, "namespace": namespace },
        })
    });
    secret["metadata"]["annotations"][REQUEST] =
        json!(format!("{}/{}", text("namespace"), text("name")));
    for (key, value) in annotations.as_object().into_iter().flatten() {
        secret["metadata"]["annotations"][key] = value.clone();
    }
    secret["metadata"]["labels"][REQUEST] = json!("true");
    secret["data"] = Value::Object(data);
    let written = match before {
        None => api.create(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret).await,
        Some(_) => api.replace(&path(&namespace, &name), &secret).await,
    };
    // The operator says no more than this, of whatever it was.
    written.map(drop).map_err(|_| "error processing secret".to_owned())
}

/// A key's value; none where it is missing or empty.
pub(super) fn value(secret: &Value, key: &str) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(secret["data"][key].as_str()?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn data(secret: &Value) -> Map<String, Value> {
    secret["data"].as_object().cloned().unwrap_or_default()
}

pub(super) fn encoded(text: &str) -> Value {
    json!(BASE64_STANDARD.encode(text))
}

/// The access key in a root's or a component's secret.
pub(super) fn access_key(platform: Platform, secret: &Value) -> Option<AccessKey> {
    if platform == Platform::Gcp {
        let account: Value = serde_json::from_str(&value(secret, SERVICE_ACCOUNT)?).ok()?;
        let text = |key: &str| account[key].as_str().map(str::to_owned);
        return Some(AccessKey { id: text("private_key_id")?, secret: text("private_key")? });
    }
    Some(AccessKey { id: value(secret, AWS_ID)?, secret: value(secret, AWS_SECRET)? })
}

/// What a component's secret holds of a key.
pub(super) fn of_key(platform: Platform, key: &AccessKey, user: &str) -> Map<String, Value> {
    let mut data = Map::new();
    if platform == Platform::Gcp {
        let account = json!({
            "type": "service_account",
            "project_id": "sandbox",
            "private_key_id": key.id,
            "private_key": key.secret,
            "client_email": format!("{user}@sandbox.iam.gserviceaccount.com"),
        });
        data.insert(SERVICE_ACCOUNT.to_owned(), encoded(&account.to_string()));
    } else {
        data.insert(AWS_ID.to_owned(), encoded(&key.id));
        data.insert(AWS_SECRET.to_owned(), encoded(&key.secret));
        data.insert(AWS_CREDENTIALS.to_owned(), encoded(&aws_credentials(key)));
    }
    data
}

/// The file that AWS' clients read.
pub(super) fn aws_credentials(key: &AccessKey) -> String {
    let AccessKey { id, secret } = key;
    format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}")
}

pub(super) const AWS_ID: &str = "aws_access_key_id";
pub(super) const AWS_SECRET: &str = "aws_secret_access_key";
pub(super) const AWS_CREDENTIALS: &str = "credentials";
pub(super) const AWS_POLICY: &str = "cloudcredential.openshift.io/aws-policy-last-applied";
pub(super) const SERVICE_ACCOUNT: &str = "service_account.json";
