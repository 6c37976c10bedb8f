//! The service, called as tonic calls it.

mod apply;
mod calls;
pub(crate) mod probe;
mod resource;
mod rest;

use std::sync::Arc;

use prost::Message as _;
use tonic::Request;

use self::probe::{Seen, Thing};
use super::Server;
use crate::tfplugin::cty::{Value, msgpack};
use crate::tfplugin::model::Model;
use crate::tfplugin::proto::tfplugin6 as pb;
use pb::provider_server::Provider as _;

fn server() -> (Server, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    (Server::new(probe::registry(&seen)), seen)
}

/// A value of a model's type, with null where nothing is said.
fn object<M: Model>(members: &[(&str, Value)]) -> Value {
    let crate::tfplugin::cty::Type::Object(all) = M::schema(0).ty() else { panic!("no object") };
    Value::object(all.into_keys().map(|name| {
        let told = members.iter().find(|(known, _)| *known == name);
        let value = told.map_or(Value::Null, |(_, value)| value.clone());
        (name, value)
    }))
}

#[allow(clippy::unnecessary_wraps, reason = "messages hold options")]
fn wire<M: Model>(value: &Value) -> Option<pb::DynamicValue> {
    let msgpack = msgpack::encode(value, &M::schema(0).ty()).unwrap();
    Some(pb::DynamicValue { msgpack, json: Vec::new() })
}

fn thing(members: &[(&str, Value)]) -> Option<pb::DynamicValue> {
    wire::<Thing>(&object::<Thing>(members))
}

/// An apply that waits until it is stopped.
pub(crate) fn slow() -> Request<pb::apply_resource_change::Request> {
    let planned = thing(&[("name", text("slow")), ("color", text("blue")), ("id", Value::Unknown)]);
    Request::new(pb::apply_resource_change::Request {
        type_name: "probe_thing".into(),
        prior_state: null(),
        planned_state: planned,
        config: thing(&[("name", text("slow"))]),
        ..Default::default()
    })
}

fn null() -> Option<pb::DynamicValue> {
    wire::<Thing>(&Value::Null)
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn read<M: Model>(value: Option<&pb::DynamicValue>) -> Value {
    msgpack::decode(&value.expect("a value").msgpack, &M::schema(0).ty()).unwrap()
}

#[allow(clippy::unnecessary_wraps, reason = "messages hold options")]
fn id(id: &str) -> Option<pb::ResourceIdentityData> {
    let value = object::<probe::ThingIdentity>(&[("id", text(id))]);
    Some(pb::ResourceIdentityData { identity_data: wire::<probe::ThingIdentity>(&value) })
}

fn identity_of(data: Option<&pb::ResourceIdentityData>) -> Value {
    read::<probe::ThingIdentity>(data.expect("an identity").identity_data.as_ref())
}

fn private(round: u32) -> Vec<u8> {
    format!(r#"{{"v":3,"data":{{"round":{round}}}}}"#).into_bytes()
}

/// `error: summary at path`, for each message.
fn words(diagnostics: &[pb::Diagnostic]) -> Vec<String> {
    use pb::attribute_path::step::Selector;
    diagnostics
        .iter()
        .map(|told| {
            let severity = format!("{:?}", told.severity()).to_lowercase();
            let steps = told.attribute.as_ref().map_or(String::new(), |path| {
                let steps = path.steps.iter().map(|step| match step.selector.as_ref().unwrap() {
                    Selector::AttributeName(name) => format!(".{name}"),
                    Selector::ElementKeyString(key) => format!("[{key}]"),
                    Selector::ElementKeyInt(index) => format!("[{index}]"),
                });
                format!(" at {}", steps.collect::<String>())
            });
            format!("{severity}: {}{steps}", told.summary)
        })
        .collect()
}
