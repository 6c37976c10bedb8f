//! The built binary as core meets it: its schemas, the services beside the provider, large messages,
//! the log. How it starts, whom it serves and how it ends: see `transport`.

use std::os::unix::fs::MetadataExt as _;

use rekey::tfplugin::proto::{health, plugin, tfplugin6 as proto};
use serde_json::{Value as Json, json};
use tonic::Code;

use crate::host::process::Process;
use crate::host::{Cli, Host};

#[tokio::test]
async fn every_type_obeys_the_rules_that_core_has_for_schemas() {
    for cli in Cli::ALL {
        let schemas = Host::new(Process::new()).cli(cli).schemas().await;
        assert!(schemas.resources.contains_key("rekey_application_credential"));
        assert!(schemas.plan_destroy && schemas.schema_optional && schemas.move_resource_state);
    }
}

#[tokio::test]
async fn serves_what_go_plugin_asks_beside_the_provider() {
    let started = Process::new().start().await;
    let channel = started.connect().await;
    let mut client = health::health_client::HealthClient::new(channel.clone());
    let request = health::HealthCheckRequest { service: "plugin".to_owned() };
    let answer = client.check(request).await.unwrap().into_inner();
    assert_eq!(answer.status(), health::health_check_response::ServingStatus::Serving);
    let mut broker = plugin::grpc_broker_client::GrpcBrokerClient::new(channel.clone());
    broker.start_stream(tokio_stream::pending()).await.expect("the broker's stream opens");
    let mut provider = proto::provider_client::ProviderClient::new(channel);
    let answer = provider.stop_provider(proto::stop_provider::Request {}).await.unwrap();
    assert_eq!(answer.into_inner().error, "");
    // Stopping is not the end.
    assert!(provider.get_metadata(proto::get_metadata::Request {}).await.is_ok());
    let unserved = provider.get_states(proto::get_states::Request::default()).await;
    assert_eq!(unserved.unwrap_err().code(), Code::Unimplemented);
}

/// Of a crash nothing may be left that holds a secret.
#[tokio::test]
async fn it_leaves_no_core_and_lets_nobody_into_its_memory() {
    let started = Process::new().start().await;
    let folder = std::path::PathBuf::from(format!("/proc/{}", started.child.id().unwrap()));
    let limits = std::fs::read_to_string(folder.join("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
    // the files of a process that may be looked into belong to its user, of another one to root
    let owner = std::fs::metadata(folder.join("mem")).unwrap().uid();
    assert_eq!(owner, 0, "as whoever the tests run");
}

#[tokio::test]
async fn messages_far_above_the_usual_limit_pass() {
    let started = Process::new().start().await;
    let mut client = proto::provider_client::ProviderClient::new(started.connect().await)
        .max_decoding_message_size(256 << 20)
        .max_encoding_message_size(256 << 20);
    let request = proto::upgrade_resource_state::Request {
        type_name: "rekey_application_credential".to_owned(),
        version: 0,
        raw_state: Some(proto::RawState {
            json: json!({ "description": "x".repeat(6 << 20) }).to_string().into_bytes(),
            ..Default::default()
        }),
    };
    let answer = client.upgrade_resource_state(request).await.unwrap().into_inner();
    assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    assert!(answer.upgraded_state.unwrap().msgpack.len() > 6 << 20);
}

#[tokio::test]
async fn the_log_is_what_hosts_can_read_and_silent_when_nobody_asked() {
    for level in [None, Some("TRACE")] {
        let mut process = Process::new();
        if let Some(level) = level {
            process = process.env("TF_LOG", level);
        }
        let host = Host::new(process.clone());
        let mut ws = host.workspace();
        let config = json!({ "name": "a", "roles": ["member"], "secret_wo": "a secret to keep quiet",
            "secret_wo_version": 1 });
        ws.provider(json!({ "openstack": { "password": "another one to keep quiet" } }));
        ws.resource("rekey_application_credential.a", config);
        let _ = ws.plan().await;
        let log = process.whole_log().await;
        assert_eq!(log.is_empty(), level.is_none(), "{log}");
        assert!(!log.contains("keep quiet"), "{log}");
        for line in log.lines() {
            let line: Json = serde_json::from_str(line).expect(line);
            for field in ["@level", "@message", "@module", "@timestamp"] {
                assert!(line[field].is_string(), "{line}");
            }
        }
    }
}
