//! A login as Keystone takes it: methods and scope, and the body of `POST /v3/auth/tokens`. What an
//! identity provider is asked for first: see [`federation`](super::federation).
//!
//! Which form wins where several are given (an id over a name, a project id over its name) is
//! keystoneauth's rule.

use serde::Serialize;

use super::federation::Federation;
use crate::redaction::{ExposeSecret, SecretString};

/// Who logs in, and to what.
#[derive(Clone, Debug)]
pub struct Authentication {
    pub proof: Proof,
    pub scope: Scope,
}

/// What shows who it is.
#[derive(Clone, Debug)]
pub enum Proof {
    /// An identity provider vouches for whoever it is.
    Federated(Federation),
    /// Keystone's own methods. More than one: all of them are required (multi-factor).
    Methods(Vec<Method>),
}

/// One proof of identity.
#[derive(Clone, Debug)]
pub enum Method {
    ApplicationCredential {
        which: CredentialRef,
        secret: SecretString,
    },
    Password {
        user: UserRef,
        password: SecretString,
    },
    /// An issued token, exchanged for another.
    Token {
        token: SecretString,
    },
    Totp {
        user: UserRef,
        passcode: SecretString,
    },
}

/// An application credential; a name says nothing without its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialRef {
    Id(String),
    Name { name: String, user: UserRef },
}

/// A user; a name says nothing without its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    Id(String),
    Name { name: String, domain: DomainRef },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainRef {
    Id(String),
    Name(String),
}

/// What the token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Domain(DomainRef),
    ProjectId(String),
    ProjectName {
        name: String,
        domain: DomainRef,
    },
    System,
    Trust(String),
    /// Nothing asked for: the user's default project, or what the credential is bound to.
    Unsaid,
}

impl Authentication {
    /// With one application credential by id: it brings its own scope.
    pub fn application_credential(id: &str, secret: &SecretString) -> Self {
        let which = CredentialRef::Id(id.to_owned());
        let method = Method::ApplicationCredential { which, secret: secret.clone() };
        Self { proof: Proof::Methods(vec![method]), scope: Scope::Unsaid }
    }

    /// A token that is exchanged for one of this scope.
    pub fn exchange(token: &SecretString, scope: Scope) -> Self {
        Self { proof: Proof::Methods(vec![Method::Token { token: token.clone() }]), scope }
    }

    /// The token that was given, where nothing is asked of it: exchanging it would give another one that
    /// may do less, and Keystone lets not every token be exchanged.
    pub fn token_as_it_is(&self) -> Option<&SecretString> {
        match (&self.proof, &self.scope) {
            (Proof::Methods(methods), Scope::Unsaid) => match &methods[..] {
                [Method::Token { token }] => Some(token),
                _ => None,
            },
            _ => None,
        }
    }

    /// Why a second login cannot succeed; None where it can.
    pub fn only_once(&self) -> Option<&'static str> {
        match &self.proof {
            _ if self.token_as_it_is().is_some() => Some("the login is a token and nothing else"),
            Proof::Methods(methods)
                if methods.iter().any(|method| matches!(method, Method::Totp { .. })) =>
            {
                Some("a one-time passcode cannot be used for another login")
            }
            Proof::Methods(_) | Proof::Federated(_) => None,
        }
    }

    /// Keystone's own methods, by the names that it gives them.
    pub fn method_names(&self) -> Vec<&'static str> {
        match &self.proof {
            Proof::Federated(_) => Vec::new(),
            Proof::Methods(methods) => methods.iter().map(Method::name).collect(),
        }
    }

    /// Everything that `POST /v3/auth/tokens` sends and no message may repeat.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let methods: &[Method] = match &self.proof {
            Proof::Federated(_) => &[],
            Proof::Methods(methods) => methods,
        };
        methods.iter().map(|method| match method {
            Method::ApplicationCredential { secret, .. } => secret,
            Method::Password { password, .. } => password,
            Method::Token { token } => token,
            Method::Totp { passcode, .. } => passcode,
        })
    }

    /// Who it is, as far as the login says: `alice`, `the application credential 17fe…`.
    pub fn who(&self) -> String {
        match &self.proof {
            Proof::Federated(federation) => federation.who(),
            Proof::Methods(methods) => methods.first().map_or_else(String::new, Method::who),
        }
    }

    /// The body of `POST /v3/auth/tokens`; of a federated login, which has none, an empty one. Holds
    /// secrets in the clear: to be serialised into memory that is wiped, and into nothing else.
    pub fn request(&self) -> impl Serialize {
        let mut identity = wire::Identity::default();
        let methods: &[Method] = match &self.proof {
            Proof::Federated(_) => &[],
            Proof::Methods(methods) => methods,
        };
        for method in methods {
            match method {
                Method::ApplicationCredential { which, secret } => {
                    identity.methods.push("application_credential");
                    let (id, name, user) = match which {
                        CredentialRef::Id(id) => (Some(id.as_str()), None, None),
                        CredentialRef::Name { name, user } => {
                            (None, Some(name.as_str()), Some(wire::User::new(user)))
                        }
                    };
                    let secret = secret.expose_secret();
                    identity.application_credential =
                        Some(wire::ApplicationCredential { id, name, secret, user });
                }
                Method::Password { user, password } => {
                    identity.methods.push("password");
                    let mut user = wire::User::new(user);
                    user.password = Some(password.expose_secret());
                    identity.password = Some(wire::Holder { user });
                }
                Method::Token { token } => {
                    identity.methods.push("token");
                    identity.token = Some(wire::Id { id: token.expose_secret() });
                }
                Method::Totp { user, passcode } => {
                    identity.methods.push("totp");
                    let mut user = wire::User::new(user);
                    user.passcode = Some(passcode.expose_secret());
                    identity.totp = Some(wire::Holder { user });
                }
            }
        }
        wire::Body { auth: wire::Auth { identity, scope: wire::Scope::new(&self.scope) } }
    }
}

impl Method {
    fn name(&self) -> &'static str {
        match self {
            Self::ApplicationCredential { .. } => "application_credential",
            Self::Password { .. } => "password",
            Self::Token { .. } => "token",
            Self::Totp { .. } => "totp",
        }
    }

    fn who(&self) -> String {
        match self {
            Self::ApplicationCredential { which: CredentialRef::Id(id), .. } => {
                format!("the application credential {id}")
            }
            Self::ApplicationCredential { which: CredentialRef::Name { name, user }, .. } => {
                format!("the application credential {name:?} of {}", user.who())
            }
            Self::Password { user, .. } | Self::Totp { user, .. } => user.who(),
            Self::Token { .. } => "the holder of the given token".to_owned(),
        }
    }
}

impl UserRef {
    fn who(&self) -> String {
        match self {
            Self::Id(id) => format!("the user {id}"),
            Self::Name { name, .. } => name.clone(),
        }
    }
}

/// The shapes on the wire.
mod wire {
    use serde::Serialize;

    use super::{DomainRef, UserRef};

    #[derive(Serialize)]
    pub(super) struct Body<'a> {
        pub(super) auth: Auth<'a>,
    }

    #[derive(Serialize)]
    pub(super) struct Auth<'a> {
        pub(super) identity: Identity<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) scope: Option<Scope<'a>>,
    }

    #[derive(Default, Serialize)]
    pub(super) struct Identity<'a> {
        pub(super) methods: Vec<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) application_credential: Option<ApplicationCredential<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) password: Option<Holder<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) token: Option<Id<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) totp: Option<Holder<'a>>,
    }

    #[derive(Serialize)]
    pub(super) struct ApplicationCredential<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) name: Option<&'a str>,
        pub(super) secret: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) user: Option<User<'a>>,
    }

    #[derive(Serialize)]
    pub(super) struct Holder<'a> {
        pub(super) user: User<'a>,
    }

    #[derive(Serialize)]
    pub(super) struct Id<'a> {
        pub(super) id: &'a str,
    }

    #[derive(Default, Serialize)]
    pub(super) struct User<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        domain: Option<Domain<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) password: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) passcode: Option<&'a str>,
    }

    impl<'a> User<'a> {
        pub(super) fn new(user: &'a UserRef) -> Self {
            match user {
                UserRef::Id(id) => Self { id: Some(id), ..Self::default() },
                UserRef::Name { name, domain } => {
                    Self { name: Some(name), domain: Some(Domain::new(domain)), ..Self::default() }
                }
            }
        }
    }

    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum Domain<'a> {
        Id(&'a str),
        Name(&'a str),
    }

    impl<'a> Domain<'a> {
        pub(super) fn new(domain: &'a DomainRef) -> Self {
            match domain {
                DomainRef::Id(id) => Self::Id(id),
                DomainRef::Name(name) => Self::Name(name),
            }
        }
    }

    #[derive(Serialize)]
    pub(super) enum Scope<'a> {
        #[serde(rename = "domain")]
        Domain(Domain<'a>),
        #[serde(rename = "project")]
        Project {
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            domain: Option<Domain<'a>>,
        },
        #[serde(rename = "system")]
        System { all: bool },
        #[serde(rename = "OS-TRUST:trust")]
        Trust { id: &'a str },
    }

    impl<'a> Scope<'a> {
        pub(super) fn new(scope: &'a super::Scope) -> Option<Self> {
            Some(match scope {
                super::Scope::Domain(domain) => Self::Domain(Domain::new(domain)),
                super::Scope::ProjectId(id) => {
                    Self::Project { id: Some(id), name: None, domain: None }
                }
                super::Scope::ProjectName { name, domain } => {
                    Self::Project { id: None, name: Some(name), domain: Some(Domain::new(domain)) }
                }
                super::Scope::System => Self::System { all: true },
                super::Scope::Trust(id) => Self::Trust { id },
                super::Scope::Unsaid => return None,
            })
        }
    }
}
