//! The things that a Keystone knows, and the rules of who holds what. Knows no HTTP.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::ids::Ids;

/// The one domain there is.
pub(crate) const DOMAIN_ID: &str = "default";
pub(crate) const DOMAIN_NAME: &str = "Default";

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
}

#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
}

#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Those that Keystone makes itself cannot be changed or deleted.
    pub(crate) immutable: bool,
}

/// What a token, or a grant of a role, is for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Domain(String),
    Project(String),
    System,
    Unscoped,
}

pub(crate) struct Grant {
    pub(crate) user_id: String,
    pub(crate) scope: Scope,
    pub(crate) role_id: String,
}

#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) user_id: String,
    /// None when it was made with an unscoped token.
    pub(crate) project_id: Option<String>,
    /// Whatever its maker wrote there; means nothing.
    pub(crate) system: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) unrestricted: Option<bool>,
    /// Ids, sorted, as the database gives them.
    pub(crate) roles: Vec<String>,
    /// Ids.
    pub(crate) access_rules: Vec<String>,
    pub(crate) secret: String,
    /// Logins with it so far, refused ones too.
    pub(crate) logins: usize,
}

#[derive(Clone)]
pub(crate) struct AccessRule {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) service: String,
    pub(crate) path: String,
    pub(crate) method: String,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) user_id: String,
    pub(crate) methods: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) credential_id: Option<String>,
    /// Whole seconds.
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Its own, and the one of the token it was made from.
    pub(crate) audit_ids: Vec<String>,
    /// Grows with every token and every revocation.
    pub(crate) sequence: u64,
}

/// Tokens issued before it are dead; every condition that is set must hold.
pub(crate) struct Revocation {
    pub(crate) user_id: Option<String>,
    pub(crate) audit_id: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) sequence: u64,
}

/// How this Keystone is set up.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Whether a revocation also kills tokens issued after it, but in the same second, as the real
    /// one does.
    pub(crate) same_second_revocation: bool,
    /// `[application_credential] user_limit`.
    pub(crate) user_limit: Option<usize>,
    /// What a fresh credential's first logins are answered with; 201 means served.
    pub(crate) settling: Vec<u16>,
    /// The one time-based passcode that is right; none: that method is not supported.
    pub(crate) passcode: Option<String>,
    pub(crate) token_lifetime: jiff::SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            same_second_revocation: false,
            user_limit: None,
            settling: Vec::new(),
            passcode: Some("123456".into()),
            token_lifetime: jiff::SignedDuration::from_hours(1),
        }
    }
}

/// An entry of the catalog.
pub(crate) struct Service {
    /// The type that clients look it up by.
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    /// Where it begins on the sandbox's port.
    pub(crate) path: &'static str,
}

/// All of a Keystone's state.
pub(crate) struct Keystone {
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    pub(crate) ids: Ids,
    pub(crate) options: Options,
    /// What the catalog lists; every cloud beside this one adds its own.
    pub(crate) services: Vec<Service>,
    pub(crate) users: Vec<User>,
    pub(crate) projects: Vec<Project>,
    pub(crate) roles: Vec<Role>,
    /// Prior role and implied role.
    pub(crate) implied: Vec<(String, String)>,
    pub(crate) grants: Vec<Grant>,
    /// By owner and name, which is unique; this is the order of lists.
    pub(crate) credentials: BTreeMap<(String, String), Credential>,
    /// Owner and name by id.
    pub(crate) credential_keys: HashMap<String, (String, String)>,
    pub(crate) access_rules: Vec<AccessRule>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) revocations: Vec<Revocation>,
    pub(crate) sequence: u64,
}

impl Keystone {
    pub(crate) fn new(base: String, ids: Ids) -> Self {
        Self {
            base,
            ids,
            options: Options::default(),
            services: vec![Service { kind: "identity", name: "keystone", path: "/v3" }],
            users: Vec::new(),
            projects: Vec::new(),
            roles: Vec::new(),
            implied: Vec::new(),
            grants: Vec::new(),
            credentials: BTreeMap::new(),
            credential_keys: HashMap::new(),
            access_rules: Vec::new(),
            tokens: HashMap::new(),
            revocations: Vec::new(),
            sequence: 0,
        }
    }

    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn user_named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    pub(crate) fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }

    pub(crate) fn project_named(&self, name: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.name == name)
    }

    pub(crate) fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    pub(crate) fn credential(&self, id: &str) -> Option<&Credential> {
        self.credentials.get(self.credential_keys.get(id)?)
    }

    pub(crate) fn credential_mut(&mut self, id: &str) -> Option<&mut Credential> {
        self.credentials.get_mut(self.credential_keys.get(id)?)
    }

    pub(crate) fn credential_named(&self, user_id: &str, name: &str) -> Option<&Credential> {
        self.credentials.get(&(user_id.to_owned(), name.to_owned()))
    }

    /// All of a user's, by name.
    pub(crate) fn credentials_of(&self, user_id: &str) -> impl Iterator<Item = &Credential> {
        self.credentials
            .range((user_id.to_owned(), String::new())..)
            .take_while(move |((owner, _), _)| owner == user_id)
            .map(|(_, credential)| credential)
    }

    pub(crate) fn insert_credential(&mut self, credential: Credential) {
        let key = (credential.user_id.clone(), credential.name.clone());
        self.credential_keys.insert(credential.id.clone(), key.clone());
        self.credentials.insert(key, credential);
    }

    pub(crate) fn remove_credential(&mut self, id: &str) -> Option<Credential> {
        let key = self.credential_keys.remove(id)?;
        self.credentials.remove(&key)
    }

    pub(crate) fn remove_credentials(&mut self, doomed: impl Fn(&Credential) -> bool) {
        let keys = &mut self.credential_keys;
        self.credentials.retain(|_, credential| {
            let stays = !doomed(credential);
            if !stays {
                keys.remove(&credential.id);
            }
            stays
        });
    }

    /// Those given, then what they imply, then what that implies; none twice.
    pub(crate) fn with_implied(&self, given: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut roles: Vec<String> = Vec::new();
        for role in given {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        let mut next = 0;
        while let Some(prior) = roles.get(next).cloned() {
            for (_, implied) in self.implied.iter().filter(|(from, _)| *from == prior) {
                if !roles.contains(implied) {
                    roles.push(implied.clone());
                }
            }
            next += 1;
        }
        roles
    }

    /// The ids of the roles that a user has there, implied ones too.
    pub(crate) fn effective_roles(&self, user_id: &str, scope: &Scope) -> Vec<String> {
        let direct = self.grants.iter().filter(|g| g.user_id == user_id && g.scope == *scope);
        self.with_implied(direct.map(|grant| grant.role_id.clone()))
    }

    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

// Holds passwords and secrets.
impl std::fmt::Debug for Keystone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keystone")
            .field("base", &self.base)
            .field("users", &self.users.len())
            .field("credentials", &self.credentials.len())
            .finish_non_exhaustive()
    }
}
