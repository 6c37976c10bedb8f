//! What the house of a provider implements. Small on purpose: a resource's file reads as schema,
//! observe, decide, act.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::context::Context;
use super::cty::{Type, Value};
use super::diagnostics::{AttributePath, Result};
use super::model::Model;

/// The provider block, and the list of everything the provider serves.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    type Config: Model;

    /// The local name, the prefix of every type: `rekey`.
    const NAME: &'static str;

    /// Offline checks beyond the schema's validators. `config` may hold unknown values.
    async fn validate(&self, _cx: &Context, _config: &Self::Config) -> Result<()> {
        Ok(())
    }

    /// Stores the configuration; contacts nobody. `config` may hold unknown values in a plan.
    async fn configure(&self, cx: &Context, config: Self::Config) -> Result<()>;
}

/// Everything a resource keeps between runs.
pub struct Stored<R: Resource + ?Sized> {
    pub state: R::Model,
    /// What the user does not see. Wrapped with [`Resource::PRIVATE_VERSION`] on the wire.
    pub private: R::Private,
    pub identity: Option<R::Identity>,
}

impl<R: Resource + ?Sized> Clone for Stored<R> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            private: self.private.clone(),
            identity: self.identity.clone(),
        }
    }
}

/// What Plan is asked.
pub struct PlanRequest<R: Resource + ?Sized> {
    /// None in a create, and in the second half of a replacement.
    pub prior: Option<R::Model>,
    /// The configuration; unknown where the user's expression is.
    pub config: R::Model,
    /// Core's merge of prior and configuration; write-only values are already null in it.
    pub proposed: R::Model,
    pub private: R::Private,
}

/// What Plan answers. A planned identity is filled in by the server: the prior one in an update,
/// none in a create (anything unknown in it breaks Terraform 1.15 and OpenTofu 1.12).
pub struct Plan<R: Resource + ?Sized> {
    pub planned: R::Model,
    pub private: R::Private,
    /// Changes that cannot be made in place.
    pub requires_replace: Vec<AttributePath>,
}

/// What Create and Update are asked. `config` holds write-only values; `planned` does not.
pub struct Change<R: Resource + ?Sized> {
    /// None in a create.
    pub prior: Option<R::Model>,
    pub planned: R::Model,
    pub config: R::Model,
    /// As Plan left it. The state's own stays until something is saved.
    pub private: R::Private,
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl<R: Resource + ?Sized> std::fmt::Debug for $name<R> {
            // A state holds secrets: it never prints itself.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "<{}>(..)"), R::NAME)
            }
        }
    )*};
}

opaque_debug!(Change, Plan, PlanRequest, StateCell, Stored);

/// Which operation a `timeouts` entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Create,
    Delete,
    Read,
    Update,
}

/// What Import is given.
#[derive(Debug)]
pub enum ImportTarget<I> {
    Id(String),
    Identity(I),
}

/// A resource of another type that a `moved` block brings.
#[derive(Debug)]
pub struct MoveSource {
    /// With the CLI's own registry host: compare namespace and type only.
    pub provider_address: String,
    pub type_name: String,
    pub schema_version: i64,
    /// The source's state as JSON.
    pub state: serde_json::Value,
}

/// A stored state's attributes as the JSON text that they are, because a number as JSON's library knows it has lost
/// digits already.
pub type OldState = BTreeMap<String, Box<RawValue>>;

/// The state as it is right now, kept outside the handler's future: whatever happens to the handler
/// (an error, a panic, a stop), what was last saved here is what Terraform gets.
pub struct StateCell<R: Resource + ?Sized>(Arc<Mutex<Saved<R>>>);

struct Saved<R: Resource + ?Sized> {
    stored: Option<Stored<R>>,
    touched: bool,
}

impl<R: Resource + ?Sized> StateCell<R> {
    pub fn new(stored: Option<Stored<R>>) -> Self {
        Self(Arc::new(Mutex::new(Saved { stored, touched: false })))
    }

    /// Call after each effect, before anything else can fail.
    pub fn save(&self, stored: Stored<R>) {
        *self.kept() = Saved { stored: Some(stored), touched: true };
    }

    /// The object exists no more.
    pub fn clear(&self) {
        *self.kept() = Saved { stored: None, touched: true };
    }

    pub fn current(&self) -> Option<Stored<R>> {
        self.kept().stored.clone()
    }

    /// Whether the handler has saved or cleared anything.
    pub(super) fn is_touched(&self) -> bool {
        self.kept().touched
    }

    fn kept(&self) -> MutexGuard<'_, Saved<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Resource + ?Sized> Clone for StateCell<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A managed resource.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    type Model: Model;
    /// [`NoIdentity`](super::model::NoIdentity) where there is none.
    type Identity: Model;
    type Private: Serialize
        + DeserializeOwned
        + Clone
        + std::fmt::Debug
        + Default
        + Send
        + Sync
        + 'static;

    /// Without the provider's prefix: `application_credential`.
    const NAME: &'static str;
    const VERSION: i64 = 0;
    const PRIVATE_VERSION: u32 = 1;

    /// How long an operation may take, from the model's `timeouts`.
    fn timeout(&self, _operation: Operation, _model: &Self::Model) -> Option<Duration> {
        None
    }

    /// Offline checks beyond the schema's validators, which have already passed.
    async fn validate(&self, _cx: &Context, _config: &Self::Model) -> Result<()> {
        Ok(())
    }

    /// Turns a state of an older schema version into one of this version: renames, drops, adds. What the schema does
    /// not know is dropped afterwards, and what is missing is null.
    fn upgrade(&self, _version: i64, state: OldState) -> Result<OldState> {
        Ok(state)
    }

    /// Observes. None: it is gone.
    async fn read(&self, cx: &Context, stored: Stored<Self>) -> Result<Option<Stored<Self>>>;

    /// Decides, for a create or an update; a pure function of its request but for diagnostics.
    async fn plan(&self, cx: &Context, request: PlanRequest<Self>) -> Result<Plan<Self>>;

    /// Decides, for a destroy: errors block it, warnings are shown.
    async fn plan_destroy(&self, _cx: &Context, _prior: Stored<Self>) -> Result<()> {
        Ok(())
    }

    /// Acts. An error with something saved in `state` taints it; with nothing saved, nothing exists.
    async fn create(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()>;

    /// Acts. `state` starts as the prior one.
    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()>;

    /// Acts. Success clears `state`, which starts as the prior one.
    ///
    /// In a replacement `prior.private` is not the prior one but what Plan left for the object to
    /// come (Terraform keeps only one): what a delete needs has to stand in the state too.
    async fn delete(
        &self,
        cx: &Context,
        prior: Stored<Self>,
        state: &StateCell<Self>,
    ) -> Result<()>;

    /// Begins an import; Read follows at once.
    async fn import(
        &self,
        cx: &Context,
        target: ImportTarget<Self::Identity>,
    ) -> Result<Stored<Self>>;

    /// Takes over a resource of another type; None: that type is not known here.
    async fn move_state(&self, _cx: &Context, _source: MoveSource) -> Result<Option<Stored<Self>>> {
        Ok(None)
    }
}

/// A data source.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    type Model: Model;
    const NAME: &'static str;

    async fn validate(&self, _cx: &Context, _config: &Self::Model) -> Result<()> {
        Ok(())
    }

    async fn read(&self, cx: &Context, config: Self::Model) -> Result<Self::Model>;
}

/// What an ephemeral resource answers when opened.
#[derive(Debug)]
pub struct Opened<M, P> {
    pub result: M,
    /// Reaches Renew and Close.
    pub private: P,
    /// When Terraform should call Renew.
    pub renew_at: Option<jiff::Timestamp>,
}

/// An ephemeral resource: in no state and no plan.
#[async_trait]
pub trait Ephemeral: Send + Sync + 'static {
    type Model: Model;
    type Private: Serialize
        + DeserializeOwned
        + Clone
        + std::fmt::Debug
        + Default
        + Send
        + Sync
        + 'static;
    const NAME: &'static str;

    async fn validate(&self, _cx: &Context, _config: &Self::Model) -> Result<()> {
        Ok(())
    }

    async fn open(
        &self,
        cx: &Context,
        config: Self::Model,
    ) -> Result<Opened<Self::Model, Self::Private>>;

    /// The private data goes on as it is; the next time to renew, if any.
    async fn renew(
        &self,
        _cx: &Context,
        _private: &Self::Private,
    ) -> Result<Option<jiff::Timestamp>> {
        Ok(None)
    }

    /// Idempotent; Terraform gives Open's private data, OpenTofu the newest.
    async fn close(&self, cx: &Context, private: Self::Private) -> Result<()>;
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub ty: Type,
    /// Markdown.
    pub description: &'static str,
    pub allow_null: bool,
    pub allow_unknown: bool,
}

/// Why a function refuses, and which argument (counted from 0) is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    pub text: String,
    pub argument: Option<i64>,
}

/// A pure function.
pub trait Function: Send + Sync + 'static {
    const NAME: &'static str;
    const SUMMARY: &'static str;
    /// Markdown.
    const DESCRIPTION: &'static str;

    fn parameters(&self) -> Vec<Parameter>;
    fn returns(&self) -> Type;
    fn call(&self, arguments: Vec<Value>) -> std::result::Result<Value, FunctionError>;
}
