//! A provider whose resource does what its `name` says, well or badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::Registry;
use crate::tfplugin::context::Context;
use crate::tfplugin::cty::{Type, Value};
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::model::{Attr, Model, Secret};
use crate::tfplugin::traits::*;

/// The provider block.
#[derive(Clone, Debug, Default, Model)]
pub(super) struct Config {
    /// Where.
    #[attr(optional, validate(length(1, 8)))]
    pub(super) place: Attr<String>,
    /// The password.
    #[attr(optional, sensitive)]
    pub(super) password: Attr<String>,
}

/// A thing.
#[derive(Clone, Debug, Default, Model)]
pub(super) struct Thing {
    /// What to do.
    #[attr(required, validate(length(1, 40)))]
    pub(super) name: Attr<String>,
    /// With a default.
    #[attr(optional, computed, default = "blue")]
    pub(super) color: Attr<String>,
    /// Cannot change in place.
    #[attr(optional, requires_replace)]
    pub(super) place: Attr<String>,
    /// Given by the cloud.
    #[attr(computed)]
    pub(super) id: Attr<String>,
    /// Never stored.
    #[attr(optional, write_only)]
    pub(super) secret_wo: Attr<Secret>,
    /// Parts.
    #[attr(optional)]
    pub(super) parts: Attr<Vec<Part>>,
}

/// A part of a thing.
#[derive(Clone, Debug, Default, Model)]
pub(super) struct Part {
    /// How many.
    #[attr(optional)]
    pub(super) count: Attr<i64>,
    /// Never stored either.
    #[attr(optional, write_only)]
    pub(super) key_wo: Attr<Secret>,
}

/// Names a thing.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub(super) struct ThingIdentity {
    /// Its id.
    #[attr(required)]
    pub(super) id: Attr<String>,
    /// Its owner.
    #[attr(optional)]
    pub(super) owner: Attr<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) round: u32,
}

/// What the handlers saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    words: Mutex<Vec<String>>,
    pub(crate) finished: AtomicUsize,
    /// Told when `slow` begins to wait.
    pub(crate) waiting: tokio::sync::Notify,
}

impl Seen {
    fn say(&self, word: impl Into<String>) {
        self.words.lock().unwrap().push(word.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.words.lock().unwrap())
    }
}

pub(crate) fn registry(seen: &Arc<Seen>) -> Registry {
    Registry::new(Probe(Arc::clone(seen)))
        .resource(Things(Arc::clone(seen)))
        .data_source(Facts)
        .ephemeral(Lent(Arc::clone(seen)))
        .function(Shout)
}

struct Probe(Arc<Seen>);

#[async_trait]
impl Provider for Probe {
    type Config = Config;
    const NAME: &'static str = "probe";

    async fn validate(&self, cx: &Context, config: &Config) -> Result<()> {
        if config.place.known().is_some_and(|place| place == "warn") {
            cx.tell(Diagnostic::warning("A warning", "from validate").at_attribute("place"));
        }
        Ok(())
    }

    async fn configure(&self, _cx: &Context, config: Config) -> Result<()> {
        self.0.say(format!("configured {:?}", config.place));
        Ok(())
    }
}

struct Things(Arc<Seen>);

impl Things {
    async fn act(&self, cx: &Context, change: Change<Self>, cell: &StateCell<Self>) -> Result<()> {
        let name = change.planned.name.known().cloned().unwrap_or_default();
        if let Attr::Known(secret) = &change.config.secret_wo {
            use crate::redaction::ExposeSecret as _;
            self.0.say(format!("secret {}", secret.0.expose_secret()));
        }
        assert!(name != "panic-before", "panicked before it saved, with a secret in the message");
        if name == "fail-before" {
            return Err(Diagnostic::error("Refused", "by the cloud").into());
        }
        if name == "nothing" {
            return Ok(());
        }
        let mut state = change.planned.clone();
        let round = change.private.round + 1;
        let identity = ThingIdentity { id: Attr::Known("id-1".into()), owner: Attr::Null };
        if name == "half" {
            cell.save(Stored { state: state.clone(), private: Kept { round }, identity: None });
            return Err(Diagnostic::error("Half done", "the id never came").into());
        }
        if name != "unknown-left" {
            state.id = Attr::Known("id-1".into());
        }
        let mut stored = Stored { state, private: Kept { round }, identity: Some(identity) };
        if name == "bad-identity" {
            stored.identity = Some(ThingIdentity { id: Attr::Unknown, owner: Attr::Null });
        }
        cell.save(stored);
        match name.as_str() {
            "panic-after" => panic!("panicked after it saved"),
            "fail-after" => return Err(Diagnostic::error("Not proven", "but made").into()),
            "slow" => {
                self.0.waiting.notify_one();
                tokio::select! {
                    () = cx.cancel().cancelled() => self.0.say("stopped waiting"),
                    () = tokio::time::sleep(Duration::from_mins(1)) => self.0.say("waited"),
                }
                tokio::task::yield_now().await;
                self.0.finished.fetch_add(1, Ordering::SeqCst);
            }
            "timeout" => {
                let left = cx.deadline().map(|at| at - tokio::time::Instant::now());
                self.0.say(format!("left {left:?}"));
            }
            "warn" => cx.tell(Diagnostic::warning("Careful", "it is hot")),
            _ => {}
        }
        Ok(())
    }
}

#[async_trait]
impl Resource for Things {
    type Model = Thing;
    type Identity = ThingIdentity;
    type Private = Kept;
    const NAME: &'static str = "thing";
    const VERSION: i64 = 2;
    const PRIVATE_VERSION: u32 = 3;

    fn timeout(&self, operation: Operation, model: &Thing) -> Option<Duration> {
        let timed = model.name.known().is_some_and(|name| name == "timeout");
        (timed && operation == Operation::Create).then_some(Duration::from_secs(90))
    }

    async fn validate(&self, _cx: &Context, config: &Thing) -> Result<()> {
        self.0.say("validated");
        if config.name.known().is_some_and(|name| name == "invalid") {
            return Err(Diagnostic::error("Invalid", "in itself").at_attribute("name").into());
        }
        if config.name.known().is_some_and(|name| name == "only-warned") {
            return Err(Diagnostic::warning("Careful", "it stopped nevertheless").into());
        }
        Ok(())
    }

    fn upgrade(&self, version: i64, mut state: OldState) -> Result<OldState> {
        self.0.say(format!("upgraded from {version}"));
        if let Some(title) = state.remove("title") {
            state.insert("name".to_owned(), title);
        }
        Ok(state)
    }

    async fn read(&self, _cx: &Context, mut stored: Stored<Self>) -> Result<Option<Stored<Self>>> {
        match stored.state.name.known().map(String::as_str) {
            Some("gone") => return Ok(None),
            Some("panic") => panic!("in a read"),
            Some("open") => stored.state.id = Attr::Unknown,
            Some("leaky") => stored.state.secret_wo = Attr::Known(Secret("leak".into())),
            _ => {}
        }
        stored.private.round += 1;
        Ok(Some(stored))
    }

    async fn plan(&self, _cx: &Context, request: PlanRequest<Self>) -> Result<Plan<Self>> {
        let mut planned = request.proposed;
        self.0.say(format!("proposed secret {:?}", planned.secret_wo.is_null()));
        if request.prior.is_none() {
            planned.id = Attr::Unknown;
        }
        let round = request.private.round + 10;
        Ok(Plan { planned, private: Kept { round }, requires_replace: Vec::new() })
    }

    async fn plan_destroy(&self, _cx: &Context, prior: Stored<Self>) -> Result<()> {
        if prior.state.name.known().is_some_and(|name| name == "guarded") {
            return Err(Diagnostic::error("Guarded", "may not go").into());
        }
        Ok(())
    }

    async fn create(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.act(cx, change, state).await
    }

    async fn update(
        &self,
        cx: &Context,
        change: Change<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.act(cx, change, state).await
    }

    async fn delete(
        &self,
        _cx: &Context,
        prior: Stored<Self>,
        state: &StateCell<Self>,
    ) -> Result<()> {
        self.0.say(format!("deleting round {}", prior.private.round));
        match prior.state.name.known().map(String::as_str) {
            Some("forbidden") => Err(Diagnostic::error("Forbidden", "not yours").into()),
            Some("half-gone") => {
                let mut left = prior;
                left.state.color = Attr::Known("grey".into());
                state.save(left);
                panic!("while deleting");
            }
            _ => Ok(()),
        }
    }

    async fn import(
        &self,
        _cx: &Context,
        target: ImportTarget<ThingIdentity>,
    ) -> Result<Stored<Self>> {
        let id = match target {
            ImportTarget::Id(id) => Attr::Known(id),
            ImportTarget::Identity(identity) => identity.id,
        };
        let state = Thing { id, name: Attr::Known("imported".into()), ..Thing::default() };
        Ok(Stored { state, private: Kept { round: 7 }, identity: None })
    }

    async fn move_state(&self, _cx: &Context, source: MoveSource) -> Result<Option<Stored<Self>>> {
        if source.type_name != "other_thing" {
            return Ok(None);
        }
        let id = source.state["identifier"].as_str().unwrap().to_owned();
        let identity = ThingIdentity { id: Attr::Known(id.clone()), owner: Attr::Null };
        let state = Thing { id: Attr::Known(id), ..Thing::default() };
        Ok(Some(Stored { state, private: Kept { round: 9 }, identity: Some(identity) }))
    }
}

/// A fact.
#[derive(Clone, Debug, Default, Model)]
pub(super) struct Fact {
    /// Of what.
    #[attr(required)]
    pub(super) of: Attr<String>,
    /// The fact.
    #[attr(computed)]
    pub(super) answer: Attr<i64>,
}

struct Facts;

#[async_trait]
impl DataSource for Facts {
    type Model = Fact;
    const NAME: &'static str = "fact";

    async fn read(&self, _cx: &Context, mut config: Fact) -> Result<Fact> {
        if config.of.known().is_none_or(|of| of != "open") {
            config.answer = Attr::Known(42);
        } else {
            config.answer = Attr::Unknown;
        }
        Ok(config)
    }
}

/// A loan.
#[derive(Clone, Debug, Default, Model)]
pub(super) struct Loan {
    /// How long.
    #[attr(optional)]
    pub(super) days: Attr<i64>,
    /// What.
    #[attr(computed)]
    pub(super) token: Attr<Secret>,
}

struct Lent(Arc<Seen>);

#[async_trait]
impl Ephemeral for Lent {
    type Model = Loan;
    type Private = Kept;
    const NAME: &'static str = "loan";

    async fn open(&self, _cx: &Context, mut config: Loan) -> Result<Opened<Loan, Kept>> {
        let open = config.days == Attr::Known(0);
        config.token =
            if open { Attr::Unknown } else { Attr::Known(Secret("server-tests-token".into())) };
        let renew_at = Some("2026-01-02T03:04:05.5Z".parse().unwrap());
        Ok(Opened { result: config, private: Kept { round: 1 }, renew_at })
    }

    async fn renew(&self, _cx: &Context, private: &Kept) -> Result<Option<jiff::Timestamp>> {
        self.0.say(format!("renewed {}", private.round));
        Ok(None)
    }

    async fn close(&self, _cx: &Context, private: Kept) -> Result<()> {
        self.0.say(format!("closed {}", private.round));
        Ok(())
    }
}

struct Shout;

impl Function for Shout {
    const NAME: &'static str = "shout";
    const SUMMARY: &'static str = "Shouts";
    const DESCRIPTION: &'static str = "Says it *louder*.";

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "text",
            ty: Type::String,
            description: "What to shout.",
            allow_null: false,
            allow_unknown: false,
        }]
    }

    fn returns(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: Vec<Value>) -> std::result::Result<Value, FunctionError> {
        match &arguments[..] {
            [Value::String(text)] if text == "panic" => panic!("in a function"),
            [Value::String(text)] if text == "refuse" => {
                Err(FunctionError { text: "not that".into(), argument: Some(0) })
            }
            [Value::String(text)] => Ok(Value::String(text.to_uppercase())),
            other => panic!("{other:?}"),
        }
    }
}
