use std::path::Path;

use super::ADDRESS;

/// What users copy names the address in full; everything else takes it from Cargo.toml.
const COPIED: [&str; 4] = ["README.md", "docs", "examples", "templates"];
const CODE: [&str; 7] =
    [".github", "CONTRIBUTING.md", "Makefile", "demo", "scripts", "src", "tests"];

#[test]
fn what_users_copy_names_this_address_and_no_other() {
    let mut seen = 0;
    for (file, found) in mentions(&COPIED) {
        assert_eq!(found, ADDRESS, "{file}: run `make address ADDRESS={ADDRESS}`");
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn no_program_repeats_it() {
    let repeated: Vec<_> = mentions(&CODE);
    assert!(
        repeated.is_empty(),
        "Take the address from Cargo.toml: env!(\"PROVIDER_ADDRESS\"), in tests \
         support::terraform::REQUIRED, in scripts scripts/address.sh. {repeated:?}"
    );
}

/// Every provider address whose type is ours, and the file in which it stands.
fn mentions(places: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for place in places {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place), &mut found);
    }
    found
}

fn collect(path: &Path, found: &mut Vec<(String, String)>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap();
        entries.for_each(|entry| collect(&entry.unwrap().path(), found));
        return;
    }
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let words = text.split(|c| !is_part(c)).filter(|word| {
        let parts: Vec<_> = word.split('/').collect();
        // The last is the documentation tool's own idea of where a provider lies.
        matches!(parts[..], [_, "rekey"] | [_, _, "rekey"])
            && parts.iter().all(|part| !part.is_empty())
            && !parts.contains(&"hashicorp")
            // What stands for any address in a usage line.
            && !parts.contains(&"NAMESPACE")
    });
    found.extend(words.map(|word| (path.display().to_string(), word.to_owned())));
}
