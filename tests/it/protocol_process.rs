//! The built binary as go-plugin meets it: handshake, mutual TLS, signals, the end, the log.

use std::process::Stdio;
use std::time::Duration;

use rekey::tfplugin::proto::{health, plugin, tfplugin6 as proto};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tonic::Code;

use crate::host::process::{Handshake, Process, connect};
use crate::host::{Cli, ClientCertificate, Host};

async fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status().await;
    assert!(status.expect("`kill` is on every machine").success());
}

async fn schema_through(channel: tonic::transport::Channel) -> Result<usize, tonic::Status> {
    let mut client =
        proto::provider_client::ProviderClient::new(channel).max_decoding_message_size(256 << 20);
    let answer = client.get_provider_schema(proto::get_provider_schema::Request {}).await?;
    Ok(answer.into_inner().resource_schemas.len())
}

#[tokio::test]
async fn every_type_obeys_the_rules_that_core_has_for_schemas() {
    for cli in Cli::ALL {
        let schemas = Host::new(Process::new()).cli(cli).schemas().await;
        assert!(schemas.resources.contains_key("rekey_application_credential"));
        assert!(schemas.plan_destroy && schemas.schema_optional && schemas.move_resource_state);
    }
}

#[tokio::test]
async fn serves_the_host_and_nobody_else() {
    let process = Process::new();
    let started = process.start().await;
    let line = started.handshake.clone();
    let channel = started.connect().await;
    assert!(schema_through(channel.clone()).await.expect("the host is served") > 0);
    // An open door to anybody would show itself in the first call at the latest.
    for (who, identity) in [("nobody", None), ("a stranger", Some(ClientCertificate::new()))] {
        match connect(&line, identity).await {
            Err(_) => {}
            Ok(stranger) => {
                schema_through(stranger).await.expect_err(&format!("{who} is refused"));
            }
        }
    }
    let plain = Handshake { certificate: None, ..line.clone() };
    if let Ok(stranger) = connect(&plain, None).await {
        schema_through(stranger).await.expect_err("plain text is refused");
    }
    // And the host is served still.
    assert!(schema_through(channel).await.is_ok());
    let mode = std::os::unix::fs::MetadataExt::mode(
        &line.socket.parent().unwrap().metadata().expect("the socket's directory"),
    );
    assert_eq!(mode & 0o777, 0o700);
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

#[tokio::test]
async fn ends_on_shutdown_and_on_sigterm_and_leaves_nothing() {
    for signalled in [false, true] {
        let mut started = Process::new().start().await;
        let channel = started.connect().await;
        let directory = started.handshake.socket.parent().unwrap().to_owned();
        assert!(directory.exists());
        if signalled {
            signal("-TERM", started.child.id().unwrap()).await;
        } else {
            let mut controller =
                plugin::grpc_controller_client::GrpcControllerClient::new(channel.clone());
            let _ = controller.shutdown(plugin::Empty {}).await;
        }
        drop(channel);
        assert_eq!(started.ended().await, "", "stdout belongs to the handshake");
        assert!(!directory.exists());
    }
}

#[tokio::test]
async fn an_interrupt_of_the_terminal_is_not_its_affair() {
    let started = Process::new().start().await;
    let channel = started.connect().await;
    for _ in 0..3 {
        signal("-INT", started.child.id().unwrap()).await;
    }
    assert!(schema_through(channel).await.is_ok());
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
async fn without_a_host_certificate_it_serves_in_plain_text() {
    let process = Process::new().without_tls();
    let started = process.start().await;
    assert_eq!(started.handshake.certificate, None);
    assert!(schema_through(started.connect().await).await.is_ok());
}

#[tokio::test]
async fn started_by_hand_it_says_what_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_terraform-provider-rekey"))
        .env_clear()
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("This binary is a plugin."), "{said}");
}

#[tokio::test]
async fn the_line_has_a_seventh_field_only_for_hosts_that_know_it() {
    for (multiplex, fields) in [(false, 6), (true, 7)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terraform-provider-rekey"));
        command
            .env_clear()
            .env(
                "TF_PLUGIN_MAGIC_COOKIE",
                "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
            )
            .env("PLUGIN_PROTOCOL_VERSIONS", "6,5")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if multiplex {
            command.env("PLUGIN_MULTIPLEX_GRPC", "true");
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).await.unwrap();
        let found: Vec<_> = line.trim_end().split('|').collect();
        assert_eq!(found.len(), fields, "{line}");
        assert!(!multiplex || found[6] == "false", "{line}");
        signal("-TERM", child.id().unwrap()).await;
        child.wait().await.unwrap();
    }
}

#[tokio::test]
async fn a_host_of_another_protocol_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_terraform-provider-rekey"))
        .env_clear()
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "4,5")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("version 6") && said.contains("4,5"), "{said}");
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
        // Whatever is written is written by the time the process has ended; reading it takes a moment.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let log = process.log();
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
