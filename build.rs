//! Turns `proto/` into Rust: with a compiler written in Rust, so that no `protoc` is needed.

use std::error::Error;

const FILES: [&str; 3] = ["proto/tfplugin6.proto", "proto/go-plugin.proto", "proto/health.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    // The clients are for the tests' host; what nobody calls is not in the binary.
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
