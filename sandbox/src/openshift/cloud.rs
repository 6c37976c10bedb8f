//! A cloud of keys: users and their access keys, which live or are dead; nothing else of AWS or GCP. The operator asks
//! it on platforms on which it makes keys; a test asks it which keys would still open the cloud.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::ids::Ids;
use crate::world::locked;

/// One cloud account. Cheap to clone.
#[derive(Clone)]
pub struct Cloud(Arc<Mutex<Inner>>);

/// What opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
}

struct Inner {
    calls: Vec<String>,
    creations: usize,
    /// A root key is removed by an event after so many creations of keys from now on.
    root_goes_after: Option<usize>,
    ids: Ids,
    is_down: bool,
    /// By id; a key that was deleted is not there.
    keys: BTreeMap<String, Key>,
    latency: Duration,
    refuses_creation: bool,
    rights: Rights,
    users: Vec<String>,
}

/// What root keys may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Create users and their keys, and all that components need.
    Mint,
    Nothing,
    /// All that components need.
    Passthrough,
}

struct Key {
    secret: String,
    /// Whose it is; of the account itself where it is nobody's.
    user: Option<String>,
}

/// Why a call failed.
#[derive(Clone, Debug)]
pub(super) struct Denied {
    operation: &'static str,
    status: u16,
    code: &'static str,
}

impl Default for Cloud {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            calls: Vec::new(),
            creations: 0,
            root_goes_after: None,
            ids: Ids::random(),
            is_down: false,
            keys: BTreeMap::new(),
            latency: Duration::ZERO,
            refuses_creation: false,
            rights: Rights::Mint,
            users: Vec::new(),
        })))
    }
}

impl Cloud {
    /// A key of the account itself, which may do everything that the account may.
    pub fn issue_root_key(&self) -> AccessKey {
        locked(&self.0).issue(None)
    }

    /// From now on it opens nothing.
    pub fn revoke(&self, id: &str) {
        locked(&self.0).keys.remove(id);
    }

    /// Whether it opens the cloud.
    pub fn opens(&self, key: &AccessKey) -> bool {
        locked(&self.0).knows(key)
    }

    /// Whose key has that id, and its secret; none where it is dead.
    pub(super) fn whose(&self, id: &str) -> Option<(String, String)> {
        let inner = locked(&self.0);
        let key = inner.keys.get(id)?;
        let user = key.user.clone().unwrap_or_else(|| "root-of-the-cluster".to_owned());
        Some((user, key.secret.clone()))
    }

    /// The keys of all users, not those of the account itself.
    pub fn minted(&self) -> Vec<String> {
        let inner = locked(&self.0);
        inner.keys.iter().filter(|(_, key)| key.user.is_some()).map(|(id, _)| id.clone()).collect()
    }

    /// What the operator asked of it, such as `CreateAccessKey by AKIA…`.
    pub fn calls(&self) -> Vec<String> {
        locked(&self.0).calls.clone()
    }

    pub fn forget_calls(&self) {
        locked(&self.0).calls.clear();
    }

    /// Nobody can reach it; or can again.
    pub fn set_down(&self, down: bool) {
        locked(&self.0).is_down = down;
    }

    /// How long each call takes.
    pub fn set_latency(&self, latency: Duration) {
        locked(&self.0).latency = latency;
    }

    /// What root keys may do from now on.
    pub fn grant(&self, rights: Rights) {
        locked(&self.0).rights = rights;
    }

    /// No key is created from now on, though keys are deleted; or again.
    pub fn refuse_creation(&self, refuse: bool) {
        locked(&self.0).refuses_creation = refuse;
    }

    /// Somebody deletes the root secret once so many more keys have been created.
    pub fn remove_root_after(&self, creations: usize) {
        let mut inner = locked(&self.0);
        inner.root_goes_after = Some(inner.creations + creations);
    }

    /// Whether that moment has come; said once.
    pub(super) fn root_goes(&self) -> bool {
        let mut inner = locked(&self.0);
        let goes = inner.root_goes_after.is_some_and(|count| inner.creations >= count);
        if goes {
            inner.root_goes_after = None;
        }
        goes
    }

    // What the operator asks

    /// Whether that key may create users, as a simulation tells.
    pub(super) async fn may_mint(&self, by: &AccessKey) -> Result<bool, Denied> {
        self.call("SimulatePrincipalPolicy", by).await?;
        Ok(locked(&self.0).rights == Rights::Mint)
    }

    /// Whether it may do what components need.
    pub(super) async fn may_pass(&self, by: &AccessKey) -> Result<bool, Denied> {
        self.call("SimulatePrincipalPolicy", by).await?;
        Ok(locked(&self.0).rights != Rights::Nothing)
    }

    pub(super) async fn has_user(&self, by: &AccessKey, user: &str) -> Result<bool, Denied> {
        self.call("GetUser", by).await?;
        Ok(locked(&self.0).users.iter().any(|known| known == user))
    }

    pub(super) async fn create_user(&self, by: &AccessKey, user: &str) -> Result<(), Denied> {
        for operation in ["CreateUser", "TagUser", "PutUserPolicy"] {
            self.call(operation, by).await?;
        }
        locked(&self.0).users.push(user.to_owned());
        Ok(())
    }

    pub(super) async fn delete_user(&self, by: &AccessKey, user: &str) -> Result<(), Denied> {
        self.delete_keys(by, user).await?;
        self.call("DeleteUser", by).await?;
        locked(&self.0).users.retain(|known| known != user);
        Ok(())
    }

    pub(super) async fn keys_of(&self, by: &AccessKey, user: &str) -> Result<Vec<String>, Denied> {
        self.call("ListAccessKeys", by).await?;
        Ok(locked(&self.0).of(user))
    }

    pub(super) async fn policy_of(&self, by: &AccessKey) -> Result<(), Denied> {
        self.call("GetUserPolicy", by).await
    }

    pub(super) async fn delete_keys(&self, by: &AccessKey, user: &str) -> Result<(), Denied> {
        let all = locked(&self.0).of(user);
        for id in all {
            self.call("DeleteAccessKey", by).await?;
            locked(&self.0).keys.remove(&id);
        }
        Ok(())
    }

    pub(super) async fn create_key(&self, by: &AccessKey, user: &str) -> Result<AccessKey, Denied> {
        self.call("CreateAccessKey", by).await?;
        let mut inner = locked(&self.0);
        if inner.refuses_creation {
            return Err(Denied {
                operation: "CreateAccessKey",
                status: 409,
                code: "LimitExceeded",
            });
        }
        inner.creations += 1;
        Ok(inner.issue(Some(user)))
    }

    async fn call(&self, operation: &'static str, by: &AccessKey) -> Result<(), Denied> {
        let latency = locked(&self.0).latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let mut inner = locked(&self.0);
        if inner.is_down {
            return Err(Denied { operation, status: 0, code: "request send failed" });
        }
        inner.calls.push(format!("{operation} by {}", by.id));
        if inner.knows(by) {
            Ok(())
        } else {
            Err(Denied { operation, status: 403, code: "InvalidClientTokenId" })
        }
    }
}

impl Inner {
    fn issue(&mut self, user: Option<&str>) -> AccessKey {
        let id = format!("AKIA{}", self.ids.hex()[..16].to_uppercase());
        let secret = self.ids.url_safe(40);
        let key = Key { secret: secret.clone(), user: user.map(str::to_owned) };
        self.keys.insert(id.clone(), key);
        AccessKey { id, secret }
    }

    fn knows(&self, key: &AccessKey) -> bool {
        self.keys.get(&key.id).is_some_and(|known| known.secret == key.secret)
    }

    fn of(&self, user: &str) -> Vec<String> {
        let own = |key: &&Key| key.user.as_deref() == Some(user);
        self.keys.iter().filter(|(_, key)| own(key)).map(|(id, _)| id.clone()).collect()
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, status, code } = self;
        write!(
            f,
            "operation error IAM: {operation}, https response error StatusCode: {status}, RequestID: , api error {code}"
        )
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud").field("keys", &locked(&self.0).keys.len()).finish()
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.id).finish_non_exhaustive()
    }
}
