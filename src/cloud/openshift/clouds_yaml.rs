//! OpenStack's root credential: what its `clouds.yaml` means to the operator, and the login that it is.
//!
//! The operator rewrites the file (another order, other quotes, another path of the CA), so texts are never compared:
//! what they say is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cloud::openstack::config::Settings;
use crate::cloud::yaml::{Map, Node, parse_yaml};
use crate::redaction::SecretString;

/// The only cloud that the operator and OpenShift's components look for.
pub const CLOUD: &str = "openstack";

/// A clouds.yaml with the cloud `openstack`. Has no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct CloudsYaml(Map);

impl std::fmt::Debug for CloudsYaml {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CloudsYaml(..)")
    }
}

/// Where a cloud's certificates are on the cluster's nodes, by the operator's own rule.
pub(super) const CA_PATH: &str =
    "/etc/kubernetes/static-pod-resources/configmaps/cloud-config/ca-bundle.pem";

impl CloudsYaml {
    /// What is wrong with it names keys and places, never values.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root = parse_yaml(text)?;
        let clouds = root.map().and_then(|map| map.get("clouds")).and_then(Node::map);
        let clouds = clouds.ok_or("it has no map \"clouds\"")?;
        let cloud = clouds.get(CLOUD).and_then(Node::map);
        cloud.ok_or_else(|| {
            let names: Vec<_> = clouds.keys().map(String::as_str).collect();
            format!(
                "it has no cloud named \"{CLOUD}\", the one that OpenShift uses: {}",
                names.join(", ")
            )
        })?;
        Ok(Self(root.map().cloned().unwrap_or_default()))
    }

    /// Whether both say the same once the operator has written them.
    pub fn says_the_same(&self, other: &Self) -> bool {
        same_map(&self.normal(), &other.normal())
    }

    /// Everything that it says, in one order: for digests.
    pub fn canonical(&self) -> zeroize::Zeroizing<String> {
        let mut text = zeroize::Zeroizing::new(String::new());
        spell(&mut text, &Node::Map(self.normal()));
        text
    }

    /// What is not there and without which nobody logs in.
    pub fn complaint(&self) -> Option<String> {
        let auth = self.auth();
        let has = |key: &str| {
            auth.get(key).and_then(Node::text).is_some_and(|text| !text.trim().is_empty())
        };
        if !has("auth_url") {
            return Some("its cloud has no auth.auth_url".to_owned());
        }
        let credential = has("application_credential_id") || has("application_credential_name");
        let user = has("username") || has("user_id");
        match (credential, user) {
            (true, _) if !has("application_credential_secret") => {
                Some("its cloud has an application credential without its secret".to_owned())
            }
            (true, _) => None,
            (false, true) if !has("password") => {
                Some("its cloud has a user without a password".to_owned())
            }
            (false, true) => {
                let project = ["project_id", "project_name", "tenant_id", "tenant_name"];
                let missing = !project.into_iter().any(has);
                missing.then(|| "its cloud has a user without a project".to_owned())
            }
            (false, false) => {
                Some("its cloud has neither an application credential nor a user".to_owned())
            }
        }
    }

    /// The login that it is, with nothing from this machine: neither its files nor its environment. The path of the
    /// CA is one on the cluster's nodes, so the certificates come from `ca_bundle`.
    pub fn login(&self, ca_bundle: Option<&str>) -> Settings {
        let auth = self.auth();
        let cloud = self.cloud();
        let text = |map: &Map, key: &str| map.get(key).and_then(Node::text).map(str::to_owned);
        let of_auth = |key: &str| text(&auth, key);
        let secret = |key: &str| of_auth(key).map(SecretString::from);
        let default_domain = |kind: &str| {
            of_auth(&format!("default_domain_{kind}"))
                .or_else(|| of_auth(&format!("domain_{kind}")))
        };
        let credential = of_auth("application_credential_id").is_some()
            || of_auth("application_credential_name").is_some();
        let user = of_auth("username").is_some();
        let named = user && !credential || of_auth("application_credential_name").is_some();
        let project = !credential;
        Settings {
            application_credential_id: of_auth("application_credential_id"),
            application_credential_name: of_auth("application_credential_name"),
            application_credential_secret: secret("application_credential_secret"),
            auth_url: of_auth("auth_url"),
            cacert: ca_bundle.map(str::to_owned),
            interface: text(cloud, "interface"),
            password: secret("password").filter(|_| !credential),
            project_domain_id: of_auth("project_domain_id")
                .or_else(|| default_domain("id"))
                .filter(|_| project),
            project_domain_name: of_auth("project_domain_name")
                .or_else(|| default_domain("name"))
                .filter(|_| project),
            project_id: of_auth("project_id").or_else(|| of_auth("tenant_id")).filter(|_| project),
            project_name: of_auth("project_name")
                .or_else(|| of_auth("tenant_name"))
                .filter(|_| project),
            region_name: text(cloud, "region_name"),
            user_domain_id: of_auth("user_domain_id")
                .or_else(|| default_domain("id"))
                .filter(|_| named),
            user_domain_name: of_auth("user_domain_name")
                .or_else(|| default_domain("name"))
                .filter(|_| named),
            user_id: of_auth("user_id").filter(|_| project),
            username: of_auth("username").filter(|_| user && named),
            verify: text(cloud, "verify").map(|text| !text.eq_ignore_ascii_case("false")),
            ..Settings::default()
        }
    }

    /// Whether its cloud names a CA.
    pub fn has_ca(&self) -> bool {
        self.cloud().get("cacert").and_then(Node::text).is_some_and(|path| !path.is_empty())
    }

    fn cloud(&self) -> &Map {
        static NONE: Map = BTreeMap::new();
        let clouds = self.0.get("clouds").and_then(Node::map);
        clouds.and_then(|clouds| clouds.get(CLOUD)).and_then(Node::map).unwrap_or(&NONE)
    }

    fn auth(&self) -> Map {
        self.cloud().get("auth").and_then(Node::map).cloned().unwrap_or_default()
    }

    /// As the operator rewrites it.
    fn normal(&self) -> Map {
        let mut root = self.0.clone();
        if let Some(Node::Map(clouds)) = root.get_mut("clouds")
            && let Some(Node::Map(cloud)) = clouds.get_mut(CLOUD)
        {
            match cloud.get("cacert").and_then(Node::text) {
                Some("") | None => drop(cloud.remove("cacert")),
                Some(_) => {
                    cloud.insert("cacert".to_owned(), Node::of(CA_PATH));
                }
            }
        }
        root
    }
}

fn same_map(one: &Map, other: &Map) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|((key, value), (other_key, other_value))| {
            key == other_key && same(value, other_value)
        })
}

fn same(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::List(one), Node::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Node::Map(one), Node::Map(other)) => same_map(one, other),
        (Node::Text(one), Node::Text(other)) => one == other || same_number(one, other),
        (Node::Null, Node::Null) => true,
        _ => false,
    }
}

/// A number comes back in another spelling: `1.10` as `1.1`.
fn same_number(one: &str, other: &str) -> bool {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.to_bits() == other.to_bits(),
        _ => false,
    }
}

/// What the operator may spell differently. A password of digits is a text: it may begin with zeros, and have more digits
/// than a float tells apart.
fn number(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_text = digits && (text.len() > 15 || text.len() > 1 && text.starts_with('0'));
    text.parse::<f64>().ok().filter(|number| number.is_finite() && !is_text)
}

fn spell(text: &mut String, node: &Node) {
    match node {
        Node::List(items) => items.iter().for_each(|item| {
            text.push('[');
            spell(text, item);
        }),
        Node::Map(map) => map.iter().for_each(|(key, item)| {
            text.push('{');
            // Writing to a String cannot fail.
            let _ = write!(text, "{key:?}:");
            spell(text, item);
        }),
        Node::Null => text.push('~'),
        Node::Text(value) => match number(value) {
            Some(number) => drop(write!(text, "{number:?}")),
            None => drop(write!(text, "{:?}", &**value)),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::redaction::ExposeSecret;

    use super::*;

    const GIVEN: &str = "clouds:\n  openstack:\n    auth_type: v3applicationcredential\n    region_name: RegionOne\n    \
        cacert: /home/me/ca.pem\n    auth:\n      auth_url: https://keystone/v3\n      \
        application_credential_id: '0123'\n      application_credential_secret: s3cret\n";

    fn yaml(text: &str) -> CloudsYaml {
        CloudsYaml::parse(text).unwrap()
    }

    #[test]
    fn what_the_operator_rewrites_is_the_same_to_it() {
        let rewritten = format!(
            "clouds:\n    openstack:\n        auth:\n            application_credential_id: \"0123\"\n            \
             application_credential_secret: s3cret\n            auth_url: https://keystone/v3\n        \
             auth_type: v3applicationcredential\n        cacert: {CA_PATH}\n        region_name: RegionOne\n"
        );
        assert!(yaml(GIVEN).says_the_same(&yaml(&rewritten)));
        assert_eq!(yaml(GIVEN).canonical(), yaml(&rewritten).canonical());
        let without = rewritten.replace(&format!("        cacert: {CA_PATH}\n"), "");
        assert!(!yaml(GIVEN).says_the_same(&yaml(&without)));
        let empty = without.replace("        region", "        cacert: ''\n        region");
        assert!(yaml(&without).says_the_same(&yaml(&empty)));
        for (was, is) in [("s3cret", "s3cret2"), ("RegionOne", "RegionTwo"), ("0123", "123x")] {
            let other = yaml(&GIVEN.replace(was, is));
            assert!(!yaml(GIVEN).says_the_same(&other), "{was}");
            assert_ne!(yaml(GIVEN).canonical(), other.canonical(), "{was}");
        }
    }

    #[test]
    fn numbers_may_be_spelt_another_way() {
        let with = |version: &str| yaml(&format!("{GIVEN}    volume_api_version: {version}\n"));
        assert!(with("3.0").says_the_same(&with("3")));
        assert_eq!(with("1.10").canonical(), with("1.1").canonical());
        assert!(!with("3").says_the_same(&with("2")));
        // A password of digits is another one with each of them.
        assert!(!with("'0123'").says_the_same(&with("'123'")));
        assert_ne!(with("'0123'").canonical(), with("'123'").canonical());
        assert!(!with("9007199254740992").says_the_same(&with("9007199254740993")));
    }

    #[test]
    fn what_no_component_could_use_is_told() {
        let check = |text: &str, expected: &str| {
            let said = match CloudsYaml::parse(text) {
                Ok(yaml) => yaml.complaint().unwrap_or_default(),
                Err(why) => why,
            };
            assert!(said.contains(expected), "{said:?} should say {expected:?}");
        };
        check(
            "clouds: {other: {}}",
            "no cloud named \"openstack\", the one that OpenShift uses: other",
        );
        check("a: [", "not YAML");
        check("[]", "no map \"clouds\"");
        check("clouds: {openstack: {auth: {username: u}}}", "no auth.auth_url");
        check(
            "clouds: {openstack: {auth: {auth_url: x, application_credential_id: y}}}",
            "without its secret",
        );
        check("clouds: {openstack: {auth: {auth_url: x, username: y}}}", "without a password");
        check(
            "clouds: {openstack: {auth: {auth_url: x, username: y, password: z}}}",
            "without a project",
        );
        check("clouds: {openstack: {auth: {auth_url: x}}}", "neither");
        assert_eq!(yaml(GIVEN).complaint(), None);
    }

    #[test]
    fn the_login_takes_nothing_from_this_machine() {
        let login = yaml(GIVEN).login(Some("PEM"));
        assert_eq!(login.cacert.as_deref(), Some("PEM"));
        assert_eq!(login.application_credential_id.as_deref(), Some("0123"));
        assert_eq!(
            login.application_credential_secret.as_ref().map(ExposeSecret::expose_secret),
            Some("s3cret")
        );
        assert_eq!((login.cloud, login.username, login.password.is_some()), (None, None, false));
        assert_eq!(yaml(GIVEN).login(None).cacert, None);
        let user = yaml(
            "clouds: {openstack: {verify: false, auth: {auth_url: x, username: u, password: p, \
             project_name: n, user_domain_name: Default, project_domain_name: Default}}}",
        );
        let login = user.login(None);
        assert_eq!((login.username.as_deref(), login.verify), (Some("u"), Some(false)));
        assert_eq!(login.project_name.as_deref(), Some("n"));
    }

    #[test]
    fn nothing_of_it_is_printed() {
        assert!(!format!("{:?}", yaml(GIVEN)).contains("s3cret"));
    }
}
