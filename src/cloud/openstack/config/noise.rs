//! The way in for the fuzzer: see `crate::fuzz`.

use crate::cloud::yaml::{parse_json, parse_yaml};

/// A file of clouds.
pub(crate) fn read(text: &str) {
    let _ = (parse_yaml(text), parse_json(text));
}
