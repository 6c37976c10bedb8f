//! What does not live in a state: data sources, ephemeral resources, functions.

use rekey::tfplugin::proto::tfplugin6 as proto;
use serde_json::Value as Json;

use super::Host;
use super::json::{self, plain, view};
use super::report::{Told, breach};
use super::rules::{Secrets, plan_valid};
use super::schema::Block;
use super::value::Val;
use super::walk::Walk;
use super::wire;

/// An answer, and what was told beside it. No value where there are errors.
#[derive(Clone, Debug)]
pub struct Answer {
    pub value: Option<Json>,
    pub told: Told,
}

impl Answer {
    /// The value; anything told fails the test.
    #[track_caller]
    pub fn silent(self) -> Json {
        self.told.assert_silent();
        self.value.expect("a value, since there is no error")
    }
}

/// An opened ephemeral resource, on the connection that opened it.
pub struct Session {
    walk: Walk,
    type_name: String,
    opened: Vec<u8>,
    newest: Vec<u8>,
    pub value: Json,
    pub told: Told,
    /// Seconds since 1970 at which a renewal is due.
    pub renew_at: Option<i64>,
}

impl Host {
    /// Reads a data source under a provider configuration.
    pub async fn data(&self, provider: Json, type_name: &str, config: Json) -> Answer {
        let walk = self.walk(false).await;
        let mut told = Told::default();
        let value = read_data(self, &walk, &provider, type_name, &config, &mut told).await;
        walk.close().await;
        Answer { value: value.map(|value| view(&value)), told }
    }

    /// Opens an ephemeral resource under a provider configuration; none where that fails.
    pub async fn open(
        &self,
        provider: Json,
        type_name: &str,
        config: Json,
    ) -> Result<Session, Told> {
        assert!(self.cli.knows_ephemerals(), "{:?} has no ephemeral resources", self.cli);
        let walk = self.walk(false).await;
        let mut told = Told::default();
        let opened = open(self, &walk, &provider, type_name, &config, &mut told).await;
        let Some((value, answer)) = opened else {
            walk.close().await;
            return Err(told);
        };
        let private = answer.private.unwrap_or_default();
        Ok(Session {
            walk,
            type_name: type_name.to_owned(),
            opened: private.clone(),
            newest: private,
            value: view(&value),
            told,
            renew_at: answer.renew_at.map(|at| at.seconds),
        })
    }

    /// Calls a function, unconfigured, twice: what it answers must depend on its arguments only.
    pub async fn function(&self, name: &str, arguments: &[Json]) -> Result<Json, String> {
        let walk = self.walk(false).await;
        let first = call(&walk, name, arguments).await;
        let second = call(&walk, name, arguments).await;
        walk.close().await;
        assert_eq!(first, second, "{name} is not pure");
        first
    }
}

impl Session {
    /// What a timer does once `renew_at` has come.
    pub async fn renew(&mut self) -> Told {
        const CALL: &str = "RenewEphemeralResource";
        let request = proto::renew_ephemeral_resource::Request {
            type_name: self.type_name.clone(),
            private: Some(self.newest.clone()),
        };
        let mut told = Told::default();
        let mut client = self.walk.raw();
        let answer = client.renew_ephemeral_resource(request);
        let Some(answer) = self.walk.call(CALL, &self.type_name, answer, &mut told).await else {
            return told;
        };
        let secrets = Secrets::default();
        let _ =
            self.walk.tell(CALL, &self.type_name, None, &secrets, &answer.diagnostics, &mut told);
        let next = answer.private.unwrap_or_default();
        let lost = !self.newest.is_empty() && next.is_empty() && !told.failed();
        if lost {
            breach(CALL, &self.type_name, &["drops the private data".to_owned()]);
        }
        self.newest = next;
        self.renew_at = answer.renew_at.map(|at| at.seconds);
        told
    }

    /// Closes it, twice: a second time must do no harm.
    pub async fn close(self) -> Told {
        let private = if self.walk.cli.closes_with_newest() { &self.newest } else { &self.opened };
        let told = self.close_once(private).await;
        self.close_once(private).await.assert_success();
        self.walk.close().await;
        told
    }

    async fn close_once(&self, private: &[u8]) -> Told {
        const CALL: &str = "CloseEphemeralResource";
        let request = proto::close_ephemeral_resource::Request {
            type_name: self.type_name.clone(),
            private: Some(private.to_vec()),
        };
        let mut told = Told::default();
        let mut client = self.walk.raw();
        let answer = client.close_ephemeral_resource(request);
        let answer = self.walk.call(CALL, &self.type_name, answer, &mut told).await;
        if let Some(answer) = answer {
            let (secrets, messages) = (Secrets::default(), &answer.diagnostics);
            let _ = self.walk.tell(CALL, &self.type_name, None, &secrets, messages, &mut told);
        }
        told
    }
}

async fn configure(host: &Host, walk: &Walk, provider: &Json, told: &mut Told) -> Option<()> {
    let mut workspace = host.workspace();
    workspace.provider(provider.clone());
    workspace.configure(walk, provider, told).await
}

async fn read_data(
    host: &Host,
    walk: &Walk,
    provider: &Json,
    type_name: &str,
    config: &Json,
    told: &mut Told,
) -> Option<Val> {
    const CALL: &str = "ReadDataSource";
    let block = walk.schemas.data_sources.get(type_name).expect("a data source of that name");
    let (config, ty) = (json::config(config, block), block.ty());
    let mut client = walk.raw();
    let request = proto::validate_data_resource_config::Request {
        type_name: type_name.to_owned(),
        config: Some(wire::dynamic(&config, &ty)),
    };
    let answer = client.validate_data_resource_config(request);
    let answer = walk.call("ValidateDataResourceConfig", type_name, answer, told).await?;
    let secrets = Secrets::default().and(block, &config);
    let messages = &answer.diagnostics;
    walk.tell("ValidateDataResourceConfig", type_name, Some(block), &secrets, messages, told)?;
    assert!(config.is_wholly_known(), "core reads data sources with known configurations only");
    configure(host, walk, provider, told).await?;
    let request = proto::read_data_source::Request {
        type_name: type_name.to_owned(),
        config: Some(wire::dynamic(&config, &ty)),
        provider_meta: None,
        client_capabilities: Some(walk.cli.capabilities(false)),
    };
    let answer = walk.call(CALL, type_name, client.read_data_source(request), told).await?;
    walk.tell(CALL, type_name, Some(block), &secrets, &answer.diagnostics, told)?;
    let value = walk.answer(CALL, type_name, answer.state.as_ref(), &ty);
    check_result(CALL, type_name, block, &config, &value);
    Some(value)
}

async fn open(
    host: &Host,
    walk: &Walk,
    provider: &Json,
    type_name: &str,
    config: &Json,
    told: &mut Told,
) -> Option<(Val, proto::open_ephemeral_resource::Response)> {
    const CALL: &str = "OpenEphemeralResource";
    let block = walk.schemas.ephemerals.get(type_name).expect("an ephemeral of that name");
    let (config, ty) = (json::config(config, block), block.ty());
    let mut client = walk.raw();
    let request = proto::validate_ephemeral_resource_config::Request {
        type_name: type_name.to_owned(),
        config: Some(wire::dynamic(&config, &ty)),
    };
    let answer = client.validate_ephemeral_resource_config(request);
    let answer = walk.call("ValidateEphemeralResourceConfig", type_name, answer, told).await?;
    let secrets = Secrets::default().and(block, &config);
    let messages = &answer.diagnostics;
    walk.tell("ValidateEphemeralResourceConfig", type_name, Some(block), &secrets, messages, told)?;
    assert!(config.is_wholly_known(), "core opens ephemerals with known configurations only");
    configure(host, walk, provider, told).await?;
    let request = proto::open_ephemeral_resource::Request {
        type_name: type_name.to_owned(),
        config: Some(wire::dynamic(&config, &ty)),
        // Real hosts send no usable capabilities here.
        client_capabilities: Some(proto::ClientCapabilities::default()),
    };
    let answer = walk.call(CALL, type_name, client.open_ephemeral_resource(request), told).await?;
    walk.tell(CALL, type_name, Some(block), &secrets, &answer.diagnostics, told)?;
    let value = walk.answer(CALL, type_name, answer.result.as_ref(), &ty);
    check_result(CALL, type_name, block, &config, &value);
    Some((value, answer))
}

/// Known, there, and as configured where something is configured.
fn check_result(call: &str, type_name: &str, block: &Block, config: &Val, value: &Val) {
    let mut faults = plan_valid(block, &Val::Null, config, value);
    if value.is_null() {
        faults.push("answers null".to_owned());
    }
    faults.extend(value.unknown_places().iter().map(|place| format!("{place}: unknown")));
    breach(call, type_name, &faults);
}

async fn call(walk: &Walk, name: &str, arguments: &[Json]) -> Result<Json, String> {
    const CALL: &str = "CallFunction";
    let function = walk.schemas.functions.get(name).expect("a function of that name");
    let count = function.parameters.len();
    assert!(
        arguments.len() == count || (arguments.len() > count && function.variadic.is_some()),
        "{name} takes {count} arguments"
    );
    let parameters = function.parameters.iter().chain(function.variadic.iter().cycle());
    let mut values = Vec::new();
    for (argument, parameter) in arguments.iter().zip(parameters) {
        let value = plain(argument, &parameter.ty, &parameter.name);
        // These two core answers itself, without a call.
        if value.is_null() && !parameter.allow_null {
            return Err(format!("{}: argument must not be null", parameter.name));
        }
        if !value.is_wholly_known() && !parameter.allow_unknown {
            return Ok(json::unknown());
        }
        values.push(wire::dynamic(&value, &parameter.ty));
    }
    let request = proto::call_function::Request { name: name.to_owned(), arguments: values };
    let mut client = walk.raw();
    let answer = client.call_function(request).await;
    let answer = answer.unwrap_or_else(|status| panic!("{name} died: {status}")).into_inner();
    if let Some(error) = answer.error {
        let known = error
            .function_argument
            .is_none_or(|at| usize::try_from(at).is_ok_and(|at| at < arguments.len()));
        let mut faults = Vec::new();
        if !known {
            faults.push(format!("blames argument {:?}", error.function_argument));
        }
        if error.text.trim().is_empty() {
            faults.push("an error without a word".to_owned());
        }
        breach(CALL, name, &faults);
        return Err(error.text);
    }
    let value = walk.answer(CALL, name, answer.result.as_ref(), &function.returns);
    Ok(view(&value))
}
