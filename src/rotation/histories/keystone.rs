//! A modelled Keystone: who may do what with whose credentials, and calls that fail, get lost or are the
//! last ones of a killed process. It knows nothing of generations.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum User {
    /// May see and delete what is everybody's.
    Admin,
    Alice,
    Bob,
}

pub(super) const USERS: [User; 3] = [User::Admin, User::Alice, User::Bob];

/// A bit for each role.
pub(super) type Roles = u64;

pub(super) const ALL_ROLES: Roles = 0b111;

#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) enabled: bool,
    pub(super) roles: Roles,
}

#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) expires_at: Option<Timestamp>,
    pub(super) issued: Timestamp,
    pub(super) name: String,
    pub(super) owner: User,
    pub(super) roles: Roles,
    pub(super) secret: u64,
}

/// What happens to one call of a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Done, and the provider's process is killed before it learns so.
    Kill,
    /// Done, and the reply is lost.
    LostAfter,
    /// The request is lost.
    LostBefore,
    /// Done, and the user interrupts the run.
    Stop,
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Conflict,
    Forbidden,
    Killed,
    Lost,
    /// The caller has no account to log in with.
    NoAccess,
    /// The wanted expiry is over.
    Past,
    Stopped,
    Unassigned,
    Unavailable,
    /// No token, or one that lacks a wanted role.
    Unproved,
}

/// What was done, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Deleted(String),
    Issued(String),
    LoggedIn { id: String, roles: Roles },
}

#[derive(Clone, Debug)]
pub(super) struct Keystone {
    pub(super) accounts: BTreeMap<User, Account>,
    /// Those that exist, expired or not.
    pub(super) credentials: BTreeMap<String, Credential>,
    /// Those that existed.
    pub(super) deleted: BTreeMap<String, Credential>,
    pub(super) log: Vec<Effect>,
    pub(super) now: Timestamp,
    caller: User,
    calls: usize,
    faults: BTreeMap<usize, Fault>,
    killed: bool,
    numbers: u64,
    stopping: bool,
    /// Made, and nobody was told.
    pub(super) unanswered: BTreeSet<String>,
}

impl Keystone {
    pub(super) fn new(now: Timestamp) -> Self {
        let account = Account { enabled: true, roles: ALL_ROLES };
        Self {
            accounts: USERS.map(|user| (user, account.clone())).into(),
            caller: User::Alice,
            calls: 0,
            credentials: BTreeMap::new(),
            deleted: BTreeMap::new(),
            faults: BTreeMap::new(),
            killed: false,
            log: Vec::new(),
            now,
            numbers: 0,
            stopping: false,
            unanswered: BTreeSet::new(),
        }
    }

    /// A process of the provider starts; the log is of what it does.
    pub(super) fn begin(&mut self, caller: User, faults: &[(usize, Fault)]) {
        self.caller = caller;
        self.calls = 0;
        self.faults = faults.iter().copied().collect();
        self.killed = false;
        self.stopping = false;
        self.log.clear();
    }

    pub(super) fn caller(&self) -> User {
        self.caller
    }

    /// Whether the user interrupted the run.
    pub(super) fn stopping(&self) -> bool {
        self.stopping
    }

    /// A number that nothing else has: a secret, a key, the end of an id.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn may_touch(&self, owner: User) -> bool {
        self.caller == User::Admin || self.caller == owner
    }

    /// None: 404.
    pub(super) fn show(&mut self, id: &str) -> Result<Option<Credential>, Refusal> {
        self.call(|keystone| {
            let found = keystone.credentials.get(id).cloned();
            match found {
                Some(found) if !keystone.may_touch(found.owner) => Err(Refusal::Forbidden),
                found => Ok(found),
            }
        })
    }

    pub(super) fn list(&mut self, owner: User) -> Result<Vec<(String, Credential)>, Refusal> {
        self.call(|keystone| {
            if !keystone.may_touch(owner) {
                return Err(Refusal::Forbidden);
            }
            let all = keystone.credentials.iter();
            let theirs = all.filter(|(_, found)| found.owner == owner);
            Ok(theirs.map(|(id, found)| (id.clone(), found.clone())).collect())
        })
    }

    /// For the caller. No role: all that the caller has.
    pub(super) fn create(
        &mut self,
        name: &str,
        roles: Roles,
        expires_at: Option<Timestamp>,
        secret: u64,
    ) -> Result<String, Refusal> {
        let before = self.log.len();
        let answer = self.call(|keystone| {
            let owner = keystone.caller;
            let held = keystone.accounts[&owner].roles;
            let roles = if roles == 0 { held } else { roles };
            let mut others = keystone.credentials.values();
            if roles & !held != 0 {
                return Err(Refusal::Unassigned);
            }
            if expires_at.is_some_and(|expiry| expiry <= keystone.now) {
                return Err(Refusal::Past);
            }
            if others.any(|other| other.owner == owner && other.name == name) {
                return Err(Refusal::Conflict);
            }
            let id = format!("ac-{}", keystone.number());
            let issued = keystone.now;
            let made =
                Credential { expires_at, issued, name: name.to_owned(), owner, roles, secret };
            keystone.credentials.insert(id.clone(), made);
            keystone.log.push(Effect::Issued(id.clone()));
            Ok(id)
        });
        if let (Err(_), Some(Effect::Issued(id))) = (&answer, self.log.get(before)) {
            self.unanswered.insert(id.clone());
        }
        answer
    }

    /// Gone already is as good.
    pub(super) fn delete(&mut self, id: &str) -> Result<(), Refusal> {
        self.call(|keystone| {
            let Some(found) = keystone.credentials.get(id) else { return Ok(()) };
            if !keystone.may_touch(found.owner) {
                return Err(Refusal::Forbidden);
            }
            keystone.remove(id);
            keystone.log.push(Effect::Deleted(id.to_owned()));
            Ok(())
        })
    }

    /// The roles of the token that the credential gives.
    pub(super) fn login(&mut self, id: &str, secret: u64) -> Result<Roles, Refusal> {
        self.call_unauthenticated(|keystone| {
            let known = keystone.credentials.get(id).filter(|found| found.secret == secret);
            let roles = known.map_or(0, |_| keystone.power(id));
            if roles == 0 {
                return Err(Refusal::Unproved);
            }
            keystone.log.push(Effect::LoggedIn { id: id.to_owned(), roles });
            Ok(roles)
        })
    }

    /// The roles that a holder of the credential has at this instant; none: it does not work.
    pub(super) fn power(&self, id: &str) -> Roles {
        let Some(found) = self.credentials.get(id) else { return 0 };
        let account = &self.accounts[&found.owner];
        let expired = found.expires_at.is_some_and(|expiry| expiry <= self.now);
        if expired || !account.enabled { 0 } else { found.roles & account.roles }
    }

    /// Somebody deletes it outside Terraform.
    pub(super) fn remove(&mut self, id: &str) {
        if let Some(found) = self.credentials.remove(id) {
            self.deleted.insert(id.to_owned(), found);
        }
    }

    /// Whether the user can get a token at all.
    pub(super) fn has_access(&self, user: User) -> bool {
        let account = &self.accounts[&user];
        account.enabled && account.roles != 0
    }

    fn call<T>(
        &mut self,
        answer: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if !self.has_access(self.caller) {
            return Err(Refusal::NoAccess);
        }
        self.call_unauthenticated(answer)
    }

    fn call_unauthenticated<T>(
        &mut self,
        answer: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if self.killed {
            return Err(Refusal::Killed);
        }
        let fault = self.faults.remove(&self.calls);
        self.calls += 1;
        match fault {
            None => answer(self),
            Some(Fault::Kill) => {
                let _ = answer(self);
                self.killed = true;
                Err(Refusal::Killed)
            }
            Some(Fault::LostAfter) => {
                let _ = answer(self);
                Err(Refusal::Lost)
            }
            Some(Fault::LostBefore) => Err(Refusal::Lost),
            Some(Fault::Stop) => {
                self.stopping = true;
                answer(self)
            }
            Some(Fault::Unavailable) => Err(Refusal::Unavailable),
        }
    }
}
