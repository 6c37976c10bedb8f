//! Fits a stored JSON state to the present schema: drops what the schema no longer has, adds null
//! for what it has now. Works on the text, so that no digit of a number is lost.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::tfplugin::cty::{Type, Value, json};
use crate::tfplugin::diagnostics::{AttributePath, DecodeError};

/// Reads a stored object of about type `ty`.
pub(super) fn decode(stored: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    let unreadable = |_| DecodeError {
        path: AttributePath::root(),
        message: "the stored state is not JSON of the shape that the schema asks for".to_owned(),
    };
    let raw: &RawValue = serde_json::from_slice(stored).map_err(unreadable)?;
    let mut text = String::with_capacity(stored.len());
    conform(raw, ty, &mut text).map_err(unreadable)?;
    json::decode(text.as_bytes(), ty)
}

fn conform(raw: &RawValue, ty: &Type, text: &mut String) -> serde_json::Result<()> {
    // A null fits every type, and a type without members needs no look inside.
    if raw.get() == "null" || !has_object(ty) {
        text.push_str(raw.get());
        return Ok(());
    }
    match ty {
        Type::Object(members) => {
            let stored: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get())?;
            list(text, ['{', '}'], members, |text, (name, ty)| {
                key(text, name)?;
                let Some(raw) = stored.get(name) else {
                    text.push_str("null");
                    return Ok(());
                };
                conform(raw, ty, text)
            })
        }
        Type::Map(element) => {
            let stored: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get())?;
            list(text, ['{', '}'], stored, |text, (name, raw)| {
                key(text, &name)?;
                conform(raw, element, text)
            })
        }
        Type::List(element) | Type::Set(element) => {
            let stored: Vec<&RawValue> = serde_json::from_str(raw.get())?;
            list(text, ['[', ']'], stored, |text, raw| conform(raw, element, text))
        }
        // A tuple's length is part of its type: what does not fit is the decoder's to refuse.
        Type::Tuple(_) | Type::Bool | Type::Dynamic | Type::Number | Type::String => {
            text.push_str(raw.get());
            Ok(())
        }
    }
}

fn has_object(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(element) | Type::Map(element) | Type::Set(element) => has_object(element),
        Type::Tuple(_) | Type::Bool | Type::Dynamic | Type::Number | Type::String => false,
    }
}

fn list<T>(
    text: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    text.push(open);
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        each(text, item)?;
    }
    text.push(close);
    Ok(())
}

fn key(text: &mut String, name: &str) -> serde_json::Result<()> {
    text.push_str(&serde_json::to_string(name)?);
    text.push(':');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ty() -> Type {
        let part = Type::object([("count", Type::Number), ("name", Type::String)]);
        Type::object([
            ("any", Type::Dynamic),
            ("by_name", Type::map(part.clone())),
            ("parts", Type::list(part.clone())),
            ("set", Type::set(part.clone())),
            ("tags", Type::map(Type::String)),
            ("whole", part),
        ])
    }

    fn fitted(json: &str) -> String {
        let value = decode(json.as_bytes(), &ty()).unwrap();
        String::from_utf8(json::encode(&value, &ty()).unwrap()).unwrap()
    }

    #[test]
    fn an_empty_object_is_null_throughout() {
        let nothing =
            r#"{"any":null,"by_name":null,"parts":null,"set":null,"tags":null,"whole":null}"#;
        assert_eq!(fitted("{}"), nothing);
        assert_eq!(fitted(r#"{"gone":{"deep":[1]}}"#), nothing);
    }

    #[test]
    fn it_fits_at_every_depth_and_keeps_every_digit() {
        let stored = r#"{
            "any": {"type": ["object", {"a": "number"}], "value": {"a": 1}},
            "by_name": {"x \" y": {"count": 123456789012345678901234567890.5, "old": 1}},
            "parts": [null, {"name": "n"}],
            "set": [{"count": 1, "name": "n", "old": null}],
            "tags": {"kept": "as it is"},
            "whole": {}
        }"#;
        let wanted = r#"{
            "any": {"type": ["object", {"a": "number"}], "value": {"a": 1}},
            "by_name": {"x \" y": {"count": 123456789012345678901234567890.5, "name": null}},
            "parts": [null, {"count": null, "name": "n"}],
            "set": [{"count": 1, "name": "n"}],
            "tags": {"kept": "as it is"},
            "whole": {"count": null, "name": null}
        }"#;
        let decoded = json::decode(wanted.as_bytes(), &ty()).unwrap();
        assert_eq!(decode(stored.as_bytes(), &ty()).unwrap(), decoded);
        assert!(fitted(stored).contains("123456789012345678901234567890.5"));
    }

    proptest! {
        #[test]
        fn foreign_text_is_an_error_and_no_panic(
            text in r#"([\[\]{},:"]|null|"parts"|"whole"|"count"|[0-9]|\\|é){0,24}"#
        ) {
            if let Ok(value) = decode(text.as_bytes(), &ty()) {
                prop_assert!(json::encode(&value, &ty()).is_ok());
            }
        }
    }
}
