//! From keys and values to a login: which method, for whom, to what; and what is missing for it.

use super::auth::{Authentication, CredentialRef, DomainRef, Method, Scope, UserRef};
use super::choose::Chosen;
use super::files::Files;
use super::flat::Flat;
use super::{ConfigError, Settings};
use crate::redaction::SecretString;

/// How to log in, before it is known whether everything is there for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Of keystoneauth's plugins that are not bound to a version: `default_domain_*` counts.
    Generic(Factor),
    Single(Factor),
    Several(Vec<Factor>),
}

impl Way {
    pub(super) fn is_generic(&self) -> bool {
        matches!(self, Self::Generic(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    ApplicationCredential,
    Password,
    Token,
    Totp,
}

/// The explicit settings' way if they hold a proof of identity, else what `auth_type` says, else
/// what there is.
pub(super) fn way(settings: &Settings, flat: &Flat) -> Result<Way, ConfigError> {
    if let Some(way) = explicit(settings, flat)? {
        return Ok(way);
    }
    let said = flat.top("auth_type").or_else(|| flat.top("auth_plugin"));
    match said {
        Some(said) => named(said, flat),
        None => Ok(deduced(flat)),
    }
}

fn explicit(settings: &Settings, flat: &Flat) -> Result<Option<Way>, ConfigError> {
    let credential = if settings.application_credential_secret.is_some() {
        Some("application_credential_secret")
    } else if settings.application_credential_id.is_some() {
        Some("application_credential_id")
    } else if settings.application_credential_name.is_some() {
        Some("application_credential_name")
    } else {
        None
    };
    let password = settings.password.as_ref().map(|_| "password");
    let passcode = settings.passcode.as_ref().map(|_| "passcode");
    let token = settings.token.as_ref().map(|_| "token");
    let ways: Vec<_> = [credential, password.or(passcode), token].into_iter().flatten().collect();
    if let [one, another, ..] = ways[..] {
        let message = format!(
            "two logins at once: {one} and {another}; keep one of application_credential_*, \
             password (with passcode, if need be) and token"
        );
        return Err(ConfigError::new(Some(another), message));
    }
    let both = || Way::Several(vec![Factor::Password, Factor::Totp]);
    Ok(match (credential, password, passcode, token) {
        (Some(_), ..) => Some(Way::Single(Factor::ApplicationCredential)),
        (_, Some(_), Some(_), _) => Some(both()),
        (_, Some(_), None, _) => {
            let said = flat.top("auth_type").map(|said| named(said, flat)).transpose()?;
            let several = said.filter(|way| matches!(way, Way::Several(_)));
            Some(several.unwrap_or(Way::Generic(Factor::Password)))
        }
        (_, None, Some(_), _) if flat.auth("password").is_some() => Some(both()),
        (_, None, Some(_), _) => Some(Way::Single(Factor::Totp)),
        (.., Some(_)) => Some(Way::Generic(Factor::Token)),
        (None, None, None, None) => None,
    })
}

const KNOWN: &str = "password, v3password, token, v3token, v3applicationcredential, v3totp, \
                     v3multifactor";

fn named(said: &str, flat: &Flat) -> Result<Way, ConfigError> {
    if let Some(factor) = factor(said) {
        let generic = matches!(said, "password" | "token");
        return Ok(if generic { Way::Generic(factor) } else { Way::Single(factor) });
    }
    match said {
        "v3multifactor" => {
            let said = flat.list("auth_methods");
            let factors: Vec<_> = said.iter().map(|name| factor(name)).collect();
            match factors.iter().copied().collect::<Option<Vec<_>>>() {
                Some(factors) if !factors.is_empty() => Ok(Way::Several(factors)),
                Some(_) => Ok(Way::Several(vec![Factor::Password, Factor::Totp])),
                None => Err(ConfigError::new(
                    None,
                    format!("auth_methods may name: {KNOWN}, not {}", said.join(", ")),
                )),
            }
        }
        "v2password" | "v2token" => Err(ConfigError::new(
            None,
            format!("auth_type {said} is of Identity API v2, which is no more; use v3password"),
        )),
        _ => Err(ConfigError::new(
            None,
            format!("auth_type {said} is not supported; supported are: {KNOWN}"),
        )),
    }
}

fn factor(name: &str) -> Option<Factor> {
    Some(match name {
        "password" | "v3password" => Factor::Password,
        "token" | "v3token" => Factor::Token,
        "v3applicationcredential" => Factor::ApplicationCredential,
        "v3totp" => Factor::Totp,
        _ => return None,
    })
}

/// openstacksdk takes a password for given; where there is none, what is there tells.
fn deduced(flat: &Flat) -> Way {
    let has = |key: &str| flat.auth(key).is_some();
    if has("password") {
        return Way::Generic(Factor::Password);
    }
    if has("application_credential_secret") {
        return Way::Single(Factor::ApplicationCredential);
    }
    if has("token") {
        return Way::Generic(Factor::Token);
    }
    if has("passcode") {
        return Way::Single(Factor::Totp);
    }
    Way::Generic(Factor::Password)
}

/// With `/v3`, whether or not it was written.
pub(super) fn auth_url(flat: &Flat, chosen: &Chosen, files: &Files) -> Result<String, ConfigError> {
    let Some(text) = flat.auth("auth_url") else {
        return Err(incomplete(&["auth_url"], flat, chosen, files));
    };
    let trimmed = text.trim().trim_end_matches('/');
    let complaint =
        |what: &str| Err(ConfigError::new(Some("auth_url"), format!("auth_url {what}")));
    if trimmed.ends_with("/v2.0") {
        return complaint("is of Identity API v2, which is no more; end it with /v3");
    }
    match reqwest::Url::parse(trimmed) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            complaint("must not hold a user name or password")
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => {
            let version = if trimmed.ends_with("/v3") { "" } else { "/v3" };
            Ok(format!("{trimmed}{version}"))
        }
        _ => complaint("must be an address such as https://keystone.example.com:5000/v3"),
    }
}

/// Everything put in its place.
pub(super) fn authentication(
    way: Way,
    flat: &Flat,
    chosen: &Chosen,
    files: &Files,
) -> Result<Authentication, ConfigError> {
    let factors = match way {
        Way::Generic(factor) | Way::Single(factor) => vec![factor],
        Way::Several(factors) => factors,
    };
    let mut lookup = Lookup { flat, missing: Vec::new() };
    let methods: Vec<_> = factors.iter().filter_map(|factor| lookup.method(*factor)).collect();
    // an application credential brings its own scope and may not ask for one
    let scope = if factors.contains(&Factor::ApplicationCredential) {
        Scope::Unsaid
    } else {
        lookup.scope()?
    };
    if !lookup.missing.is_empty() {
        return Err(incomplete(&lookup.missing, flat, chosen, files));
    }
    Ok(Authentication { methods, scope })
}

/// Collects what is missing, so that one error names all of it.
struct Lookup<'f> {
    flat: &'f Flat,
    missing: Vec<&'static str>,
}

impl Lookup<'_> {
    fn method(&mut self, factor: Factor) -> Option<Method> {
        match factor {
            Factor::ApplicationCredential => {
                let secret = self.secret("application_credential_secret");
                let which = match self.flat.auth("application_credential_id") {
                    Some(id) => Some(CredentialRef::Id(id.to_owned())),
                    None => match self.flat.auth("application_credential_name") {
                        Some(name) => {
                            let name = name.to_owned();
                            self.user().map(|user| CredentialRef::Name { name, user })
                        }
                        None => self.lacks("application_credential_id"),
                    },
                };
                Some(Method::ApplicationCredential { which: which?, secret: secret? })
            }
            Factor::Password => {
                let (user, password) = (self.user(), self.secret("password"));
                Some(Method::Password { user: user?, password: password? })
            }
            Factor::Token => Some(Method::Token { token: self.secret("token")? }),
            Factor::Totp => {
                let (user, passcode) = (self.user(), self.secret("passcode"));
                Some(Method::Totp { user: user?, passcode: passcode? })
            }
        }
    }

    fn user(&mut self) -> Option<UserRef> {
        if let Some(id) = self.flat.auth("user_id") {
            return Some(UserRef::Id(id.to_owned()));
        }
        let name = match self.flat.auth("username") {
            Some(name) => Some(name.to_owned()),
            None => self.lacks("username"),
        };
        let domain = match self.domain("user_domain_id", "user_domain_name") {
            Some(domain) => Some(domain),
            None if name.is_some() => self.lacks("user_domain_name"),
            None => None,
        };
        Some(UserRef::Name { name: name?, domain: domain? })
    }

    fn domain(&self, id: &str, name: &str) -> Option<DomainRef> {
        let auth = |key: &str| self.flat.auth(key).map(str::to_owned);
        let keys = [
            (id, name),
            ("domain_id", "domain_name"),
            ("default_domain_id", "default_domain_name"),
        ];
        keys.iter().find_map(|(id, name)| {
            auth(id).map(DomainRef::Id).or_else(|| auth(name).map(DomainRef::Name))
        })
    }

    fn scope(&mut self) -> Result<Scope, ConfigError> {
        let auth = |key: &str| self.flat.auth(key).map(str::to_owned);
        let domain = auth("domain_id")
            .map(DomainRef::Id)
            .or_else(|| auth("domain_name").map(DomainRef::Name));
        let project = auth("project_id").map(Scope::ProjectId).or_else(|| {
            let name = auth("project_name")?;
            let Some(domain) = self.domain("project_domain_id", "project_domain_name") else {
                self.missing.push("project_domain_name");
                return None;
            };
            Some(Scope::ProjectName { name, domain })
        });
        let system = match self.flat.auth("system_scope") {
            Some("all") => Some(Scope::System),
            Some(_) => {
                let message = "system_scope can only be \"all\"";
                return Err(ConfigError::new(None, message));
            }
            None => None,
        };
        let scopes = [
            ("domain", domain.map(Scope::Domain)),
            ("project", project),
            ("trust", auth("trust_id").map(Scope::Trust)),
            ("system", system),
        ];
        let mut given = scopes.into_iter().filter_map(|(kind, scope)| Some((kind, scope?)));
        match (given.next(), given.next()) {
            (None, _) => Ok(Scope::Unsaid),
            (Some((_, scope)), None) => Ok(scope),
            (Some((one, _)), Some((another, _))) => Err(ConfigError::new(
                None,
                format!("a token cannot be for a {one} and a {another} at once; keep one"),
            )),
        }
    }

    fn secret(&mut self, key: &'static str) -> Option<SecretString> {
        match self.flat.auth(key) {
            Some(text) => Some(text.into()),
            None => self.lacks(key),
        }
    }

    fn lacks<T>(&mut self, key: &'static str) -> Option<T> {
        if !self.missing.contains(&key) {
            self.missing.push(key);
        }
        None
    }
}

/// What is missing, where was looked, and the three ways to give it.
fn incomplete(
    missing: &[&'static str],
    flat: &Flat,
    chosen: &Chosen,
    files: &Files,
) -> ConfigError {
    let mut missing = missing.to_vec();
    if flat.auth("auth_url").is_none() && !missing.contains(&"auth_url") {
        missing.insert(0, "auth_url");
    }
    let list = missing
        .iter()
        .map(|key| match *key {
            "username" => "username (or user_id)".to_owned(),
            "user_domain_name" | "project_domain_name" => {
                format!("{key} (or {}_id)", key.trim_end_matches("_name"))
            }
            "application_credential_id" => {
                "application_credential_id (or application_credential_name and its user)".to_owned()
            }
            other => other.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(", ");
    let variables: Vec<_> =
        missing.iter().map(|key| format!("OS_{}", key.to_ascii_uppercase())).collect();
    let source = match chosen {
        Chosen::Environment => "the OS_* variables".to_owned(),
        Chosen::Named(name) => format!("the cloud \"{name}\""),
        Chosen::Nothing => "the settings".to_owned(),
    };
    let looked = match chosen {
        Chosen::Named(_) => String::new(),
        Chosen::Environment | Chosen::Nothing => format!("; {}", files.describe()),
    };
    ConfigError::new(
        Some(missing[0]),
        format!(
            "the OpenStack login is incomplete: {source} lack {list}. Give it in one of three ways: \
             as settings of these names, as a cloud of clouds.yaml chosen by cloud or OS_CLOUD{looked}, \
             or as variables ({})",
            variables.join(", ")
        ),
    )
}
