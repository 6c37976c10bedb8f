//! Private data on the wire: wrapped with its version, so that an older provider says so instead of
//! misreading what a newer one left. Not encrypted: Terraform keeps it in the state as it is.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::tfplugin::diagnostics::{Diagnostic, Result};

#[derive(Serialize)]
struct Written<'a, P> {
    v: u32,
    data: &'a P,
    /// In a plan: what was there before, because Apply is given the plan's data only and must
    /// answer with the old data when nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    prior: Option<&'a P>,
}

#[derive(Deserialize)]
struct Envelope {
    v: u32,
    data: serde_json::Value,
    #[serde(default)]
    prior: Option<serde_json::Value>,
}

/// Private data as it was read.
#[derive(Debug)]
pub(super) struct Private<P> {
    pub(super) data: P,
    /// What was there before the plan, where the plan changed it.
    pub(super) prior: Option<P>,
}

/// Reads what [`wrap`] or [`wrap_planned`] wrote. Empty is the default.
pub(super) fn unwrap<P: DeserializeOwned + Default>(
    bytes: &[u8],
    version: u32,
) -> Result<Private<P>> {
    if bytes.is_empty() {
        return Ok(Private { data: P::default(), prior: None });
    }
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
    if envelope.v > version {
        return Err(newer(envelope.v, version).into());
    }
    let read = |data| serde_json::from_value(data).map_err(|_| unreadable());
    Ok(Private { data: read(envelope.data)?, prior: envelope.prior.map(read).transpose()? })
}

/// For a state.
pub(super) fn wrap<P: Serialize>(data: &P, version: u32) -> Result<Vec<u8>> {
    write(&Written { v: version, data, prior: None })
}

/// For a plan: with what was there before, where that differs.
pub(super) fn wrap_planned<P: Serialize>(data: &P, prior: &P, version: u32) -> Result<Vec<u8>> {
    let same = write(data)? == write(prior)?;
    write(&Written { v: version, data, prior: (!same).then_some(prior) })
}

fn write<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|_| {
        Diagnostic::error(
            "Private data cannot be written",
            "The provider's private data of this object has no JSON form. \
             This is a bug in the provider; please report it",
        )
        .into()
    })
}

// serde's own message may quote what it read, and private data may hold what nobody should see.
fn unreadable() -> Diagnostic {
    Diagnostic::error(
        "Private data cannot be read",
        "The state holds private data of this object that this version of the provider cannot \
         read. Nothing was done. Either something else changed the state, or the provider has a \
         bug: restore the state from a backup, or remove the object from the state and import it",
    )
}

fn newer(found: u32, known: u32) -> Diagnostic {
    Diagnostic::error(
        "State was written by a newer provider",
        format!(
            "The private data of this object has version {found}; this version of the provider \
             knows up to {known}. Nothing was done. Use the provider version that wrote the state, \
             or a newer one"
        ),
    )
}
