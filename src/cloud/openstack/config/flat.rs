//! One cloud's configuration, folded together from its sources into plain keys and values, as
//! openstacksdk folds it: defaults, profile, cloud, region, explicit settings.

use std::collections::BTreeMap;
use std::time::Duration;

use zeroize::Zeroizing;

use super::choose::{Chosen, environment};
use super::files::Files;
use super::layers::{add_profile, apply_region, formatted, overlay_map};
use super::{Caveat, ConfigError, DEFAULT_TIMEOUT, Settings};
use crate::cloud::Surroundings;
use crate::cloud::yaml::{Map, Node};
use crate::redaction::ExposeSecret;

/// Keys of a login that a place outside `auth` overrides; the rest is overridden by `auth`.
const OUTSIDE_WINS: &[(&str, &[&str])] = &[
    ("domain_id", &["domain_id"]),
    ("domain_name", &["domain_name"]),
    ("passcode", &["passcode"]),
    ("project_domain_id", &["project_domain_id"]),
    ("project_domain_name", &["project_domain_name"]),
    ("project_id", &["tenant_id", "project_id"]),
    ("project_name", &["tenant_name", "project_name"]),
    ("token", &["auth_token", "token"]),
    ("user_domain_id", &["user_domain_id"]),
    ("user_domain_name", &["user_domain_name"]),
];

/// The rest, with what each was called before.
const INSIDE_WINS: &[(&str, &[&str])] = &[
    ("access_token", &["access_token"]),
    ("access_token_endpoint", &["access_token_endpoint"]),
    ("access_token_type", &["access_token_type"]),
    ("application_credential_id", &["application_credential_id"]),
    ("application_credential_name", &["application_credential_name"]),
    ("application_credential_secret", &["application_credential_secret"]),
    ("auth_url", &["auth_url"]),
    ("client_id", &["client_id"]),
    ("client_secret", &["client_secret"]),
    ("default_domain_id", &["default_domain_id"]),
    ("default_domain_name", &["default_domain_name"]),
    ("discovery_endpoint", &["discovery_endpoint"]),
    ("identity_provider", &["identity_provider"]),
    ("openid_scope", &["openid_scope"]),
    ("password", &["password"]),
    ("protocol", &["protocol"]),
    ("system_scope", &["system_scope"]),
    ("trust_id", &["trust_id"]),
    ("user_id", &["user_id"]),
    ("username", &["username", "user_name"]),
];

/// What has no effect inside `auth`, though somebody means it to have one.
const NOT_INSIDE: &[&str] = &[
    "api_timeout",
    "auth_type",
    "cacert",
    "cert",
    "insecure",
    "interface",
    "key",
    "region_name",
    "verify",
];

/// One cloud's keys and values. Has no `Debug`: it holds secrets.
pub(super) struct Flat {
    /// What is outside `auth`.
    top: Map,
    /// The login.
    auth: BTreeMap<String, Zeroizing<String>>,
    pub(super) warnings: Vec<Caveat>,
}

impl Flat {
    /// Everything but the explicit settings.
    pub(super) fn of(
        chosen: &Chosen,
        settings: &Settings,
        from: &Surroundings,
        files: &Files,
    ) -> Result<Self, ConfigError> {
        let own = match chosen {
            Chosen::Environment => environment(from),
            Chosen::Named(name) => match files.clouds.get(name) {
                Some(Node::Map(own)) => own.clone(),
                Some(Node::Null) => Map::new(),
                _ => {
                    let message = format!("the cloud \"{name}\" in clouds.yaml is not a mapping");
                    return Err(ConfigError::new(Some("cloud"), message));
                }
            },
            Chosen::Nothing => Map::new(),
        };
        let (mut top, mut warnings) = (Map::new(), Vec::new());
        add_profile(&own, chosen, settings, files, &mut top, &mut warnings)?;
        // a region said by the cloud itself displaces the profile's list
        if own.contains_key("region_name") || own.contains_key("regions") {
            top.remove("regions");
        }
        overlay_map(&mut top, own);
        apply_region(&mut top, chosen, settings, from)?;
        let inside = match top.remove("auth") {
            Some(Node::Map(inside)) => inside,
            Some(Node::List(_) | Node::Text(_)) if chosen.name().is_some() => {
                let message =
                    format!("{} has an auth that is not a mapping", chosen.described(files));
                return Err(ConfigError::new(Some("cloud"), message));
            }
            _ => Map::new(),
        };
        refuse_misplaced(&inside, chosen, files)?;
        refuse_no_text(&top, &inside, chosen, files)?;
        let mut flat = Self { top, auth: BTreeMap::new(), warnings };
        flat.gather(&inside);
        flat.expand();
        Ok(flat)
    }

    /// A key of the login.
    pub(super) fn auth(&self, key: &str) -> Option<&str> {
        self.auth.get(key).map(|text| text.as_str())
    }

    /// A key outside the login.
    pub(super) fn top(&self, key: &str) -> Option<&str> {
        self.top.get(key).and_then(Node::text).filter(|text| !text.is_empty())
    }

    /// A key outside the login that is a list, or a text with commas.
    pub(super) fn list(&self, key: &str) -> Vec<&str> {
        match self.top.get(key) {
            Some(Node::List(items)) => items.iter().filter_map(Node::text).collect(),
            Some(Node::Text(text)) => {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Lays the explicit settings over the login. Of two ways to say the same (a project's id, its
    /// name) the one that is explicit stays and the other goes, else a variable meant for another
    /// project would win.
    pub(super) fn overlay(&mut self, settings: &Settings) {
        let secret = |value: &Option<crate::redaction::SecretString>| {
            value.as_ref().map(|secret| secret.expose_secret().to_owned())
        };
        let s = settings;
        let own = [
            ("access_token", secret(&s.access_token)),
            ("access_token_endpoint", s.access_token_endpoint.clone()),
            ("access_token_type", s.access_token_type.clone()),
            ("application_credential_id", s.application_credential_id.clone()),
            ("application_credential_name", s.application_credential_name.clone()),
            ("application_credential_secret", secret(&s.application_credential_secret)),
            ("auth_url", s.auth_url.clone()),
            ("client_id", s.client_id.clone()),
            ("client_secret", secret(&s.client_secret)),
            ("discovery_endpoint", s.discovery_endpoint.clone()),
            ("domain_id", s.domain_id.clone()),
            ("domain_name", s.domain_name.clone()),
            ("identity_provider", s.identity_provider.clone()),
            ("openid_scope", s.openid_scope.clone()),
            ("passcode", secret(&s.passcode)),
            ("password", secret(&s.password)),
            ("project_domain_id", s.project_domain_id.clone()),
            ("project_domain_name", s.project_domain_name.clone()),
            ("project_id", s.project_id.clone()),
            ("project_name", s.project_name.clone()),
            ("protocol", s.protocol.clone()),
            ("token", secret(&s.token)),
            ("user_domain_id", s.user_domain_id.clone()),
            ("user_domain_name", s.user_domain_name.clone()),
            ("user_id", s.user_id.clone()),
            ("username", s.username.clone()),
        ];
        let own: Vec<_> = own
            .into_iter()
            .filter_map(|(key, value)| Some((key, Zeroizing::new(value?))))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        for (key, rivals) in RIVALS {
            if own.iter().any(|(given, _)| given == key) {
                for rival in *rivals {
                    self.auth.remove(*rival);
                }
            }
        }
        self.auth.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value)));
        self.spread_domain();
        let top = [
            ("identity_endpoint_override", s.identity_endpoint_override.clone()),
            ("interface", s.interface.clone()),
        ];
        for (key, value) in top {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.top.insert(key.to_owned(), Node::of(value));
            }
        }
    }

    /// `public` where nothing is said; `publicURL` is an old spelling.
    pub(super) fn interfaces(&self) -> Vec<String> {
        let said = self.list("interface");
        if said.is_empty() {
            return vec!["public".to_owned()];
        }
        said.iter().map(|name| name.trim_end_matches("URL").to_owned()).collect()
    }

    pub(super) fn endpoint_overrides(&self) -> BTreeMap<String, String> {
        let mut overrides = BTreeMap::new();
        // the newer spelling last, so that it stays
        for suffix in ["_endpoint", "_endpoint_override"] {
            for (key, node) in &self.top {
                let service = key.strip_suffix(suffix).filter(|service| !service.is_empty());
                if let (Some(service), Some(text)) = (service, node.text()) {
                    overrides.insert(service.to_owned(), text.to_owned());
                }
            }
        }
        overrides.retain(|_, text| !text.is_empty());
        overrides
    }

    /// `api_timeout`, or any of its old names.
    pub(super) fn timeout(&self) -> Result<Duration, ConfigError> {
        let text = self.top("api_timeout").or_else(|| {
            self.top.iter().find_map(|(key, node)| {
                (key.ends_with("timeout")).then(|| node.text().filter(|text| !text.is_empty()))?
            })
        });
        let Some(text) = text else { return Ok(DEFAULT_TIMEOUT) };
        let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
        seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
            ConfigError::new(Some("timeout"), "api_timeout must be a number of seconds above 0")
        })
    }

    /// Moves the login's keys together, wherever they were written.
    fn gather(&mut self, inside: &Map) {
        let text = |map: &Map, key: &str| {
            let text = map.get(key).and_then(Node::text).filter(|text| !text.is_empty())?;
            Some(Zeroizing::new(text.to_owned()))
        };
        for (target, names) in OUTSIDE_WINS {
            let found = names
                .iter()
                .filter_map(|name| text(&self.top, name).or_else(|| text(inside, name)))
                .next_back();
            self.auth.extend(found.map(|value| ((*target).to_owned(), value)));
        }
        for (target, names) in INSIDE_WINS {
            let found = names
                .iter()
                .find_map(|name| text(inside, name))
                .or_else(|| names.iter().find_map(|name| text(&self.top, name)));
            self.auth.extend(found.map(|value| ((*target).to_owned(), value)));
        }
        if !self.top.contains_key("interface")
            && let Some(old) = self.top.remove("endpoint_type")
        {
            self.top.insert("interface".to_owned(), old);
        }
    }

    /// `{region_name}` and the like, in `auth_url` and in everything outside the login.
    fn expand(&mut self) {
        let values: BTreeMap<String, String> = self
            .top
            .iter()
            .filter_map(|(key, node)| Some((key.clone(), node.text()?.to_owned())))
            .collect();
        if let Some(url) = self.auth.get_mut("auth_url") {
            *url = Zeroizing::new(formatted(url, &values));
        }
        for node in self.top.values_mut() {
            if let Some(text) = node.text() {
                *node = Node::of(formatted(text, &values));
            }
        }
    }

    /// For a login that is not bound to a version a default id comes before a name that is said
    /// (keystoneauth's rule), but not before an explicit one: so it is written out while explicit
    /// settings are not there yet.
    pub(super) fn spread_default_domain(&mut self) {
        if let Some(default) = self.auth.remove("default_domain_id") {
            for key in ["user_domain_id", "project_domain_id"] {
                self.auth.entry(key.to_owned()).or_insert_with(|| default.clone());
            }
        }
    }

    /// A domain said once is the user's and the project's, where there is a project; else it is what
    /// the token is for.
    fn spread_domain(&mut self) {
        if !self.auth.contains_key("project_id") && !self.auth.contains_key("project_name") {
            return;
        }
        for kind in ["id", "name"] {
            let Some(domain) = self.auth.remove(&format!("domain_{kind}")) else { continue };
            for whose in ["user", "project"] {
                let key = format!("{whose}_domain_{kind}");
                self.auth.entry(key).or_insert_with(|| domain.clone());
            }
        }
    }
}

/// openstacksdk does not know what to do with such a key and says so; passing it over would, with
/// `verify`, leave somebody surprised.
fn refuse_misplaced(inside: &Map, chosen: &Chosen, files: &Files) -> Result<(), ConfigError> {
    let Some(key) = NOT_INSIDE.iter().find(|key| inside.contains_key(**key)) else { return Ok(()) };
    Err(ConfigError::new(
        Some("cloud"),
        format!(
            "{} has {key} inside auth, where it has no effect; write it beside auth, one level further out",
            chosen.described(files)
        ),
    ))
}

/// A list or a mapping where a text belongs would be taken for nothing at all.
fn refuse_no_text(
    top: &Map,
    inside: &Map,
    chosen: &Chosen,
    files: &Files,
) -> Result<(), ConfigError> {
    let keys = OUTSIDE_WINS.iter().chain(INSIDE_WINS).flat_map(|(_, names)| names.iter());
    for key in keys {
        let kind = match inside.get(*key).or_else(|| top.get(*key)) {
            Some(Node::List(_)) => "a list",
            Some(Node::Map(_)) => "a mapping",
            Some(Node::Null | Node::Text(_)) | None => continue,
        };
        return Err(ConfigError::new(
            Some("cloud"),
            format!(
                "{} gives {kind} for {key}, which must be a text; quote it if it begins with a character that \
                 YAML gives a meaning",
                chosen.described(files)
            ),
        ));
    }
    Ok(())
}

const DOMAINS: &[&str] = &[
    "default_domain_id",
    "default_domain_name",
    "domain_id",
    "domain_name",
    "project_domain_id",
    "project_domain_name",
    "user_domain_id",
    "user_domain_name",
];

/// What an explicit setting displaces.
const RIVALS: &[(&str, &[&str])] = &[
    ("application_credential_id", &["application_credential_name"]),
    ("application_credential_name", &["application_credential_id"]),
    ("domain_id", DOMAINS),
    ("domain_name", DOMAINS),
    ("project_domain_id", &["project_domain_name"]),
    ("project_domain_name", &["project_domain_id"]),
    ("project_id", &["project_name", "system_scope", "trust_id"]),
    ("project_name", &["project_id", "system_scope", "trust_id"]),
    ("user_domain_id", &["user_domain_name"]),
    ("user_domain_name", &["user_domain_id"]),
    ("user_id", &["username"]),
    ("username", &["user_id"]),
];

/// A truth as people write it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
        "" | "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}
