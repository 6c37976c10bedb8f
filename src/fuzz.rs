//! What the fuzzer calls, one function for each way in from outside: whatever the bytes are, nothing panics, and what was
//! read can be written and read again. `fuzz/` drives it; the tests replay what was found, and the seeds.

use crate::cloud::kubernetes::Certificate;
use crate::provider::application_credential::private::Private;
use crate::rotation::Period;
use crate::tfplugin::cty::{Type, json, msgpack as wire};

/// What the fuzzer calls with the bytes that it makes up.
pub type Target = fn(&[u8]);

/// A function for each target of `fuzz/`, by its name.
pub const TARGETS: [(&str, Target); 9] = [
    ("clouds_yaml", clouds_yaml),
    ("durations", durations),
    ("error_bodies", error_bodies),
    ("json", json_values),
    ("kubeconfig", kubeconfig),
    ("msgpack", msgpack),
    ("pem", pem),
    ("plugin_output", plugin_output),
    ("private", private),
];

/// A value as core sends it.
///
/// # Panics
/// Where a value that was read cannot be written, or reads otherwise then: a fault that was found.
pub fn msgpack(data: &[u8]) {
    let Ok(value) = wire::decode(data, &everything()) else { return };
    let written =
        wire::encode(&value, &everything()).map(|bytes| wire::decode(&bytes, &everything()));
    assert_eq!(written, Ok(Ok(value)), "what was read can be written and read again");
}

/// A value and a type as a state file has them.
///
/// # Panics
/// Where a value that was read cannot be written, or reads otherwise then: a fault that was found.
pub fn json_values(data: &[u8]) {
    let _ = json::decode(data, &everything());
    if let Ok(ty) = json::decode_type(data) {
        assert_eq!(json::decode_type(&json::encode_type(&ty)), Ok(ty));
    }
    let Ok(value) = json::decode_lenient(data, &everything()) else { return };
    let Ok(written) = json::encode(&value, &everything()) else { return };
    assert_eq!(json::decode(&written, &everything()), Ok(value));
}

/// A clouds.yaml, and a file of the same form in JSON.
pub fn clouds_yaml(data: &[u8]) {
    with_text(data, crate::cloud::openstack::config::noise::read);
}

/// A kubeconfig.
pub fn kubeconfig(data: &[u8]) {
    with_text(data, crate::cloud::kubernetes::noise::kubeconfig);
}

/// What a credential plugin prints.
pub fn plugin_output(data: &[u8]) {
    crate::cloud::kubernetes::noise::plugin_output(data);
}

/// Certificates and keys.
pub fn pem(data: &[u8]) {
    with_text(data, |text| drop(Certificate::parse(text)));
    crate::cloud::http::noise::pem(data);
}

/// The body of an error, of any service or of something in between.
pub fn error_bodies(data: &[u8]) {
    crate::cloud::http::noise::error_body(data);
}

/// A period as it is written in a configuration.
///
/// # Panics
/// Where a period is not the same after it was written as seconds: a fault that was found.
pub fn durations(data: &[u8]) {
    with_text(data, |text| {
        let Ok(period) = Period::parse(text) else { return };
        assert_eq!(Period::from_seconds(period.seconds()), Some(period));
        let now = jiff::Timestamp::UNIX_EPOCH;
        let _ = (period.after(now), period.before(now), period.after(jiff::Timestamp::MAX));
    });
}

/// Private data as core hands it back.
pub fn private(data: &[u8]) {
    crate::tfplugin::server::noise::private::<Private>(data);
}

fn with_text(data: &[u8], read: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
}

/// A type with everything in it that there is.
fn everything() -> Type {
    let part = Type::object([("count", Type::Number), ("name", Type::String)]);
    Type::object([
        ("any", Type::Dynamic),
        ("by_name", Type::map(part.clone())),
        ("flag", Type::Bool),
        ("pair", Type::Tuple(vec![Type::Number, Type::list(Type::String)])),
        ("parts", Type::list(part.clone())),
        ("set", Type::set(part)),
    ])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TARGETS;

    #[test]
    fn what_the_fuzzer_found_and_began_with_holds() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, target) in TARGETS {
            let files: Vec<_> = std::fs::read_dir(corpus.join(name)).unwrap().collect();
            assert!(files.len() >= 2, "{name} has too little to begin with");
            for file in files {
                let path = file.unwrap().path();
                eprintln!("{}", path.display());
                let data = std::fs::read(path).unwrap();
                target(&data);
                // Cut anywhere, as a broken connection or a full disk does.
                (0..data.len().min(200)).for_each(|end| target(&data[..end]));
            }
        }
    }

    #[test]
    fn every_target_is_fuzzed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        files.sort();
        assert_eq!(files, TARGETS.map(|(name, _)| name));
    }
}
