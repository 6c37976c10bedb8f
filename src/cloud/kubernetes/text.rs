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

/// The first document, typed as Kubernetes' own tools have it; they look at no other either. Null where there is none.
pub fn document(bytes: &[u8]) -> Result<Value, Unreadable> {
    let text = decoded(bytes).ok_or(Unreadable::NotText)?;
    let first = Documents::of(&text).next().transpose();
    let first = first.map_err(|malformed| Unreadable::At(malformed.line))?;
    Ok(first.map_or(Value::Null, Node::into_json))
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
