//! `rekey-sandbox`: the stand-in clouds as a program, for the demo and the benchmarks.
//! Says on one line of JSON how to reach it, then serves until it is told to end.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rekey_sandbox::{Event, Sandbox, Seed};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
Usage: rekey-sandbox [options]

Serves stand-in clouds with state on 127.0.0.1 until SIGINT or SIGTERM.
Prints one line of JSON: the addresses, a login, and the token of the controls.

  --port PORT           listen there instead of on any free port
  --seed NAME           demo (users alice, bob, carol, rita; the default) or bootstrap (only admin)
  --oke NAME            make a cluster of that name in OKE; may be given more than once
  --oci-home FOLDER     write FOLDER/.oci/config and a key, with which alice manages OKE's clusters
  --credentials COUNT   let alice have so many application credentials from the start
  --output FILE         write the line to this file instead of standard output
  --until-stdin-closes  end as well when standard input does
  --help                show this text
";

#[derive(Default)]
struct Options {
    port: u16,
    seed: Seed,
    credentials: usize,
    oke: Vec<String>,
    oci_home: Option<PathBuf>,
    output: Option<PathBuf>,
    until_stdin_closes: bool,
    help: bool,
}

fn main() -> ExitCode {
    let outcome = parse(std::env::args().skip(1)).and_then(|options| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.and_then(|runtime| runtime.block_on(run(&options))).map_err(|e| e.to_string())
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "rekey-sandbox: {message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--port" => {
                let text = value()?;
                options.port = text.parse().map_err(|_| format!("`{text}` is not a port"))?;
            }
            "--seed" => {
                options.seed = match value()?.as_str() {
                    "demo" => Seed::Demo,
                    "bootstrap" => Seed::Bootstrap,
                    other => return Err(format!("`{other}` is not a seed: demo or bootstrap")),
                }
            }
            "--credentials" => {
                let text = value()?;
                options.credentials = text.parse().map_err(|_| format!("`{text}` is no count"))?;
            }
            "--oke" => options.oke.push(value()?),
            "--oci-home" => options.oci_home = Some(value()?.into()),
            "--output" => options.output = Some(value()?.into()),
            "--until-stdin-closes" => options.until_stdin_closes = true,
            "--help" | "-h" => options.help = true,
            other => return Err(format!("unknown option `{other}`; see --help")),
        }
    }
    Ok(options)
}

async fn run(options: &Options) -> io::Result<()> {
    if options.help {
        return io::stdout().write_all(USAGE.as_bytes());
    }
    // Listened for before anybody can know that this process is there.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sandbox = Sandbox::builder().port(options.port).seed(options.seed).start().await?;
    if options.credentials > 0 {
        let event = Event::CreateCredentials {
            user: "alice".into(),
            project: "demo".into(),
            prefix: "bench-".into(),
            count: options.credentials,
        };
        sandbox.apply(&event).map_err(io::Error::other)?;
    }
    for name in &options.oke {
        sandbox.create_oke_cluster(name);
    }
    if let Some(folder) = &options.oci_home {
        write_oci_config(&sandbox, folder)?;
    }
    announce(&sandbox, options)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = end_of_stdin(), if options.until_stdin_closes => {}
    }
    Ok(())
}

/// What `oci setup config` would write for alice.
fn write_oci_config(sandbox: &Sandbox, home: &Path) -> io::Result<()> {
    let (folder, alice) = (home.join(".oci"), sandbox.oci("alice"));
    let key = folder.join("oci_api_key.pem");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(&key, alice.private_key)?;
    let config = folder.join("config");
    std::fs::write(&config, alice.config_file(&std::path::absolute(&key)?))?;
    // Others are warned of.
    for file in [key, config] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn announce(sandbox: &Sandbox, options: &Options) -> io::Result<()> {
    let (user, project) = match options.seed {
        Seed::Demo => ("alice", "demo"),
        Seed::Bootstrap => ("admin", "admin"),
    };
    let account = sandbox.user(user);
    let line = json!({
        "auth_url": sandbox.auth_url(),
        "control_token": sandbox.control_token(),
        "control_url": sandbox.control_url(),
        "environment": {
            "OS_AUTH_URL": sandbox.auth_url(),
            "OS_IDENTITY_API_VERSION": "3",
            "OS_PASSWORD": account.password,
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_PROJECT_NAME": project,
            "OS_REGION_NAME": "RegionOne",
            "OS_USERNAME": account.name,
            "OS_USER_DOMAIN_NAME": "Default",
        },
        "oci": {
            "clusters": options.oke.iter().map(|name| (name, sandbox.oke(name).id)).collect::<BTreeMap<_, _>>(),
            "compartment": sandbox.oci("alice").compartment,
            "endpoint": sandbox.oci_endpoint(),
        },
        "pid": std::process::id(),
    });
    let line = format!("{line}\n");
    if let Some(path) = &options.output {
        // Whoever waits for the file finds it whole.
        let half = path.with_extension("part");
        std::fs::write(&half, line)?;
        return std::fs::rename(half, path);
    }
    let mut out = io::stdout();
    out.write_all(line.as_bytes())?;
    out.flush()
}

async fn end_of_stdin() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 256];
    while matches!(stdin.read(&mut buffer).await, Ok(read) if read > 0) {}
}
