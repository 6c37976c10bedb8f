//! The probe's data source, ephemeral resource and functions.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rekey::tfplugin::context::Context;
use rekey::tfplugin::cty::{Type, Value};
use rekey::tfplugin::diagnostics::{Diagnostic, Result};
use rekey::tfplugin::model::{Attr, Model, Secret};
use rekey::tfplugin::traits::{DataSource, Ephemeral, Function, FunctionError, Opened, Parameter};
use serde::{Deserialize, Serialize};

use super::cloud::{Cloud, Mood};

/// Everything that there is.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct CensusModel {
    /// How names begin.
    #[attr(optional)]
    prefix: Attr<String>,
    /// The names.
    #[attr(computed)]
    names: Attr<Vec<Attr<String>>>,
    /// Who asks.
    #[attr(computed)]
    asked_by: Attr<String>,
}

pub(crate) struct Census(pub(super) Cloud);

#[async_trait]
impl DataSource for Census {
    type Model = CensusModel;

    const NAME: &'static str = "census";

    async fn validate(&self, _cx: &Context, config: &CensusModel) -> Result<()> {
        match config.prefix.known() {
            Some(prefix) if prefix.is_empty() => {
                let detail = "Leave it out to see all";
                Err(Diagnostic::error("Empty prefix", detail).at_attribute("prefix").into())
            }
            _ => Ok(()),
        }
    }

    async fn read(&self, _cx: &Context, config: CensusModel) -> Result<CensusModel> {
        if self.0.enter("census") == Some(Mood::LeaveUnknown) {
            return Ok(CensusModel { names: Attr::Unknown, ..config });
        }
        let prefix = config.prefix.known().cloned().unwrap_or_default();
        let mut names: Vec<Attr<String>> =
            self.0.things().into_iter().map(|thing| thing.name).collect();
        names.retain(|name| name.known().is_some_and(|name| name.starts_with(&prefix)));
        Ok(CensusModel { names: Attr::Known(names), asked_by: self.0.login().into(), ..config })
    }
}

/// A pass for one run.
#[derive(Clone, Debug, Default, Model)]
pub(crate) struct PassModel {
    /// Whose.
    #[attr(required)]
    user: Attr<String>,
    /// The pass itself.
    #[attr(computed)]
    pass: Attr<Secret>,
}

/// What Close needs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PassMemory {
    user: String,
}

pub(crate) struct Pass(pub(super) Cloud);

#[async_trait]
impl Ephemeral for Pass {
    type Model = PassModel;
    type Private = PassMemory;

    const NAME: &'static str = "pass";

    async fn open(
        &self,
        _cx: &Context,
        config: PassModel,
    ) -> Result<Opened<PassModel, PassMemory>> {
        match self.0.enter("open") {
            Some(Mood::Fail) => {
                return Err(Diagnostic::error("No pass", "None is left; try later").into());
            }
            Some(Mood::LeaveUnknown) => {
                let result = PassModel { pass: Attr::Unknown, ..config };
                return Ok(Opened { result, private: PassMemory::default(), renew_at: None });
            }
            _ => {}
        }
        let user = config.user.known().cloned().expect("a known user");
        let pass = format!("pass-number-{}", self.0.next_number());
        self.0.give_pass(&user, &pass);
        let result = PassModel { pass: Attr::Known(Secret::from(pass.as_str())), ..config };
        Ok(Opened { result, private: PassMemory { user }, renew_at: Some(later()) })
    }

    async fn renew(&self, _cx: &Context, private: &PassMemory) -> Result<Option<Timestamp>> {
        self.0.enter("renew");
        Ok(self.0.passes().contains_key(&private.user).then(later))
    }

    async fn close(&self, _cx: &Context, private: PassMemory) -> Result<()> {
        self.0.enter("close");
        self.0.take_pass(&private.user);
        Ok(())
    }
}

fn later() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 100)
}

/// Text in capitals.
pub(crate) struct Shout;

impl Function for Shout {
    const NAME: &'static str = "shout";
    const SUMMARY: &'static str = "Shouts";
    const DESCRIPTION: &'static str = "Gives a text in capitals.";

    fn parameters(&self) -> Vec<Parameter> {
        vec![parameter("text", Type::String, false)]
    }

    fn returns(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: Vec<Value>) -> std::result::Result<Value, FunctionError> {
        match arguments.as_slice() {
            [Value::String(text)] if text == "panic" => panic!("as asked: hunter2-hunter2"),
            [Value::String(text)] if !text.is_empty() => Ok(Value::String(text.to_uppercase())),
            _ => Err(FunctionError { text: "nothing to shout".to_owned(), argument: Some(0) }),
        }
    }
}

/// What kind of value something is.
pub(crate) struct Describe;

impl Function for Describe {
    const NAME: &'static str = "describe";
    const SUMMARY: &'static str = "Describes";
    const DESCRIPTION: &'static str = "Tells what kind of value it is given.";

    fn parameters(&self) -> Vec<Parameter> {
        vec![parameter("value", Type::Dynamic, true)]
    }

    fn returns(&self) -> Type {
        Type::String
    }

    fn call(&self, arguments: Vec<Value>) -> std::result::Result<Value, FunctionError> {
        let kind = match arguments.as_slice() {
            [Value::Dynamic(ty, _)] => ty.to_string(),
            [Value::Null] => "null".to_owned(),
            other => format!("{other:?}"),
        };
        Ok(Value::String(kind))
    }
}

fn parameter(name: &'static str, ty: Type, allow_null: bool) -> Parameter {
    Parameter { name, ty, description: "What to work on.", allow_null, allow_unknown: false }
}
