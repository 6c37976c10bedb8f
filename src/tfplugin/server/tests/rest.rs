//! Schemas, the provider block, data sources, ephemeral resources, functions, and what is not served.

use super::*;
use crate::tfplugin::server::tests::probe::{Config, Fact, Loan};

#[tokio::test]
async fn the_schema_names_everything_once() {
    let (server, _) = server();
    let request = Request::new(pb::get_provider_schema::Request {});
    let all = server.get_provider_schema(request).await.unwrap().into_inner();
    assert_eq!(
        all.server_capabilities,
        Some(pb::ServerCapabilities {
            plan_destroy: true,
            get_provider_schema_optional: true,
            move_resource_state: true,
            generate_resource_config: false,
        })
    );
    let block = |schema: &pb::Schema| schema.block.clone().unwrap();
    assert_eq!(block(all.provider.as_ref().unwrap()).attributes.len(), 2);
    let schema = &all.resource_schemas["probe_thing"];
    assert_eq!(schema.version, 2);
    assert!(all.data_source_schemas.contains_key("probe_fact"));
    assert!(all.ephemeral_resource_schemas.contains_key("probe_loan"));
    assert!(all.functions.contains_key("shout"));
    let attributes = block(schema).attributes;
    let find = |name: &str| attributes.iter().find(|a| a.name == name).unwrap();
    // Both would make core refuse the whole provider.
    for attribute in &attributes {
        assert!(attribute.r#type.is_empty() != attribute.nested_type.is_none(), "{attribute:?}");
    }
    assert_eq!(find("name").r#type, br#""string""#);
    assert!(find("secret_wo").write_only && find("secret_wo").sensitive);
    assert!(find("color").optional && find("color").computed);
    assert_eq!(find("id").description, "Given by the cloud.");
    assert_eq!(find("id").description_kind(), pb::StringKind::Markdown);
    let parts = find("parts").nested_type.clone().unwrap();
    assert_eq!(
        (parts.nesting(), parts.attributes.len()),
        (pb::schema::object::NestingMode::List, 2)
    );
}

#[tokio::test]
async fn metadata_and_identities_and_functions_agree_with_it() {
    let (server, _) = server();
    let metadata = server.get_metadata(Request::new(pb::get_metadata::Request {})).await.unwrap();
    let metadata = metadata.into_inner();
    assert_eq!(metadata.resources[0].type_name, "probe_thing");
    assert_eq!(metadata.data_sources[0].type_name, "probe_fact");
    assert_eq!(metadata.ephemeral_resources[0].type_name, "probe_loan");
    assert_eq!(metadata.functions[0].name, "shout");
    let request = Request::new(pb::get_resource_identity_schemas::Request {});
    let identities = server.get_resource_identity_schemas(request).await.unwrap().into_inner();
    let identity = &identities.identity_schemas["probe_thing"];
    let told: Vec<_> = identity
        .identity_attributes
        .iter()
        .map(|a| (a.name.as_str(), a.required_for_import, a.optional_for_import))
        .collect();
    assert_eq!(told, [("id", true, false), ("owner", false, true)]);
    let functions =
        server.get_functions(Request::new(pb::get_functions::Request {})).await.unwrap();
    let shout = functions.into_inner().functions.remove("shout").unwrap();
    assert_eq!(shout.parameters[0].name, "text");
    assert_eq!(shout.r#return.unwrap().r#type, br#""string""#);
}

#[tokio::test]
async fn the_provider_block_is_checked_and_handed_over() {
    let (server, seen) = server();
    let check = async |config| {
        let request = Request::new(pb::validate_provider_config::Request { config });
        words(&server.validate_provider_config(request).await.unwrap().into_inner().diagnostics)
    };
    let config = |place: Value| wire::<Config>(&object::<Config>(&[("place", place)]));
    assert_eq!(check(config(text("here"))).await, Vec::<String>::new());
    assert_eq!(check(config(text("warn"))).await, ["warning: A warning at .place"]);
    let told = check(config(text("far too long"))).await;
    assert!(told.len() == 1 && told[0].ends_with("at .place"), "{told:?}");
    for (config, wanted) in [
        (config(text("here")), "configured Known(\"here\")"),
        (config(Value::Unknown), "configured Unknown"),
        // An empty block of an older core.
        (wire::<Config>(&Value::Null), "configured Null"),
        (None, "configured Null"),
    ] {
        let request = pb::configure_provider::Request { config, ..Default::default() };
        let told = server.configure_provider(Request::new(request)).await.unwrap().into_inner();
        assert_eq!((words(&told.diagnostics), seen.take()), (vec![], vec![wanted.to_owned()]));
    }
}

#[tokio::test]
async fn what_the_schema_calls_sensitive_is_known_to_the_log() {
    let (server, _) = server();
    let config = object::<Config>(&[("password", text("server-tests-hunter2"))]);
    let request =
        pb::configure_provider::Request { config: wire::<Config>(&config), ..Default::default() };
    server.configure_provider(Request::new(request)).await.unwrap();
    assert_eq!(crate::redaction::clean("server-tests-hunter2!"), "(redacted)!");
}

#[tokio::test]
async fn a_data_source_is_read_whole() {
    let (server, _) = server();
    let read_of = async |of: &str| {
        let config = wire::<Fact>(&object::<Fact>(&[("of", text(of))]));
        let request = pb::read_data_source::Request {
            type_name: "probe_fact".into(),
            config,
            ..Default::default()
        };
        server.read_data_source(Request::new(request)).await.unwrap().into_inner()
    };
    let fact = read_of("life").await;
    let value = read::<Fact>(fact.state.as_ref());
    assert_eq!(value.get("answer"), Some(&Value::Number(42.into())));
    let open = read_of("open").await;
    assert_eq!(words(&open.diagnostics), ["error: Provider left a value unknown at .answer"]);
    assert!(open.state.is_none());
}

#[tokio::test]
async fn an_ephemeral_resource_lives_from_open_to_close() {
    let (server, seen) = server();
    let open = async |days: i64| {
        let config = wire::<Loan>(&object::<Loan>(&[("days", Value::Number(days.into()))]));
        let type_name = "probe_loan".into();
        let request =
            pb::open_ephemeral_resource::Request { type_name, config, ..Default::default() };
        server.open_ephemeral_resource(Request::new(request)).await.unwrap().into_inner()
    };
    let opened = open(3).await;
    let result = read::<Loan>(opened.result.as_ref());
    assert_eq!(result.get("token"), Some(&text("server-tests-token")));
    let at = opened.renew_at.unwrap();
    assert_eq!((at.seconds, at.nanos), (1_767_323_045, 500_000_000));
    let private = opened.private.clone();
    let request = pb::renew_ephemeral_resource::Request {
        type_name: "probe_loan".into(),
        private: private.clone(),
    };
    let renewed =
        server.renew_ephemeral_resource(Request::new(request)).await.unwrap().into_inner();
    // What is not echoed is lost.
    assert_eq!((renewed.private.clone(), renewed.renew_at), (private, None));
    let request = pb::close_ephemeral_resource::Request {
        type_name: "probe_loan".into(),
        private: renewed.private,
    };
    server.close_ephemeral_resource(Request::new(request)).await.unwrap();
    assert_eq!(seen.take(), ["renewed 1", "closed 1"]);
    // What core does not get, it does not close.
    let broken = open(0).await;
    assert_eq!(words(&broken.diagnostics), ["error: Provider left a value unknown at .token"]);
    assert_eq!(seen.take(), ["closed 1"]);
}

#[tokio::test]
async fn a_function_answers_or_says_which_argument() {
    let (server, _) = server();
    let call = async |name: &str, arguments: &[Value]| {
        let encode = |value: &Value| {
            let msgpack = msgpack::encode(value, &crate::tfplugin::cty::Type::String).unwrap();
            pb::DynamicValue { msgpack, json: Vec::new() }
        };
        let arguments = arguments.iter().map(encode).collect();
        let request = pb::call_function::Request { name: name.into(), arguments };
        let answer = server.call_function(Request::new(request)).await.unwrap().into_inner();
        match (answer.result, answer.error) {
            (Some(result), None) => {
                let ty = crate::tfplugin::cty::Type::String;
                format!("{:?}", msgpack::decode(&result.msgpack, &ty).unwrap())
            }
            (None, Some(error)) => format!("{:?}: {}", error.function_argument, error.text),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(call("shout", &[text("hi")]).await, "String(\"HI\")");
    assert_eq!(call("shout", &[text("refuse")]).await, "Some(0): not that");
    assert_eq!(call("shout", &[Value::Null]).await, "Some(0): text must not be null");
    assert_eq!(call("shout", &[]).await, "None: 1 arguments wanted, 0 given");
    assert!(call("whisper", &[]).await.contains("no function named whisper"));
    let dead = call("shout", &[text("panic")]).await;
    assert!(dead.starts_with("None: Function shout stopped halfway"), "{dead}");
}

#[tokio::test]
async fn an_unknown_type_is_an_error_in_the_answer() {
    let (server, _) = server();
    let request =
        pb::read_resource::Request { type_name: "probe_nothing".into(), ..Default::default() };
    let told = server.read_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(words(&told.diagnostics), ["error: Not served by this provider"]);
}

fn nothing<T: Default>() -> Request<T> {
    Request::new(T::default())
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let (server, _) = server();
    let codes = [
        server.plan_action(nothing()).await.unwrap_err().code(),
        server.invoke_action(nothing()).await.err().unwrap().code(),
        server.list_resource(nothing()).await.err().unwrap().code(),
        server.generate_resource_config(nothing()).await.unwrap_err().code(),
        server.get_states(nothing()).await.unwrap_err().code(),
    ];
    assert!(codes.iter().all(|code| *code == tonic::Code::Unimplemented), "{codes:?}");
}

#[tokio::test]
async fn a_value_in_json_is_read_too() {
    let (server, _) = server();
    let request = pb::read_data_source::Request {
        type_name: "probe_fact".into(),
        config: Some(pb::DynamicValue {
            msgpack: Vec::new(),
            json: br#"{"of":"life","answer":null}"#.to_vec(),
        }),
        ..Default::default()
    };
    let fact = server.read_data_source(Request::new(request)).await.unwrap().into_inner();
    assert!(fact.state.is_some() && fact.encoded_len() > 0);
}
