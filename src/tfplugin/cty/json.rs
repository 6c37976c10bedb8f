//! The JSON forms: of values (state files, schemas' types) and of types.

use super::{Type, Value};
use crate::tfplugin::diagnostics::DecodeError;

/// Reads one value of type `ty` from JSON text; numbers keep every digit.
pub fn decode(_json: &[u8], _ty: &Type) -> Result<Value, DecodeError> {
    todo!()
}

/// Writes a wholly known value.
pub fn encode(_value: &Value, _ty: &Type) -> Result<Vec<u8>, DecodeError> {
    todo!()
}

/// The JSON form of a type: `"string"`, `["list","string"]`, ...
pub fn encode_type(_ty: &Type) -> Vec<u8> {
    todo!()
}

/// Reads the JSON form of a type.
pub fn decode_type(_json: &[u8]) -> Result<Type, DecodeError> {
    todo!()
}
