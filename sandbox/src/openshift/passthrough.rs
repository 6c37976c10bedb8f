//! Copies the root secret's keys into a component's secret, by each platform's own rules.

use serde_json::{Map, Value, json};

use super::cloud::AccessKey;
use super::mode::Mode;
use super::platform::Platform;
use super::secrets::{self, AWS_CREDENTIALS, AWS_ID, AWS_SECRET, SERVICE_ACCOUNT};
use super::work::{Failure, Work};

/// On platforms on which nothing can be minted.
pub(super) async fn sync(work: &mut Work<'_>) -> Result<(), Failure> {
    let platform = work.platform;
    if platform == Platform::Azure {
        if work.mode == Mode::Mint {
            return Err(Failure::undecided());
        }
        let known = &work.request["status"]["providerStatus"]["secretLastResourceVersion"];
        let current = work.root.as_ref().map(|root| &root["metadata"]["resourceVersion"]);
        if work.target.is_some() && current == Some(known) {
            return Ok(());
        }
    }
    let root = work.root()?;
    let data = copy(platform, root, work.target.as_ref())?;
    let version = root["metadata"]["resourceVersion"].clone();
    if platform == Platform::Openstack
        || work.target.as_ref().is_none_or(|target| secrets::data(target) != data)
    {
        work.write(data, json!({})).await.map_err(Failure::of_write)?;
    }
    let kind = match platform {
        Platform::Azure => "AzureProviderStatus",
        Platform::Vsphere => "VSphereProviderStatus",
        _ => return Ok(()),
    };
    work.request["status"]["providerStatus"] = json!({
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": kind,
        "secretLastResourceVersion": version,
    });
    Ok(())
}

/// What the component's secret then holds.
pub(super) fn copy(
    platform: Platform,
    root: &Value,
    target: Option<&Value>,
) -> Result<Map<String, Value>, Failure> {
    let root = secrets::data(root);
    let mut data = target.map(secrets::data).unwrap_or_default();
    let has = |key: &str| root.get(key).filter(|value| **value != "");
    match platform {
        Platform::Aws => {
            // A half that is missing or empty leaves the old half as it is.
            for key in [AWS_ID, AWS_SECRET] {
                if let Some(value) = has(key) {
                    data.insert(key.to_owned(), value.clone());
                }
            }
            let whole = json!({ "data": data });
            let halves = (secrets::value(&whole, AWS_ID), secrets::value(&whole, AWS_SECRET));
            if let (Some(id), Some(secret)) = halves {
                let file = secrets::aws_credentials(&AccessKey { id, secret });
                data.insert(AWS_CREDENTIALS.to_owned(), secrets::encoded(&file));
            }
        }
        Platform::Azure => {
            for key in AZURE {
                // One that is missing in the root goes from the component, without a word.
                match root.get(key) {
                    Some(value) => drop(data.insert(key.to_owned(), value.clone())),
                    None => drop(data.remove(key)),
                }
            }
        }
        Platform::Gcp => copy_all(&[SERVICE_ACCOUNT], &root, &mut data),
        Platform::Kubevirt => copy_all(&["kubeconfig"], &root, &mut data),
        Platform::Openstack => {
            // Without the key there is a complaint; with an empty one the old one stays, and all is said to be well.
            if !root.contains_key("clouds.yaml") {
                return Err(Failure::Insufficient);
            }
            for key in ["clouds.yaml", "cacert"] {
                if let Some(value) = has(key) {
                    data.insert(key.to_owned(), value.clone());
                }
            }
        }
        Platform::Ovirt => copy_all(&OVIRT, &root, &mut data),
        Platform::Vsphere => data = root,
    }
    Ok(data)
}

fn copy_all(keys: &[&str], root: &Map<String, Value>, data: &mut Map<String, Value>) {
    for key in keys {
        if let Some(value) = root.get(*key) {
            data.insert((*key).to_owned(), value.clone());
        }
    }
}

const AZURE: [&str; 7] = [
    "azure_subscription_id",
    "azure_client_id",
    "azure_client_secret",
    "azure_tenant_id",
    "azure_resource_prefix",
    "azure_resourcegroup",
    "azure_region",
];
const OVIRT: [&str; 5] =
    ["ovirt_url", "ovirt_username", "ovirt_password", "ovirt_insecure", "ovirt_ca_bundle"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn secret(pairs: &[(&str, &str)]) -> Value {
        let data: Map<_, _> =
            pairs.iter().map(|(key, text)| ((*key).to_owned(), secrets::encoded(text))).collect();
        json!({ "data": data })
    }

    fn copied(
        platform: Platform,
        root: &[(&str, &str)],
        target: &[(&str, &str)],
    ) -> Vec<(String, String)> {
        let data = copy(platform, &secret(root), Some(&secret(target))).unwrap();
        let whole = json!({ "data": data });
        data.keys()
            .map(|key| (key.clone(), secrets::value(&whole, key).unwrap_or_default()))
            .collect()
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_empty_clouds_yaml_and_a_removed_cacert_leave_the_old_one() {
        let old = [("cacert", "a"), ("clouds.yaml", "old"), ("mine", "m")];
        assert_eq!(copied(Platform::Openstack, &[("clouds.yaml", "")], &old), pairs(&old));
        let new = [("cacert", "a"), ("clouds.yaml", "new"), ("mine", "m")];
        let root = [("clouds.conf", "never copied"), ("clouds.yaml", "new")];
        assert_eq!(copied(Platform::Openstack, &root, &old), pairs(&new));
        let none = copy(Platform::Openstack, &secret(&[("cacert", "a")]), None);
        assert!(matches!(none, Err(Failure::Insufficient)));
    }

    #[test]
    fn half_a_pair_leaves_the_other_half() {
        let old = [(AWS_ID, "A"), (AWS_SECRET, "a"), (AWS_CREDENTIALS, "")];
        let file = "[default]\naws_access_key_id = A\naws_secret_access_key = a";
        let whole = [(AWS_ID, "A"), (AWS_SECRET, "a"), (AWS_CREDENTIALS, file)];
        assert_eq!(copied(Platform::Aws, &[(AWS_ID, "A")], &old), pairs(&whole));
    }

    #[test]
    fn azure_removes_and_vsphere_replaces() {
        let old = [("azure_client_id", "i"), ("azure_region", "r"), ("mine", "m")];
        let after = [("azure_client_id", "j"), ("mine", "m")];
        assert_eq!(copied(Platform::Azure, &[("azure_client_id", "j")], &old), pairs(&after));
        assert_eq!(
            copied(Platform::Vsphere, &[("v.username", "u")], &old),
            pairs(&[("v.username", "u")])
        );
        assert_eq!(copied(Platform::Vsphere, &[], &old), pairs(&[]));
    }
}
