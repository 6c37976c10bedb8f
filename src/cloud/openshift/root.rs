//! A new root credential before it is written: what must be in it, and what of it is new. The operator checks next to
//! nothing, and spreads what is empty or half to every component.

use super::clouds_yaml::{CA_PATH, CloudsYaml};
use super::mapping::same;
use super::objects::{Data, Secret};
use super::platform::Platform;
use super::value::{Digest, Salt, Value};

/// The keys of a root secret that somebody gave.
#[derive(Clone, Debug)]
pub struct NewRoot {
    platform: Platform,
    data: Data,
}

/// Azure's keys; what is not given stays as it is in the cluster.
#[derive(Clone, Debug, Default)]
pub struct Azure<'v> {
    pub client_id: Option<&'v str>,
    pub client_secret: Option<&'v str>,
    pub region: Option<&'v str>,
    pub resource_group: Option<&'v str>,
    pub resource_prefix: Option<&'v str>,
    pub subscription_id: Option<&'v str>,
    pub tenant_id: Option<&'v str>,
}

/// A login to one vCenter.
#[derive(Clone, Copy, Debug)]
pub struct Vcenter<'v> {
    /// Its full name, as in the secret.
    pub name: &'v str,
    pub username: &'v str,
    pub password: &'v str,
}

impl NewRoot {
    pub fn aws(access_key_id: &str, secret_access_key: &str) -> Self {
        let pairs =
            [("aws_access_key_id", access_key_id), ("aws_secret_access_key", secret_access_key)];
        Self::new(Platform::Aws, pairs)
    }

    pub fn azure(azure: &Azure<'_>) -> Self {
        let pairs = [
            ("azure_client_id", azure.client_id),
            ("azure_client_secret", azure.client_secret),
            ("azure_region", azure.region),
            ("azure_resource_prefix", azure.resource_prefix),
            ("azure_resourcegroup", azure.resource_group),
            ("azure_subscription_id", azure.subscription_id),
            ("azure_tenant_id", azure.tenant_id),
        ];
        Self::new(Platform::Azure, pairs.into_iter().filter_map(|(key, value)| Some((key, value?))))
    }

    pub fn gcp(service_account_json: &str) -> Self {
        Self::new(Platform::Gcp, [("service_account.json", service_account_json)])
    }

    pub fn openstack(clouds_yaml: &str) -> Self {
        Self::new(Platform::Openstack, [("clouds.yaml", clouds_yaml)])
    }

    pub fn vsphere(vcenters: &[Vcenter<'_>]) -> Self {
        let mut data = Data::new();
        for Vcenter { name, username, password } in vcenters {
            data.insert(format!("{name}.username"), Value::new(*username));
            data.insert(format!("{name}.password"), Value::new(*password));
        }
        hush_all(&data);
        Self { platform: Platform::Vsphere, data }
    }

    fn new<'v>(platform: Platform, pairs: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let data: Data =
            pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::new(value))).collect();
        hush_all(&data);
        Self { platform, data }
    }

    pub fn platform(&self) -> Platform {
        self.platform
    }

    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Why it must not be written, beside what is in the cluster now. By the keys' names, never with values.
    pub fn complaints(&self, root: Option<&Secret>) -> Vec<String> {
        let mut complaints: Vec<_> = self
            .data
            .iter()
            .filter(|(_, value)| value.is_empty())
            .map(|(key, _)| format!("{key} is empty"))
            .collect();
        let text = |key: &str| self.data.get(key).and_then(Value::text).unwrap_or_default();
        for key in self
            .data
            .keys()
            .filter(|key| !matches!(&***key, "clouds.yaml" | "service_account.json"))
        {
            // An empty one is told already.
            if text(key).trim() != text(key) && !text(key).trim().is_empty() {
                complaints.push(format!("{key} begins or ends with white space"));
            }
        }
        if !complaints.is_empty() {
            return complaints;
        }
        match self.platform {
            Platform::Aws if text("aws_access_key_id").starts_with("ASIA") => complaints.push(
                "aws_access_key_id is that of a temporary key (ASIA…), which ends within hours and needs a session token that \
                 the operator does not hand on"
                    .to_owned(),
            ),
            Platform::Gcp => complaints.extend(gcp_complaint(text("service_account.json"))),
            Platform::Openstack => match CloudsYaml::parse(text("clouds.yaml")) {
                Ok(yaml) => {
                    let former = root.and_then(|root| root.data.get("clouds.yaml")?.text());
                    let former = former.and_then(|text| CloudsYaml::parse(text).ok());
                    let why = yaml.complaint().or_else(|| {
                        (former.is_some_and(|former| former.has_ca()) && !yaml.has_ca()).then(|| {
                            format!(
                                "the one in use names a CA (cacert), and this one none: the components would trust the cloud no \
                                 more. Any path will do, the operator replaces it: cacert: {CA_PATH}"
                            )
                        })
                    });
                    complaints.extend(why.map(|why| format!("clouds.yaml cannot be used: {why}")));
                }
                Err(why) => complaints.push(format!("clouds.yaml cannot be used: {why}")),
            },
            _ => {}
        }
        let root = root.map(|root| &root.data);
        let there =
            |key: &str| root.and_then(|root| root.get(key)).is_some_and(|value| !value.is_empty());
        for key in self.platform.root_keys() {
            if !self.data.contains_key(*key) && !there(key) {
                complaints.push(format!(
                    "{key} is neither given nor in {}: the operator would take it away from every component",
                    self.platform.root()
                ));
            }
        }
        if let (Platform::Vsphere, Some(root)) = (self.platform, root) {
            let known = |data: &Data| {
                let names =
                    data.keys().filter_map(|key| key.strip_suffix(".username").map(str::to_owned));
                names.collect::<Vec<_>>()
            };
            let has = known(root);
            for name in known(&self.data).into_iter().filter(|name| !has.contains(name)) {
                complaints.push(format!(
                    "{} has no vCenter named {name}, it has: {}",
                    self.platform.root(),
                    has.join(", ")
                ));
            }
        }
        complaints
    }

    /// The keys that are not in the cluster as they are given, with their values.
    pub fn changes(&self, root: Option<&Secret>) -> Data {
        let there = |key: &str| root.and_then(|root| root.data.get(key));
        self.data
            .iter()
            .filter(|(key, value)| !there(key).is_some_and(|there| same(key, value, there)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// What is given, to be known again.
    pub fn digest(&self, salt: &Salt) -> Digest {
        digest(salt, &self.data)
    }
}

/// The values of these keys in a root secret, to be known again: what the operator rewrites does not count.
pub fn digest(salt: &Salt, data: &Data) -> Digest {
    let canonical = data.iter().map(|(key, value)| {
        let yaml = value.text().filter(|_| key == "clouds.yaml").map(CloudsYaml::parse);
        match yaml {
            Some(Ok(yaml)) => (key, Value::new(yaml.canonical().as_bytes())),
            _ => (key, value.clone()),
        }
    });
    let canonical: Vec<_> = canonical.collect();
    salt.digest(canonical.iter().flat_map(|(key, value)| [key.as_bytes(), value.bytes()]))
}

/// The keys of a root secret that a digest of it is made of. The CA is the operator's, what else is in it nobody's.
pub fn counted(platform: Platform, root: &Secret) -> Data {
    let counts = |key: &str| match platform {
        Platform::Vsphere => true,
        _ => platform.root_keys().contains(&key),
    };
    let kept = root.data.iter().filter(|(key, _)| counts(key));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn hush_all(data: &Data) {
    for (key, value) in data {
        super::value::hush(key, value);
    }
}

fn gcp_complaint(text: &str) -> Option<String> {
    let wrong = |why: &str| Some(format!("service_account.json cannot be used: {why}"));
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return wrong("it is not JSON");
    };
    if json["type"] != "service_account" {
        return wrong("its type is not service_account: a key of a service account is needed");
    }
    let missing = ["client_email", "private_key", "private_key_id", "project_id"]
        .into_iter()
        .find(|key| json[key].as_str().is_none_or(str::is_empty))?;
    wrong(&format!("it has no {missing}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::secret;
    use super::*;

    fn check(new: &NewRoot, root: Option<&Secret>, expected: &[&str]) {
        let said = new.complaints(root);
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said:?} should say {expected:?}");
        }
    }

    const JSON: &str = r#"{"type":"service_account","client_email":"a","private_key":"k","private_key_id":"i","project_id":"p"}"#;

    #[test]
    fn what_the_operator_would_spread_unseen_is_refused() {
        check(&NewRoot::aws("AKIA1", "s"), None, &[]);
        check(
            &NewRoot::aws("", " "),
            None,
            &["aws_access_key_id is empty", "aws_secret_access_key is empty"],
        );
        check(
            &NewRoot::aws("AKIA1", "s\n"),
            None,
            &["aws_secret_access_key begins or ends with white space"],
        );
        check(&NewRoot::aws("ASIA1", "s"), None, &["temporary key"]);
        check(&NewRoot::gcp("x"), None, &["not JSON"]);
        check(
            &NewRoot::gcp(r#"{"type":"external_account"}"#),
            None,
            &["type is not service_account"],
        );
        check(&NewRoot::gcp(&JSON.replace("private_key_id", "x")), None, &["no private_key_id"]);
        check(&NewRoot::gcp(JSON), None, &[]);
        check(&NewRoot::openstack(""), None, &["clouds.yaml is empty"]);
        check(&NewRoot::openstack("clouds: {}"), None, &["no cloud named"]);
    }

    #[test]
    fn azure_needs_all_seven_given_or_there() {
        let all: Vec<_> = Platform::Azure.root_keys().iter().map(|key| (*key, "v")).collect();
        let new = NewRoot::azure(&Azure { client_secret: Some("new"), ..Azure::default() });
        check(&new, Some(&secret("kube-system/azure-credentials", &all)), &[]);
        check(
            &new,
            Some(&secret("kube-system/azure-credentials", &all[1..])),
            &["azure_client_id is neither given nor in"],
        );
        assert_eq!(new.complaints(None).len(), 6);
    }

    #[test]
    fn a_vcenter_is_known_or_mistyped() {
        let root =
            secret("kube-system/vsphere-creds", &[("vc1.username", "u"), ("vc1.password", "p")]);
        let of = |name: &'static str| {
            NewRoot::vsphere(&[Vcenter { name, username: "u", password: "new" }])
        };
        check(&of("vc1"), Some(&root), &[]);
        check(&of("vc2"), Some(&root), &["has no vCenter named vc2, it has: vc1"]);
    }

    #[test]
    fn only_what_differs_is_written() {
        let root = secret(
            "kube-system/aws-creds",
            &[("aws_access_key_id", "AKIA1"), ("aws_secret_access_key", "s")],
        );
        let keys = |new: &NewRoot, root| new.changes(root).into_keys().collect::<Vec<_>>();
        assert_eq!(keys(&NewRoot::aws("AKIA1", "s"), Some(&root)), [""; 0]);
        assert_eq!(keys(&NewRoot::aws("AKIA1", "t"), Some(&root)), ["aws_secret_access_key"]);
        assert_eq!(keys(&NewRoot::aws("AKIA1", "s"), None).len(), 2);
        let yaml = "clouds: {openstack: {auth: {password: a}}}";
        let root = secret(
            "kube-system/openstack-credentials",
            &[("clouds.yaml", "clouds:\n  openstack:\n    auth:\n      password: \"a\"\n")],
        );
        assert_eq!(keys(&NewRoot::openstack(yaml), Some(&root)), [""; 0]);
    }

    #[test]
    fn a_digest_is_blind_to_what_the_operator_rewrites() {
        let salt = Salt::random().unwrap();
        let of = |yaml: &str| NewRoot::openstack(yaml).digest(&salt);
        let (one, same) =
            ("clouds: {openstack: {a: b, cacert: ''}}", "clouds:\n  openstack:\n    a: 'b'\n");
        assert_eq!(of(one), of(same));
        assert_ne!(of(one), of(&one.replace("a: b", "a: c")));
        let root = secret(
            "kube-system/openstack-credentials",
            &[("clouds.yaml", same), ("cacert", "PEM")],
        );
        assert_eq!(digest(&salt, &counted(Platform::Openstack, &root)), of(one));
    }
}
