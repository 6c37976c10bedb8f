//! The plugin's entry.

use std::process::ExitCode;

use rekey::provider;
use rekey::tfplugin::serve::{self, Program};

const PROGRAM: Program = Program {
    name: env!("CARGO_PKG_NAME"),
    version: env!("PROVIDER_VERSION"),
    provider: "rekey",
    address: provider::address::ADDRESS,
};

fn main() -> ExitCode {
    serve::run(&PROGRAM, provider::registry)
}
