//! The `settings` argument: the keys of a cloud in clouds.yaml, as openstacksdk knows them.
//! Says nothing about whether a login works with them.

use std::collections::BTreeMap;

use crate::tfplugin::cty::Value;

/// Settings that were given, known and not null, in a constant order.
#[derive(Clone, Default)]
pub(super) struct Settings {
    /// What stands under `auth`.
    pub(super) auth: Vec<(String, Setting)>,
    /// What stands beside it, `auth_type` first.
    pub(super) cloud: Vec<(String, Setting)>,
}

#[derive(Clone, PartialEq)]
pub(super) enum Setting {
    Bool(bool),
    List(Vec<String>),
    Text(String),
}

/// A key that openstacksdk knows.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) place: Place,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Auth,
    Cloud,
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    List,
    Text,
}

pub(super) const KEYS: &[Key] = &[
    cloud("auth_type", Kind::Text),
    cloud("auth_methods", Kind::List),
    cloud("profile", Kind::Text),
    auth("auth_url"),
    auth("application_credential_id"),
    auth("application_credential_name"),
    auth("application_credential_secret"),
    auth("username"),
    auth("user_id"),
    auth("user_domain_name"),
    auth("user_domain_id"),
    auth("password"),
    auth("passcode"),
    auth("token"),
    auth("project_name"),
    auth("project_id"),
    auth("project_domain_name"),
    auth("project_domain_id"),
    auth("domain_name"),
    auth("domain_id"),
    auth("default_domain_name"),
    auth("default_domain_id"),
    auth("system_scope"),
    auth("trust_id"),
    cloud("region_name", Kind::Text),
    cloud("interface", Kind::Text),
    cloud("cacert", Kind::Text),
    cloud("cert", Kind::Text),
    cloud("key", Kind::Text),
    cloud("verify", Kind::Bool),
    cloud("api_timeout", Kind::Text),
];

/// Keys may also name a service: `identity_endpoint_override`.
const SERVICES: &[&str] = &[
    "accelerator",
    "baremetal",
    "baremetal_introspection",
    "block_storage",
    "compute",
    "container_infra",
    "container_infrastructure_management",
    "database",
    "dns",
    "identity",
    "image",
    "instance_ha",
    "key_manager",
    "load_balancer",
    "message",
    "metric",
    "network",
    "object_store",
    "orchestration",
    "placement",
    "rating",
    "shared_file_system",
    "volume",
    "workflow",
];

const SERVICE_SUFFIXES: &[&str] = &[
    "_api_version",
    "_default_microversion",
    "_endpoint_override",
    "_interface",
    "_service_name",
    "_service_type",
];

/// What people write who come from other tools, and what it is called here.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("access_key", "application_credential_id"),
    ("ca_cert", "cacert"),
    ("ca_file", "cacert"),
    ("credential_id", "application_credential_id"),
    ("endpoint_type", "interface"),
    ("id", "application_credential_id"),
    ("insecure", "verify"),
    ("name", "application_credential_name"),
    ("region", "region_name"),
    ("secret", "application_credential_secret"),
    ("tenant", "project_name"),
    ("tenant_id", "project_id"),
    ("tenant_name", "project_name"),
    ("timeout", "api_timeout"),
    ("url", "auth_url"),
    ("user", "username"),
    ("user_name", "username"),
];

const fn auth(name: &'static str) -> Key {
    Key { name, place: Place::Auth, kind: Kind::Text }
}

const fn cloud(name: &'static str, kind: Kind) -> Key {
    Key { name, place: Place::Cloud, kind }
}

impl Settings {
    /// Reads the argument. The error names keys, never a value.
    pub(super) fn read(argument: &Value) -> Result<Self, String> {
        let mut given = BTreeMap::new();
        for (name, value) in entries(argument, "settings")? {
            let value = untyped(value);
            if name == "auth" && *value != Value::Null {
                for (name, value) in entries(value, "auth")? {
                    if KEYS.iter().any(|key| key.name == name && key.place == Place::Cloud) {
                        return Err(format!("`{name}` stands beside `auth`, not in it"));
                    }
                    add(&mut given, name, untyped(value))?;
                }
            } else if name != "auth" {
                add(&mut given, name, value)?;
            }
        }

        let mut settings = Self::default();
        for key in KEYS {
            if let Some(value) = given.remove(key.name) {
                settings.list_of(key.place).push((key.name.to_owned(), key.read(value)?));
            }
        }
        for (name, value) in given {
            if !is_of_a_service(name) {
                return Err(unknown(name));
            }
            settings.cloud.push((name.to_owned(), Setting::Text(text(name, value)?)));
        }
        settings.deduce_auth_type()?;
        Ok(settings)
    }

    /// Both lists.
    pub(super) fn all(&self) -> impl Iterator<Item = &(String, Setting)> {
        self.cloud.iter().chain(&self.auth)
    }

    fn list_of(&mut self, place: Place) -> &mut Vec<(String, Setting)> {
        match place {
            Place::Auth => &mut self.auth,
            Place::Cloud => &mut self.cloud,
        }
    }

    /// openstacksdk takes a password for given where nothing is said, so everything is said.
    fn deduce_auth_type(&mut self) -> Result<(), String> {
        if self.cloud.iter().any(|(name, _)| name == "auth_type") {
            return Ok(());
        }
        let has = |wanted: &str| self.auth.iter().any(|(name, _)| name == wanted);
        let credential = has("application_credential_secret")
            || has("application_credential_id")
            || has("application_credential_name");
        let (password, passcode) = (has("password"), has("passcode"));
        let ways = [credential, password || passcode, has("token")];
        if ways.iter().filter(|way| **way).count() > 1 {
            return Err("an application credential, a password or passcode, and a token are \
                different logins; leave one, or say which with `auth_type`"
                .to_owned());
        }
        let auth_type = match (credential, password, passcode, has("token")) {
            (true, ..) => "v3applicationcredential",
            (_, true, true, _) => "v3multifactor",
            (_, true, false, _) => "password",
            (_, false, true, _) => "v3totp",
            (_, _, _, true) => "v3token",
            _ => return Ok(()),
        };
        let no_methods = !self.cloud.iter().any(|(name, _)| name == "auth_methods");
        if auth_type == "v3multifactor" && no_methods {
            let methods = ["v3password", "v3totp"].map(str::to_owned).to_vec();
            self.cloud.insert(0, ("auth_methods".to_owned(), Setting::List(methods)));
        }
        self.cloud.insert(0, ("auth_type".to_owned(), Setting::Text(auth_type.to_owned())));
        Ok(())
    }
}

impl Key {
    fn read(&self, value: &Value) -> Result<Setting, String> {
        match self.kind {
            Kind::Text => text(self.name, value).map(Setting::Text),
            Kind::Bool => match value {
                Value::Bool(value) => Ok(Setting::Bool(*value)),
                Value::String(text) if text == "true" || text == "false" => {
                    Ok(Setting::Bool(text == "true"))
                }
                _ => Err(format!("`{}` must be true or false", self.name)),
            },
            Kind::List => {
                let refusal = || format!("`{}` must be a list of strings", self.name);
                let elements = value.as_elements().ok_or_else(refusal)?;
                let texts = elements.iter().map(|element| match untyped(element) {
                    element @ Value::String(_) => text(self.name, element),
                    _ => Err(refusal()),
                });
                texts.collect::<Result<_, _>>().map(Setting::List)
            }
        }
    }
}

fn entries<'v>(
    value: &'v Value,
    what: &str,
) -> Result<impl Iterator<Item = (&'v str, &'v Value)>, String> {
    match untyped(value).as_entries() {
        Some(entries) => Ok(entries.iter().map(|(name, value)| (name.as_str(), value))),
        None => {
            Err(format!("`{what}` must be an object, such as {{ auth_url = \"https://...\" }}"))
        }
    }
}

fn add<'v>(
    given: &mut BTreeMap<&'v str, &'v Value>,
    name: &'v str,
    value: &'v Value,
) -> Result<(), String> {
    if !KEYS.iter().any(|key| key.name == name) && !is_of_a_service(name) {
        return Err(unknown(name));
    }
    if *value != Value::Null && given.insert(name, value).is_some() {
        return Err(format!("`{name}` is given twice, in `auth` and beside it"));
    }
    Ok(())
}

/// Numbers and bools become text, as Terraform itself would convert them.
fn text(name: &str, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => return Err(format!("`{name}` must be a string")),
    };
    if text.contains('\0') {
        return Err(format!("`{name}` holds a NUL character, which no file of settings can hold"));
    }
    Ok(text)
}

fn untyped(value: &Value) -> &Value {
    match value {
        Value::Dynamic(_, value) => untyped(value),
        value => value,
    }
}

fn is_of_a_service(name: &str) -> bool {
    SERVICE_SUFFIXES
        .iter()
        .any(|suffix| name.strip_suffix(suffix).is_some_and(|service| SERVICES.contains(&service)))
}

fn unknown(name: &str) -> String {
    let near = near(name);
    // A key of an object can be anything, so it is shown as text and not at any length.
    let shown: String = name.chars().take(60).collect();
    if near.is_empty() {
        let all: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        format!("clouds.yaml has no key {shown:?}; it has {}", all.join(", "))
    } else {
        format!("clouds.yaml has no key {shown:?}; did you mean {}", near.join(" or "))
    }
}

/// Known keys that look like `name`, the nearest first.
fn near(name: &str) -> Vec<&'static str> {
    if let Some((_, key)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
        return vec![key];
    }
    if name.len() > 60 {
        return Vec::new();
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(name.strip_prefix("OS_").unwrap_or(name));
    let mut found: Vec<(usize, &str)> = KEYS
        .iter()
        .map(|key| (distance(&wanted, key.name), key.name))
        .filter(|(distance, _)| *distance <= 1 + wanted.len() / 4)
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many letters must be changed, left out or put in.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
