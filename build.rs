//! Turns `proto/` into Rust: with a compiler written in Rust, so that no `protoc` is needed.
//! Hands the provider's address and version to the code, as `PROVIDER_ADDRESS` and `PROVIDER_VERSION`.

use std::error::Error;

const FILES: [&str; 3] = ["proto/tfplugin6.proto", "proto/go-plugin.proto", "proto/health.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-env-changed=PROVIDER_VERSION");
    println!("cargo::rustc-env=PROVIDER_ADDRESS={}", address()?);
    println!("cargo::rustc-env=PROVIDER_VERSION={}", version()?);
    println!("cargo::rustc-check-cfg=cfg(fuzzing, serves_tcp)");
    // Windows needs it; the tests try it wherever they run.
    if std::env::var("CARGO_CFG_WINDOWS").is_ok()
        || std::env::var("CARGO_FEATURE_TEST_CLOCK").is_ok()
    {
        println!("cargo::rustc-cfg=serves_tcp");
    }
    let descriptors = protox::compile(FILES, ["proto"])?;
    // The clients are for the tests' host; what nobody calls is not in the binary.
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}

/// That of Cargo.toml, unless whoever builds knows better: see scripts/version.sh.
fn version() -> Result<String, std::env::VarError> {
    std::env::var("PROVIDER_VERSION").or_else(|_| std::env::var("CARGO_PKG_VERSION"))
}

/// From `[package.metadata.terraform]`, for which cargo has no variable.
fn address() -> Result<String, Box<dyn Error>> {
    let manifest = std::fs::read_to_string("Cargo.toml")?;
    let table = manifest.split("[package.metadata.terraform]").nth(1);
    let line = table.and_then(|rest| rest.lines().find_map(|line| line.strip_prefix("address = ")));
    let line = line.ok_or("Cargo.toml has no [package.metadata.terraform] with an address")?;
    Ok(line.trim_matches('"').to_owned())
}
