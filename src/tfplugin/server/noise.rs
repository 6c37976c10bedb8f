//! The way in for the fuzzer: see `crate::fuzz`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::private::{unwrap, wrap};

/// Private data as core hands it back.
pub(crate) fn private<P: DeserializeOwned + Default + Serialize>(data: &[u8]) {
    let Ok(read) = unwrap::<P>(data, 1) else { return };
    let again = wrap(&read.data, 1).and_then(|bytes| unwrap::<P>(&bytes, 1));
    assert!(again.is_ok(), "what was read can be written and read again");
}
