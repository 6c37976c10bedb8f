//! What the annotator does to the root secret of an `OpenStack` cluster: the path of the CA in clouds.yaml, and the CA.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::api::Api;
use super::secrets;

/// Where the CA is on every node.
const CA_FILE: &str = "/etc/kubernetes/static-pod-resources/configmaps/cloud-config/ca-bundle.pem";
const CONFIG: &str = "/api/v1/namespaces/openshift-config/configmaps/cloud-provider-config";

/// The patch that brings the root secret into order; none where it is. An error reaches no object.
pub(super) async fn correction(api: &Api, root: &Value) -> Result<Option<Value>, String> {
    let clouds = root["data"]["clouds.yaml"].as_str();
    clouds.ok_or("secret did not have expected key: clouds.yaml")?;
    let clouds = secrets::value(root, "clouds.yaml").unwrap_or_default();
    let config = api.get(CONFIG).await.map_err(|refused| refused.to_string())?;
    let config = config.ok_or("cloud provider config not found")?;
    let ca = config["data"]["ca-bundle.pem"].as_str().unwrap_or_default();
    let other_ca = secrets::value(root, "cacert").unwrap_or_default() != ca;
    let rewritten = with_known_ca_path(&clouds)?;
    if !other_ca && rewritten.is_none() {
        return Ok(None);
    }
    let mut data = json!({});
    if let Some(text) = rewritten {
        data["clouds.yaml"] = secrets::encoded(&text);
    }
    if !ca.is_empty() {
        data["cacert"] = secrets::encoded(ca);
    }
    Ok(Some(json!({ "data": data })))
}

/// clouds.yaml anew, where its path of the CA is empty or another one: without comments, in the order of the keys.
fn with_known_ca_path(text: &str) -> Result<Option<String>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut clouds: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    if !clouds.is_object() {
        return Err("cannot unmarshal clouds.yaml into a map".to_owned());
    }
    let Some(cloud) = clouds["clouds"]["openstack"].as_object_mut() else { return Ok(None) };
    match cloud.get("cacert") {
        None => return Ok(None),
        Some(Value::Null) => drop(cloud.remove("cacert")),
        Some(Value::String(path)) if path.is_empty() => drop(cloud.remove("cacert")),
        Some(Value::String(path)) if path == CA_FILE => return Ok(None),
        Some(_) => drop(cloud.insert("cacert".to_owned(), json!(CA_FILE))),
    }
    let mut yaml = String::new();
    block(&clouds, 0, &mut yaml);
    Ok(Some(yaml))
}

/// Block style, four blanks for each level, as Go's yaml.v3; every scalar that is no plain word in quotes.
fn block(value: &Value, depth: usize, yaml: &mut String) {
    let indent = "    ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let _ = write!(yaml, "{indent}{}:", scalar(&json!(key)));
                below(value, depth, yaml);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(yaml, "{indent}-");
                below(item, depth, yaml);
            }
        }
        other => drop(writeln!(yaml, "{indent}{}", scalar(other))),
    }
}

fn below(value: &Value, depth: usize, yaml: &mut String) {
    let nested = match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if nested {
        yaml.push('\n');
        block(value, depth + 1, yaml);
    } else {
        let _ = writeln!(yaml, " {}", scalar(value));
    }
}

/// JSON is YAML too.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text)
            if !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_/".contains(&byte))
                && !["true", "false", "null", "yes", "no", "on", "off"]
                    .contains(&text.to_ascii_lowercase().as_str())
                && text.starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn another_path_of_the_ca_is_replaced_and_everything_else_kept() {
        let text = "# mine\nclouds:\n  openstack:\n    cacert: /tmp/ca.pem\n    auth: {auth_url: 'https://k:5000/v3', application_credential_secret: \"a\\\"b: c#d\", n: 0123}\n    verify: true\n";
        let after = with_known_ca_path(text).unwrap().unwrap();
        let mut wanted: Value = serde_saphyr::from_str(text).unwrap();
        wanted["clouds"]["openstack"]["cacert"] = json!(CA_FILE);
        assert_eq!(serde_saphyr::from_str::<Value>(&after).unwrap(), wanted);
        assert!(!after.contains('#') || after.contains("c#d"), "{after}");
        assert_eq!(with_known_ca_path(&after).unwrap(), None);
    }

    #[test]
    fn an_empty_path_goes_and_a_missing_one_is_right() {
        let empty = "clouds:\n  openstack:\n    cacert: ''\n    region_name: r\n";
        let after = with_known_ca_path(empty).unwrap().unwrap();
        assert_eq!(after, "clouds:\n    openstack:\n        region_name: r\n");
        assert_eq!(with_known_ca_path(&after).unwrap(), None);
        assert!(with_known_ca_path("garbage").is_err());
    }
}
