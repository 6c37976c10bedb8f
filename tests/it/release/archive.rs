//! What `make dist` makes: an archive that a registry takes, and a stranger can check.

use std::path::PathBuf;
use std::process::Command;

use super::script;
use crate::support::tools;

/// Made once, in a folder of its own.
pub(super) fn dist() -> PathBuf {
    static MADE: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(|| {
        let out = tools::target().join("tmp/dist");
        let _ = std::fs::remove_dir_all(&out);
        script("scripts/dist.py", &[], &[("OUT", out.to_str().unwrap())]);
        out
    });
    MADE.clone()
}

/// `terraform-provider-rekey_VERSION_OS_ARCH.zip`.
pub(super) fn zip() -> PathBuf {
    let mut zips =
        files().into_iter().filter(|path| path.extension().is_some_and(|it| it == "zip"));
    zips.next().unwrap()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(dist()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn python(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(tools::python()).args(["-c", program]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_is_what_a_registry_takes() {
    let version = env!("CARGO_PKG_VERSION");
    let names: Vec<_> =
        files().iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let base = format!("terraform-provider-rekey_{version}");
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let wanted = [
        format!("{base}_SHA256SUMS"),
        format!("{base}_linux_{arch}.cdx.json"),
        format!("{base}_linux_{arch}.zip"),
        format!("{base}_manifest.json"),
    ];
    assert_eq!(names, wanted);
    let manifest = std::fs::read_to_string(dist().join(&wanted[3])).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["metadata"]["protocol_versions"], serde_json::json!(["6.0"]));
    let checked = Command::new("sha256sum").arg("-c").arg(&wanted[0]).current_dir(dist()).output();
    let checked = checked.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn the_archive_holds_the_provider_and_the_rights_of_others() {
    let listed = "import sys, zipfile\nfor f in zipfile.ZipFile(sys.argv[1]).infolist():\n  \
                  print(f.filename, oct(f.external_attr >> 16), *f.date_time[:3], f.file_size > 1000)";
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        python(listed, &[zip().to_str().unwrap()]),
        format!(
            "terraform-provider-rekey_v{version} 0o100755 1980 1 1 True\n\
             LICENSE 0o100644 1980 1 1 True\n\
             README.md 0o100644 1980 1 1 True\n\
             THIRD-PARTY-NOTICES 0o100644 1980 1 1 True\n"
        )
    );
    let read = "import sys, zipfile\nprint(zipfile.ZipFile(sys.argv[1]).read('THIRD-PARTY-NOTICES').decode())";
    let notices = python(read, &[zip().to_str().unwrap()]);
    for part in ["tokio 1.", "rustls 0.", "GNU C Library", "webpki-roots", "Redistribution and use"]
    {
        assert!(notices.contains(part), "{part}");
    }
    // What only the tests and the build need is not in it.
    for part in ["proptest 1.", "insta 1.", "protox 0."] {
        assert!(!notices.contains(part), "{part}");
    }
}

#[test]
fn the_bill_of_materials_names_each_crate_by_its_checksum() {
    let file =
        files().into_iter().find(|path| path.to_str().unwrap().ends_with(".cdx.json")).unwrap();
    let bill: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let crates = bill["components"].as_array().unwrap();
    let tokio = crates.iter().find(|one| one["name"] == "tokio").unwrap();
    assert_eq!(tokio["hashes"][0]["content"].as_str().unwrap().len(), 64);
    assert!(tokio["purl"].as_str().unwrap().starts_with("pkg:cargo/tokio@1."));
    assert_eq!(tokio["licenses"][0]["expression"], "MIT");
}
