//! The process as its host meets it: handshake, who may connect, what ends it and what stays behind.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use rekey::provider::address;
use rekey::tfplugin::proto::health::HealthCheckRequest;
use rekey::tfplugin::proto::health::health_check_response::ServingStatus;
use rekey::tfplugin::proto::health::health_client::HealthClient;
use rekey::tfplugin::proto::plugin::Empty;
use rekey::tfplugin::proto::plugin::grpc_controller_client::GrpcControllerClient;
use rekey::tfplugin::proto::tfplugin6 as pb;
use rekey::tfplugin::proto::tfplugin6::provider_client::ProviderClient;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tonic::transport::Channel;

use crate::host::certificate::ClientCertificate;
use crate::host::process::{Handshake, Place, Process, Started, connect};
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::{self, Cli};

pub(crate) const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// For what must happen, however slow the machine: never a measure.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn binary() -> Command {
    let mut command = Command::new(tools::provider());
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) async fn output(command: &mut Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap()
}

/// A short path: cargo's own may be too long for a socket.
fn folder() -> TempDir {
    tempfile::tempdir_in("/tmp").unwrap()
}

/// A provider whose sockets lie in `folder`.
async fn start_in(folder: &TempDir) -> Started {
    let path = folder.path().display().to_string();
    Process::new().env("PLUGIN_UNIX_SOCKET_DIR", path).start().await
}

fn count(folder: &TempDir) -> usize {
    std::fs::read_dir(folder.path()).unwrap().count()
}

/// Whether a call goes through.
pub(crate) async fn call(channel: Channel) -> Result<(), tonic::Status> {
    let mut provider = ProviderClient::new(channel);
    provider.get_metadata(pb::get_metadata::Request {}).await.map(drop)
}

pub(crate) async fn call_as(
    handshake: &Handshake,
    identity: Option<ClientCertificate>,
) -> Result<(), String> {
    let channel = connect(handshake, identity).await?;
    call(channel).await.map_err(|status| format!("{status:?}"))
}

async fn signal(name: &str, process: u32) {
    let sent =
        Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().await;
    assert!(sent.unwrap().success(), "kill -{name} {process}");
}

pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

// By hand

#[tokio::test]
async fn by_hand_it_says_what_go_plugin_says() {
    let said = output(&mut binary()).await;
    assert_eq!(said.status.code(), Some(1));
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "");
    assert_eq!(
        String::from_utf8(said.stderr).unwrap(),
        "This binary is a plugin. These are not meant to be executed directly.\n\
         Please execute the program that consumes these plugins, which will\n\
         load any plugins automatically\n"
    );
}

#[tokio::test]
async fn it_tells_its_version() {
    for flag in ["--version", "-version"] {
        let said = output(binary().arg(flag)).await;
        assert!(said.status.success());
        let wanted = format!("terraform-provider-rekey {}\n", env!("PROVIDER_VERSION"));
        assert_eq!(String::from_utf8(said.stdout).unwrap(), wanted);
    }
}

#[tokio::test]
async fn a_host_of_another_protocol_is_told_so() {
    let host = [("TF_PLUGIN_MAGIC_COOKIE", COOKIE), ("PLUGIN_PROTOCOL_VERSIONS", "4,5")];
    let said = output(binary().envs(host)).await;
    assert_eq!((said.status.code(), said.stdout), (Some(1), Vec::new()));
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(told.contains("version 4,5") && told.contains("OpenTofu 1.7 or newer"), "{told}");
}

#[tokio::test]
async fn a_certificate_that_is_none_stops_it_before_it_listens() {
    let folder = folder();
    let said = output(
        binary()
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "6")
            .env("PLUGIN_CLIENT_CERT", "no certificate")
            .env("TMPDIR", folder.path()),
    )
    .await;
    assert_eq!((said.status.code(), said.stdout), (Some(1), Vec::new()));
    assert!(String::from_utf8(said.stderr).unwrap().contains("PLUGIN_CLIENT_CERT"));
    assert_eq!(count(&folder), 0);
}

// Who may connect

#[tokio::test]
async fn the_holder_of_the_hosts_certificate_is_let_in_and_nobody_else() {
    let folder = folder();
    let path = folder.path().display().to_string();
    let process = Process::new().env("PLUGIN_UNIX_SOCKET_DIR", path).env("TF_LOG", "WARN");
    let started = process.start().await;
    let handshake = &started.handshake;
    assert!(handshake.certificate.is_some());
    let plain = Handshake { certificate: None, ..handshake.clone() };
    let (another, stolen) = (ClientCertificate::new(), started.certificate.with_another_key());
    // What the stranger sees depends on who writes first; why it was refused stands in the log.
    for (handshake, identity, why) in [
        (handshake, None, "peer sent no certificates"),
        // Made in the same way, with the same names.
        (handshake, Some(another), "ApplicationVerificationFailure"),
        // The very certificate, in the hands of somebody who does not have its key.
        (handshake, Some(stolen), "BadSignature"),
        (&plain, None, "received corrupt message"),
    ] {
        call_as(handshake, identity).await.unwrap_err();
        until(why, || process.log().contains(why)).await;
    }
    let told = process.log();
    assert!(told.lines().all(|line| line.contains("not the host's")), "{told}");
    // None of this disturbs the host.
    call(started.connect().await).await.unwrap();
}

#[tokio::test]
async fn without_the_hosts_certificate_it_is_plain_text_in_a_folder_of_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let path = folder.path().display().to_string();
    let started = Process::new().without_tls().env("TMPDIR", path).start().await;
    assert_eq!(started.handshake.certificate, None);
    let around = started.handshake.socket().parent().unwrap();
    assert_eq!(around.parent(), Some(folder.path()));
    assert_eq!(std::fs::metadata(around).unwrap().permissions().mode() & 0o777, 0o700);
    call(started.connect().await).await.unwrap();
}

#[tokio::test]
async fn the_seventh_field_is_for_hosts_that_ask() {
    let mut child = binary()
        .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MULTIPLEX_GRPC", "true")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    tokio::time::timeout(PATIENCE, stdout.read_line(&mut line)).await.unwrap().unwrap();
    assert_eq!(line.trim_end().split('|').skip(4).collect::<Vec<_>>(), ["grpc", "", "false"]);
    signal("TERM", child.id().unwrap()).await;
    assert!(child.wait().await.unwrap().success());
}

// What is served beside the provider

#[tokio::test]
async fn the_health_service_knows_the_plugin() {
    let folder = folder();
    let started = start_in(&folder).await;
    let mut health = HealthClient::new(started.connect().await);
    let request = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for service in ["plugin", ""] {
        let status = health.check(request(service)).await.unwrap().into_inner();
        assert_eq!(status.status(), ServingStatus::Serving);
    }
    let unknown = health.check(request("another")).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
    let mut watch = health.watch(request("plugin")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
}

// What ends it

#[tokio::test]
async fn shutdown_ends_it_at_once_and_nothing_is_left() {
    let folder = folder();
    let mut started = start_in(&folder).await;
    // With its streams open, as a host has them.
    let channel = started.connect().await;
    call(channel.clone()).await.unwrap();
    GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
    // Nothing but the handshake line ever was on stdout.
    assert_eq!(started.ended().await, "");
    assert_eq!(count(&folder), 0);
}

#[tokio::test]
async fn an_interrupt_is_the_hosts_affair() {
    let folder = folder();
    let mut started = start_in(&folder).await;
    let process = started.child.id().unwrap();
    // Right after the line, and again in the middle.
    signal("INT", process).await;
    let channel = started.connect().await;
    call(channel.clone()).await.unwrap();
    signal("INT", process).await;
    signal("INT", process).await;
    call(channel).await.unwrap();
    assert!(started.child.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn a_signal_to_end_is_obeyed_and_nothing_is_left() {
    for name in ["TERM", "HUP"] {
        let folder = folder();
        let mut started = start_in(&folder).await;
        let channel = started.connect().await;
        call(channel.clone()).await.unwrap();
        signal(name, started.child.id().unwrap()).await;
        let ended = tokio::time::timeout(PATIENCE, started.child.wait()).await;
        assert!(ended.expect("it ends").unwrap().success(), "{name}");
        assert_eq!(count(&folder), 0, "{name}");
        call(channel).await.unwrap_err();
    }
}

#[tokio::test]
async fn it_does_not_outlive_its_host() {
    let folder = folder();
    // A host that starts it and is killed.
    let mut host = Command::new("sh")
        .args(["-c", "\"$0\" & echo $!; wait"])
        .arg(tools::provider())
        .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
        .env("PLUGIN_PROTOCOL_VERSIONS", "6")
        .env("PLUGIN_UNIX_SOCKET_DIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(host.stdout.take().unwrap()).lines();
    let mut provider = None;
    let mut handshake = None;
    while provider.is_none() || handshake.is_none() {
        let line = stdout.next_line().await.unwrap().expect("two lines");
        match line.parse::<u32>() {
            Ok(process) => provider = Some(process),
            Err(_) => handshake = Some(line),
        }
    }
    let stat = PathBuf::from(format!("/proc/{}/stat", provider.unwrap()));
    // Where nobody buries orphans, the dead one stays as a zombie.
    let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(runs() && count(&folder) == 1);
    host.kill().await.unwrap();
    until("the provider ends", || !runs()).await;
    assert_eq!(count(&folder), 0);
}

#[tokio::test]
async fn what_killed_processes_left_behind_is_swept() {
    let folder = folder();
    let mut killed = start_in(&folder).await;
    let left = killed.handshake.socket().parent().unwrap().to_owned();
    killed.child.kill().await.unwrap();
    assert!(left.exists());
    // By the next one as soon as it has started, not only when it ends.
    let mut started = start_in(&folder).await;
    until("it is swept", || !left.exists()).await;
    assert_eq!(count(&folder), 1);
    let controller = GrpcControllerClient::new(started.connect().await).shutdown(Empty {}).await;
    controller.unwrap();
    started.ended().await;
    assert_eq!(count(&folder), 0);
}

// What it says

#[tokio::test]
async fn its_log_is_json_at_the_level_that_is_asked_for() {
    let started_with = async |variables: &[(&str, &str)]| {
        let folder = folder();
        let path = folder.path().display().to_string();
        let process = variables
            .iter()
            .fold(Process::new().env("PLUGIN_UNIX_SOCKET_DIR", path), |p, (k, v)| p.env(k, *v));
        let mut started = process.start().await;
        let channel = started.connect().await;
        call(channel.clone()).await.unwrap();
        // Somebody who is no host.
        let _ = call_as(&started.handshake, None).await;
        let mut provider = ProviderClient::new(channel.clone());
        let configure = pb::configure_provider::Request::default();
        provider.configure_provider(configure).await.unwrap();
        GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
        started.ended().await;
        process.whole_log().await
    };
    assert_eq!(started_with(&[]).await, "");
    assert_eq!(started_with(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER_REKEY", "OFF")]).await, "");
    let log = started_with(&[("TF_LOG_PROVIDER", "WARN")]).await;
    assert!(log.contains("not the host's"), "{log}");
    assert!(log.lines().all(|line| line.contains(r#""@level":"warn""#)), "{log}");
    let log = started_with(&[("TF_LOG", "JSON")]).await;
    for line in log.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("{log}"));
        assert!(line["@message"].is_string() && line["@timestamp"].is_string(), "{line}");
        assert!(line["@module"].as_str().unwrap().starts_with("provider.rekey"), "{line}");
    }
    assert!(log.contains("ConfigureProvider"), "{log}");
}

// In a debugger

#[tokio::test]
async fn in_debug_mode_it_says_how_to_attach_and_serves_until_an_interrupt() {
    let folder = folder();
    let mut child =
        binary().arg("-debug").env("TMPDIR", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C") {
        let read = stdout.read_line(&mut said);
        assert!(tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap() > 0, "{said}");
    }
    let line = said.lines().find_map(|line| line.trim().strip_prefix("TF_REATTACH_PROVIDERS='"));
    let json = line.and_then(|rest| rest.strip_suffix('\'')).expect("a line to copy");
    let attach: serde_json::Value = serde_json::from_str(json).unwrap();
    let entries = attach.as_object().unwrap();
    assert_eq!(entries.keys().collect::<Vec<_>>(), address::full().iter().collect::<Vec<_>>());
    let entry = entries.values().next().unwrap();
    assert_eq!(entry["ProtocolVersion"], 6);
    assert_eq!(entry["Pid"], child.id().unwrap());
    assert_eq!(entry["Test"], true);
    let socket = Path::new(entry["Addr"]["String"].as_str().unwrap()).to_owned();
    let handshake = Handshake { place: Place::Unix(socket), certificate: None };
    call_as(&handshake, None).await.unwrap();
    signal("INT", child.id().unwrap()).await;
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("it ends");
    assert!(ended.unwrap().success());
    assert_eq!(count(&folder), 0);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest.trim(), "");
}

// The real host

#[tokio::test]
async fn the_real_command_lines_shake_hands_with_it() {
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        workspace.write("main.tf", REQUIRED);
        let run = workspace.run(&["providers", "schema", "-json"]).await.ok();
        let json = run.stdout.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
        let schemas: serde_json::Value = serde_json::from_str(json).unwrap();
        let ours = schemas["provider_schemas"].as_object().unwrap().values().next().unwrap();
        assert!(ours["resource_schemas"]["rekey_application_credential"].is_object());
        // Without TLS, as it is when somebody looks at what goes over the wire.
        workspace.env("TF_DISABLE_PLUGIN_TLS", "1");
        workspace.run(&["providers", "schema", "-json"]).await.ok();
    }
}
