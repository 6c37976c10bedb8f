//! Texts that kubectl reads: JSON or YAML, in UTF-8 or in what Windows' PowerShell writes.

use serde_json::Value;

/// Where a text cannot be read; quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    NotText,
    /// Somewhere near this line, from 1.
    At(Option<u64>),
}

/// All documents. Of a key that is given twice the last counts; aliases are bounded, lest a small text become a
/// large value.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, Unreadable> {
    let text = decoded(bytes).ok_or(Unreadable::NotText)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 100, max_events: 500_000 },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_multiple_with_options(&text, options)
        .map_err(|error| Unreadable::At(error.location().map(|place| place.line())))
}

/// With or without a byte order mark.
fn decoded(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}
