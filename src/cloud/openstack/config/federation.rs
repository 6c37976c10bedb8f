//! A login that an identity provider vouches for, with openstacksdk's names: an access token as it
//! is, or one that is got for a client or a user first. Which requests that takes: see `federated`, one
//! level up.

use super::lookup::Lookup;
use super::{ConfigError, flat::Flat};
use crate::redaction::SecretString;

/// Whom Keystone believes, and what is shown to it.
#[derive(Clone, Debug)]
pub struct Federation {
    /// As Keystone calls it.
    pub identity_provider: String,
    /// As Keystone calls it: `openid`, `mapped`.
    pub protocol: String,
    pub grant: Grant,
}

/// Where the access token comes from.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A pipeline's, say: made for this run by whoever runs it.
    AccessToken(SecretString),
    ClientCredentials(Client),
    Password {
        client: Client,
        username: String,
        password: SecretString,
    },
}

/// An OAuth client, and where it gets its tokens.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    /// None for a public client.
    pub secret: Option<SecretString>,
    pub endpoint: TokenEndpoint,
    pub scope: String,
    /// Which of the answer's tokens Keystone's front takes: `access_token` or `id_token`.
    pub token_type: String,
}

/// Where tokens are issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenEndpoint {
    At(String),
    /// Said by the document there.
    DiscoveredBy(String),
}

impl Federation {
    pub(super) fn who(&self) -> String {
        let provider = &self.identity_provider;
        match &self.grant {
            Grant::AccessToken(_) => {
                format!("the holder of the access token, by the identity provider {provider}")
            }
            Grant::ClientCredentials(client) => {
                format!("the client {}, by the identity provider {provider}", client.id)
            }
            Grant::Password { username, .. } => {
                format!("{username}, by the identity provider {provider}")
            }
        }
    }
}

impl Grant {
    /// As OAuth calls it; None where there is nothing to ask for.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::AccessToken(_) => None,
            Self::ClientCredentials(_) => Some("client_credentials"),
            Self::Password { .. } => Some("password"),
        }
    }

    pub fn client(&self) -> Option<&Client> {
        match self {
            Self::AccessToken(_) => None,
            Self::ClientCredentials(client) | Self::Password { client, .. } => Some(client),
        }
    }
}

/// The three ways, by openstacksdk's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    AccessToken,
    ClientCredentials,
    Password,
}

impl Kind {
    pub(super) fn named(auth_type: &str) -> Option<Self> {
        Some(match auth_type {
            "v3oidcaccesstoken" => Self::AccessToken,
            "v3oidcclientcredentials" => Self::ClientCredentials,
            "v3oidcpassword" => Self::Password,
            _ => return None,
        })
    }

    /// Where no `auth_type` says so: an access token or an OAuth client is for nothing else.
    pub(super) fn deduced(flat: &Flat) -> Option<Self> {
        let has = |key: &str| flat.auth(key).is_some();
        if has("access_token") {
            return Some(Self::AccessToken);
        }
        match (has("client_id"), has("password")) {
            (true, true) => Some(Self::Password),
            (true, false) => Some(Self::ClientCredentials),
            (false, _) => None,
        }
    }
}

/// Everything put in its place; None where `lookup` has noted what is missing.
pub(super) fn federation(
    kind: Kind,
    lookup: &mut Lookup<'_>,
) -> Result<Option<Federation>, ConfigError> {
    let provider = lookup.text("identity_provider");
    let protocol = lookup.text("protocol");
    let grant = match kind {
        Kind::AccessToken => lookup.token("access_token").map(Grant::AccessToken),
        Kind::ClientCredentials => {
            // a public client would be anybody
            let secret = lookup.secret("client_secret");
            client(lookup)?.filter(|_| secret.is_some()).map(Grant::ClientCredentials)
        }
        Kind::Password => {
            let (username, password) = (lookup.text("username"), lookup.secret("password"));
            client(lookup)?.and_then(|client| {
                Some(Grant::Password { client, username: username?, password: password? })
            })
        }
    };
    Ok(match (provider, protocol, grant) {
        (Some(identity_provider), Some(protocol), Some(grant)) => {
            Some(Federation { identity_provider, protocol, grant })
        }
        _ => None,
    })
}

fn client(lookup: &mut Lookup<'_>) -> Result<Option<Client>, ConfigError> {
    let id = lookup.text("client_id");
    let flat = lookup.flat;
    let given = |key: &str| flat.auth(key).map(str::to_owned);
    let endpoint = match (given("access_token_endpoint"), given("discovery_endpoint")) {
        (Some(endpoint), _) => Some(TokenEndpoint::At(endpoint)),
        (None, Some(document)) => Some(TokenEndpoint::DiscoveredBy(document)),
        (None, None) => lookup.lacks("discovery_endpoint"),
    };
    let token_type = given("access_token_type").unwrap_or_else(|| "access_token".to_owned());
    if !matches!(token_type.as_str(), "access_token" | "id_token") {
        return Err(ConfigError::new(
            Some("access_token_type"),
            "access_token_type must be access_token or id_token",
        ));
    }
    let (Some(id), Some(endpoint)) = (id, endpoint) else { return Ok(None) };
    Ok(Some(Client {
        id,
        secret: given("client_secret").map(SecretString::from),
        endpoint,
        scope: given("openid_scope").unwrap_or_else(|| "openid profile".to_owned()),
        token_type,
    }))
}
