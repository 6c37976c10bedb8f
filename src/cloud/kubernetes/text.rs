//! Texts that kubectl reads: JSON or YAML, in UTF-8 or in what Windows' PowerShell writes.

use serde_json::Value;

use crate::cloud::yaml::{Documents, Node};

/// Where a text cannot be read; quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    NotText,
    /// Somewhere near this line, from 1.
    At(usize),
}

/// All documents, typed as Kubernetes' own tools have it.
pub fn documents(bytes: &[u8]) -> Result<Vec<Value>, Unreadable> {
    let text = decoded(bytes).ok_or(Unreadable::NotText)?;
    let read = Documents::of(&text).map(|document| document.map(Node::into_json));
    read.collect::<Result<_, _>>().map_err(|malformed| Unreadable::At(malformed.line))
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
