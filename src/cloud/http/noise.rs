//! The ways in for the fuzzer: see `crate::fuzz`.

use http::{HeaderMap, StatusCode};
use zeroize::Zeroizing;

use super::{Pem, Response, Trust, words};

/// What is said of an error's body fits into one line.
pub(crate) fn error_body(data: &[u8]) {
    let body = Zeroizing::new(data.to_vec());
    let answer = Response { status: StatusCode::BAD_GATEWAY, headers: HeaderMap::new(), body };
    for said in [words::of(&answer, &["secret".into()]), words::instead_of_json(&answer)] {
        assert!(!said.contains('\n'), "{said:?}");
    }
}

/// Certificates of a cloud, and of this client with its key.
pub(crate) fn pem(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let pem = || Some(Pem::parse(text, None));
    let trust = Trust { cacert: pem(), cert: pem(), key: pem(), verify: true };
    // A path is looked up; what is fuzzed is text.
    if text.contains("-----BEGIN") {
        let _ = trust.client_config(true, Some("localhost"));
    }
}
