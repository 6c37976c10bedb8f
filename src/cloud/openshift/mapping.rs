//! What a component's secret must hold when the operator hands on the root credential: key by key, since its own
//! "provisioned" is also said of half a pair of keys.

use std::collections::BTreeSet;
use std::fmt;

use super::clouds_yaml::CloudsYaml;
use super::objects::Data;
use super::platform::Platform;
use super::value::Value;

/// A key of a component's secret that is not what the root's is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub key: String,
    pub how: How,
}

/// How it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Another,
    /// It is there without being in the root secret.
    Extra,
    Missing,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, how } = self;
        match how {
            How::Another => write!(formatter, "{key} has another value than in the root secret"),
            How::Extra => write!(formatter, "{key} is not in the root secret"),
            How::Missing => write!(formatter, "{key} is missing"),
        }
    }
}

/// Every mapped key that is not the root's. Keys that are not mapped are the component's own; only vSphere's
/// operator replaces them all.
pub fn differences(platform: Platform, root: &Data, component: &Data) -> Vec<Difference> {
    let keys = mapped(platform, root, component);
    let one = |key: &String| {
        let (wanted, there) = (wanted(platform, root, key), component.get(key));
        let how = match (wanted, there) {
            (None, None) => return None,
            (None, Some(_)) => How::Extra,
            (Some(_), None) => How::Missing,
            (Some(wanted), Some(there)) if same(key, &wanted, there) => return None,
            (Some(_), Some(_)) => How::Another,
        };
        Some(Difference { key: key.clone(), how })
    };
    keys.iter().filter_map(one).collect()
}

/// Whether two values of that key mean the same.
pub fn same(key: &str, one: &Value, other: &Value) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (one.text(), other.text()) else { return false };
    match key {
        "clouds.yaml" => match (CloudsYaml::parse(one), CloudsYaml::parse(other)) {
            (Ok(one), Ok(other)) => one.says_the_same(&other),
            _ => false,
        },
        "credentials" => ini(one) == ini(other),
        "service_account.json" => {
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            json(one).is_some() && json(one) == json(other)
        }
        _ => false,
    }
}

/// The keys that the operator writes into a component's secret.
fn mapped(platform: Platform, root: &Data, component: &Data) -> BTreeSet<String> {
    let mut keys: BTreeSet<_> = platform.root_keys().iter().map(|key| (*key).to_owned()).collect();
    match platform {
        Platform::Aws => {
            keys.insert("credentials".to_owned());
        }
        // A CA that is gone from the root stays in the component.
        Platform::Openstack if root.contains_key("cacert") => {
            keys.insert("cacert".to_owned());
        }
        Platform::Vsphere => keys.extend(root.keys().chain(component.keys()).cloned()),
        Platform::Azure | Platform::Gcp | Platform::Openstack => {}
    }
    keys
}

fn wanted(platform: Platform, root: &Data, key: &str) -> Option<Value> {
    if platform == Platform::Aws && key == "credentials" {
        let part = |key: &str| root.get(key).and_then(Value::text).unwrap_or_default();
        let (id, secret) = (part("aws_access_key_id"), part("aws_secret_access_key"));
        return Some(Value::new(format!(
            "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}"
        )));
    }
    root.get(key).cloned()
}

/// Lines without what is around keys and values.
fn ini(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            line.split_once('=').map_or((line, ""), |(key, value)| (key.trim(), value.trim()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> Data {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::new(*value))).collect()
    }

    fn check(
        platform: Platform,
        root: &[(&str, &str)],
        component: &[(&str, &str)],
        expected: &[&str],
    ) {
        let found = differences(platform, &data(root), &data(component));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{platform}");
    }

    const AWS: [(&str, &str); 2] =
        [("aws_access_key_id", "AKIA1"), ("aws_secret_access_key", "s1")];

    #[test]
    fn aws_has_a_third_key_that_the_root_does_not_have() {
        let ini = "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s1";
        let all = [AWS[0], AWS[1], ("credentials", ini)];
        check(Platform::Aws, &AWS, &all, &[]);
        check(Platform::Aws, &AWS, &AWS, &["credentials is missing"]);
        // Half of a pair, as the operator leaves it where the root's other half is missing.
        let half =
            [AWS[0], ("aws_secret_access_key", "s0"), ("credentials", &ini.replace("s1", "s0"))];
        check(
            Platform::Aws,
            &AWS,
            &half,
            &[
                "aws_secret_access_key has another value than in the root secret",
                "credentials has another value than in the root secret",
            ],
        );
        check(Platform::Aws, &AWS, &[AWS[0], AWS[1], ("credentials", &format!("{ini}\n"))], &[]);
        check(Platform::Aws, &AWS, &[AWS[0], AWS[1], ("credentials", ini), ("own", "x")], &[]);
    }

    #[test]
    fn azure_has_seven_and_what_the_root_lacks_must_go() {
        let root: Vec<_> = Platform::Azure.root_keys().iter().map(|key| (*key, "v")).collect();
        check(Platform::Azure, &root, &root, &[]);
        check(Platform::Azure, &root[1..], &root, &["azure_client_id is not in the root secret"]);
        check(Platform::Azure, &root, &root[1..], &["azure_client_id is missing"]);
    }

    #[test]
    fn gcp_compares_what_the_json_says() {
        let (one, other) = (r#"{"a":1,"b":2}"#, "{ \"b\": 2, \"a\": 1 }");
        check(
            Platform::Gcp,
            &[("service_account.json", one)],
            &[("service_account.json", other)],
            &[],
        );
        check(
            Platform::Gcp,
            &[("service_account.json", one)],
            &[("service_account.json", "{}")],
            &["service_account.json has another value than in the root secret"],
        );
    }

    #[test]
    fn openstack_compares_what_the_yaml_says_and_the_ca_that_is_in_the_root() {
        let yaml =
            |secret: &str| format!("clouds: {{openstack: {{auth: {{password: {secret}}}}}}}");
        let (one, same, other) = (yaml("a"), yaml("'a'"), yaml("b"));
        let key = "clouds.yaml";
        check(Platform::Openstack, &[(key, &one), ("clouds.conf", "x")], &[(key, &same)], &[]);
        check(
            Platform::Openstack,
            &[(key, &one)],
            &[(key, &other)],
            &["clouds.yaml has another value than in the root secret"],
        );
        check(
            Platform::Openstack,
            &[(key, &one), ("cacert", "P")],
            &[(key, &same)],
            &["cacert is missing"],
        );
        check(Platform::Openstack, &[(key, &one)], &[(key, &same), ("cacert", "P")], &[]);
        // What is no clouds.yaml is compared as it is.
        check(Platform::Openstack, &[(key, "garbage")], &[(key, "garbage")], &[]);
    }

    #[test]
    fn vsphere_replaces_everything() {
        let root = [("vc.username", "u"), ("vc.password", "p")];
        check(Platform::Vsphere, &root, &root, &[]);
        check(
            Platform::Vsphere,
            &root,
            &[root[0], root[1], ("own", "x")],
            &["own is not in the root secret"],
        );
        check(Platform::Vsphere, &root, &[root[0]], &["vc.password is missing"]);
    }
}
