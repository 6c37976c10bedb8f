//! The way of systems without unix sockets, as Windows is one: a TCP port on loopback, with the same mutual TLS. Tried here by
//! a switch that no release has.

use rekey::tfplugin::proto::plugin::Empty;
use rekey::tfplugin::proto::plugin::grpc_controller_client::GrpcControllerClient;

use crate::host::certificate::ClientCertificate;
use crate::host::process::{Handshake, Place, Process};
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::Cli;
use crate::transport::{COOKIE, binary, call, call_as, output, until};

#[tokio::test]
async fn the_holder_of_the_hosts_certificate_is_let_in_and_nobody_else() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let process = Process::new()
        .env("REKEY_LISTEN", "tcp")
        .env("PLUGIN_MIN_PORT", free.to_string())
        .env("PLUGIN_MAX_PORT", free.saturating_add(100).to_string())
        .env("TF_LOG", "WARN");
    let mut started = process.start().await;
    let handshake = &started.handshake;
    let Place::Tcp(address) = handshake.place else { panic!("{handshake:?}") };
    assert!(
        address.ip().is_loopback() && (free..=free.saturating_add(100)).contains(&address.port())
    );
    let plain = Handshake { certificate: None, ..handshake.clone() };
    for (handshake, identity, why) in [
        (handshake, None, "peer sent no certificates"),
        (handshake, Some(ClientCertificate::new()), "ApplicationVerificationFailure"),
        (&plain, None, "received corrupt message"),
    ] {
        call_as(handshake, identity).await.unwrap_err();
        until(why, || process.log().contains(why)).await;
    }
    let channel = started.connect().await;
    call(channel.clone()).await.unwrap();
    GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    assert_eq!(started.ended().await, "");
}

#[tokio::test]
async fn nothing_is_served_without_tls() {
    let host = [
        ("TF_PLUGIN_MAGIC_COOKIE", COOKIE),
        ("PLUGIN_PROTOCOL_VERSIONS", "6"),
        ("REKEY_LISTEN", "tcp"),
    ];
    let said = output(binary().envs(host)).await;
    assert_eq!((said.status.code(), said.stdout), (Some(1), Vec::new()));
    assert!(String::from_utf8(said.stderr).unwrap().contains("unset TF_DISABLE_PLUGIN_TLS"));
}

#[tokio::test]
async fn the_real_command_lines_shake_hands_with_it_over_tcp() {
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        workspace.env("REKEY_LISTEN", "tcp");
        workspace.write(
            "main.tf",
            &format!("{REQUIRED}\noutput \"a\" {{ value = provider::rekey::duration_seconds(\"P1D\") }}\n"),
        );
        let run = workspace.apply(&[]).await.ok();
        assert!(run.log.contains("network=tcp"), "{}", run.log);
        assert_eq!(workspace.output("a").await, "86400");
    }
}
