//! From keys and values to a login: which method, for whom, to what; and what is missing for it.

use super::auth::{Authentication, CredentialRef, DomainRef, Method, Proof, Scope, UserRef};
use super::choose::Chosen;
use super::federation;
use super::files::Files;
use super::flat::Flat;
use super::lookup::Lookup;
use super::{ConfigError, Settings};
use crate::cloud::Surroundings;

/// How to log in, before it is known whether everything is there for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Of keystoneauth's plugins that are not bound to a version: `default_domain_*` counts.
    Generic(Factor),
    Single(Factor),
    Several(Vec<Factor>),
    Federated(federation::Kind),
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
    let access_token = settings.access_token.as_ref().map(|_| "access_token");
    let client = settings.client_id.as_ref().map(|_| "client_id");
    let client = client.or(settings.client_secret.as_ref().map(|_| "client_secret"));
    let ways: Vec<_> = [credential, client.or(password).or(passcode), token, access_token]
        .into_iter()
        .flatten()
        .collect();
    if let [one, another, ..] = ways[..] {
        let message = format!(
            "two logins at once: {one} and {another}; keep one of application_credential_*, \
             password (with passcode, if need be, or with client_id), client_id with client_secret, token \
             and access_token"
        );
        return Err(ConfigError::new(Some(another), message));
    }
    if access_token.is_some() {
        return Ok(Some(Way::Federated(federation::Kind::AccessToken)));
    }
    if client.is_some() {
        let with_password = password.is_some() || flat.auth("password").is_some();
        return Ok(Some(Way::Federated(if with_password {
            federation::Kind::Password
        } else {
            federation::Kind::ClientCredentials
        })));
    }
    let both = || Way::Several(vec![Factor::Password, Factor::Totp]);
    Ok(match (credential, password, passcode, token) {
        (Some(_), ..) => Some(Way::Single(Factor::ApplicationCredential)),
        (_, Some(_), Some(_), _) => Some(both()),
        (_, Some(_), None, _) => {
            let said = flat.top("auth_type").map(|said| named(said, flat)).transpose()?;
            // what the password completes
            let said = said.filter(|way| {
                matches!(way, Way::Several(_) | Way::Federated(federation::Kind::Password))
            });
            Some(said.unwrap_or(Way::Generic(Factor::Password)))
        }
        (_, None, Some(_), _) if flat.auth("password").is_some() => Some(both()),
        (_, None, Some(_), _) => Some(Way::Single(Factor::Totp)),
        (.., Some(_)) => Some(Way::Generic(Factor::Token)),
        (None, None, None, None) => None,
    })
}

const KNOWN: &str = "password, v3password, token, v3token, v3applicationcredential, v3totp, \
                     v3multifactor, v3oidcaccesstoken, v3oidcclientcredentials, v3oidcpassword";

const FACTORS: &str = "password, v3password, token, v3token, v3applicationcredential, v3totp";

fn named(said: &str, flat: &Flat) -> Result<Way, ConfigError> {
    if let Some(factor) = factor(said) {
        let generic = matches!(said, "password" | "token");
        return Ok(if generic { Way::Generic(factor) } else { Way::Single(factor) });
    }
    if let Some(kind) = federation::Kind::named(said) {
        return Ok(Way::Federated(kind));
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
                    format!("auth_methods may name: {FACTORS}, not {}", said.join(", ")),
                )),
            }
        }
        _ => Err(ConfigError::new(None, format!("auth_type {said} {}", instead(said)))),
    }
}

/// Why a login of this type does not work here, and which one does.
fn instead(said: &str) -> String {
    let way = match said {
        "v2password" | "v2token" => {
            return "is of Identity API v2, which is no more; use v3password".to_owned();
        }
        "none" | "noauth" | "http_basic" | "admin_token" => {
            return format!(
                "is a login without Keystone, and what is managed here is Keystone's; use one of: {KNOWN}"
            );
        }
        "v3websso" | "v3oidcauthcode" | "v3oidcdeviceauthz" => {
            "needs a person at a browser, whom a provider does not have"
        }
        "v3adfspassword" | "v3samlpassword" => "is SAML, which is not supported",
        "v3fedkerb" | "v3kerberos" => "is Kerberos, which is not supported",
        "v3oauth1" | "v3oauth2clientcredential" | "v3oauth2mtlsclientcredential" => {
            "is a token of another kind, with which nobody may issue application credentials"
        }
        "v3tokenlessauth" => "gives no token, and application credentials are managed with one",
        _ => return format!("is not supported; supported are: {KNOWN}"),
    };
    format!(
        "{way}. Log in that way once with the openstack command, and give the provider what lasts: the token \
         (`openstack token issue -f value -c id`, as OS_TOKEN with auth_type token) for this run, or an \
         application credential (`openstack application credential create --unrestricted`). A pipeline with an \
         OIDC token of its own logs in by v3oidcaccesstoken"
    )
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
    if has("identity_provider")
        && let Some(kind) = federation::Kind::deduced(flat)
    {
        return Way::Federated(kind);
    }
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
    if has("access_token") {
        return Way::Federated(federation::Kind::AccessToken);
    }
    Way::Generic(Factor::Password)
}

/// With `/v3`, whether or not it was written.
pub(super) fn auth_url(
    settings: &Settings,
    flat: &Flat,
    chosen: &Chosen,
    files: &Files,
    from: &Surroundings,
) -> Result<String, ConfigError> {
    let Some(text) = flat.auth("auth_url") else {
        return Err(incomplete(&["auth_url"], flat, chosen, files, from));
    };
    // neither query nor fragment is of Keystone's address, and neither may swallow the version
    let address = text.split(['?', '#']).next().unwrap_or_default();
    let trimmed = address.trim().trim_end_matches('/');
    let place = match chosen {
        _ if settings.auth_url.is_some() => "in the provider's configuration".to_owned(),
        Chosen::Environment => "in OS_AUTH_URL".to_owned(),
        Chosen::Named(_) | Chosen::Nothing => format!("of {}", chosen.described(files)),
    };
    // A password may stand before the @.
    let shown = if text.contains('@') { String::new() } else { format!(" {text:?}") };
    let complaint = |what: &str| {
        Err(ConfigError::new(Some("auth_url"), format!("auth_url{shown} {place} {what}")))
    };
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
    from: &Surroundings,
) -> Result<Authentication, ConfigError> {
    let mut lookup = Lookup::new(flat);
    let (proof, scope) = match way {
        Way::Federated(kind) => {
            let federation = federation::federation(kind, &mut lookup)?;
            (federation.map(Proof::Federated), lookup.scope()?)
        }
        Way::Generic(factor) | Way::Single(factor) => lookup.methods(&[factor])?,
        Way::Several(factors) => lookup.methods(&factors)?,
    };
    match proof {
        Some(proof) if lookup.missing.is_empty() => Ok(Authentication { proof, scope }),
        _ => Err(incomplete(&lookup.missing, flat, chosen, files, from)),
    }
}

impl Lookup<'_> {
    fn methods(&mut self, factors: &[Factor]) -> Result<(Option<Proof>, Scope), ConfigError> {
        let methods = factors.iter().filter_map(|factor| self.method(*factor)).collect();
        // an application credential brings its own scope and may not ask for one
        let scope = if factors.contains(&Factor::ApplicationCredential) {
            Scope::Unsaid
        } else {
            self.scope()?
        };
        Ok((Some(Proof::Methods(methods)), scope))
    }

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
            Factor::Token => Some(Method::Token { token: self.token("token")? }),
            Factor::Totp => {
                let (user, passcode) = (self.user(), self.token("passcode"));
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
}

/// What is missing, where was looked, and the three ways to give it.
fn incomplete(
    missing: &[&'static str],
    flat: &Flat,
    chosen: &Chosen,
    files: &Files,
    from: &Surroundings,
) -> ConfigError {
    let mut missing = missing.to_vec();
    if flat.auth("auth_url").is_none() && !missing.contains(&"auth_url") {
        missing.insert(0, "auth_url");
    }
    let list = missing
        .iter()
        .map(|key| match *key {
            "username" => "username (or user_id)".to_owned(),
            "discovery_endpoint" => "discovery_endpoint (or access_token_endpoint)".to_owned(),
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
        Chosen::Environment => "the OS_* variables lack".to_owned(),
        Chosen::Named(_) => format!("{} lacks", chosen.described(files)),
        Chosen::Nothing => "the settings lack".to_owned(),
    };
    let set = |name: &&String| from.environment.get(*name).is_some_and(|value| !value.is_empty());
    let ignored: Vec<_> = variables.iter().filter(set).map(String::as_str).collect();
    if let (Chosen::Named(name), false) = (chosen, ignored.is_empty()) {
        let ignored = ignored.join(", ");
        return ConfigError::new(
            Some(missing[0]),
            format!(
                "the OpenStack login is incomplete: {source} {list}. {ignored} is set, and ignored: where a cloud is \
                 named, by cloud or by OS_CLOUD, only the file and the settings say how to log in, as with the openstack \
                 command. Write it into the cloud {name:?} (or its secure.yaml), or unset OS_CLOUD"
            ),
        );
    }
    let looked = match chosen {
        Chosen::Named(_) => String::new(),
        Chosen::Environment | Chosen::Nothing => format!("; {}", files.describe()),
    };
    ConfigError::new(
        Some(missing[0]),
        format!(
            "the OpenStack login is incomplete: {source} {list}. Give it in one of three ways: \
             as settings of these names, as a cloud of clouds.yaml chosen by cloud or OS_CLOUD{looked}, \
             or as variables ({})",
            variables.join(", ")
        ),
    )
}
