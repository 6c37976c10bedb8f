//! The MessagePack wire form of cty values.

use super::{Type, Value};
use crate::tfplugin::diagnostics::DecodeError;

/// Reads one value of type `ty`. Foreign bytes give an error with the attribute path, never a panic.
pub fn decode(_bytes: &[u8], _ty: &Type) -> Result<Value, DecodeError> {
    todo!()
}

/// Writes `value`, which must be of type `ty`.
pub fn encode(_value: &Value, _ty: &Type) -> Result<Vec<u8>, DecodeError> {
    todo!()
}
