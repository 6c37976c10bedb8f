//! `-debug`: serves whoever is told where, so that the process can live in a debugger. No TLS,
//! because hosts use none here; the socket's directory keeps everybody else out.

use serde_json::json;

use super::address;
use super::lifecycle;
use super::system::{self, Outside, Place};
use super::{Failure, Program, quoted, stdout};
use crate::tfplugin::server::Registry;

/// Serves until SIGINT or SIGTERM.
pub(super) async fn serve(
    program: &Program,
    registry: impl FnOnce() -> Registry,
) -> Result<(), Failure> {
    let outside = Outside::watch()?;
    let place = system::listen_in_debugger(program.provider)?;
    let reattach = reattach(program.address, &place);
    place.sweeper()();
    let Place { listener, folder, .. } = place;
    stdout::say(&format!(
        "Provider started. To attach Terraform or OpenTofu, set this environment variable:\n\n\
         \tTF_REATTACH_PROVIDERS={}\n\n\
         It serves until Ctrl-C, in plain text, to this user only.",
        quoted(&reattach)
    ))?;
    let ended =
        lifecycle::serve(registry(), listener, None, async |_| outside.operator_ends().await).await;
    drop(folder);
    Ok(ended?)
}

/// One entry for each command line's own name of this provider.
fn reattach(address: &str, place: &Place) -> String {
    let entry = json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": std::process::id(),
        // The host neither ends nor kills this process.
        "Test": true,
        "Addr": { "Network": place.network, "String": place.address },
    });
    let names = address::full(address).into_iter();
    serde_json::Value::Object(names.map(|name| (name, entry.clone())).collect()).to_string()
}
