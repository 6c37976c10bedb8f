//! The plugin's entry.

use std::process::ExitCode;

use rekey::provider;
use rekey::tfplugin::serve::{self, Program};

const PROGRAM: Program = Program {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    provider: "rekey",
    address: "rekey/rekey",
};

fn main() -> ExitCode {
    serve::run(&PROGRAM, provider::registry)
}
