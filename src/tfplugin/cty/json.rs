//! The JSON forms: of values (state files, schemas' types) and of types.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::misfit::{check_names, index_step, mismatch, missing, unsupported, wrong_length};
use super::{MAX_DEPTH, Type, Value};
use crate::tfplugin::diagnostics::{DecodeError, Step};

type Result<T> = std::result::Result<T, DecodeError>;

/// Reads one value of type `ty` from JSON text; numbers keep every digit.
pub fn decode(json: &[u8], ty: &Type) -> Result<Value> {
    Reader { lenient: false }.value(root(json)?, ty, MAX_DEPTH)
}

/// The same for a state that an older provider of the same schema version wrote: attributes that
/// are missing are null, those that the type does not have are dropped.
pub fn decode_lenient(json: &[u8], ty: &Type) -> Result<Value> {
    Reader { lenient: true }.value(root(json)?, ty, MAX_DEPTH)
}

/// Writes a wholly known value.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>> {
    let mut out = String::new();
    write(&mut out, value, ty)?;
    Ok(out.into_bytes())
}

/// The JSON form of a type: `"string"`, `["list","string"]`, ...
pub fn encode_type(ty: &Type) -> Vec<u8> {
    let mut out = String::new();
    write_type(&mut out, ty);
    out.into_bytes()
}

/// Reads the JSON form of a type.
pub fn decode_type(json: &[u8]) -> Result<Type> {
    let json = serde_json::from_slice(json).map_err(|error| not_json(&error))?;
    read_type(json, MAX_DEPTH)
}

struct Reader {
    lenient: bool,
}

impl Reader {
    fn value(&self, json: &RawValue, ty: &Type, depth: usize) -> Result<Value> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(DecodeError::new(format!("nested deeper than {MAX_DEPTH} levels")));
        };
        if json.get() == "null" {
            return Ok(Value::Null);
        }
        match ty {
            Type::Bool => read(json, ty).map(Value::Bool),
            Type::String => read(json, ty).map(Value::String),
            // Some writers put numbers that need all their digits into quotes.
            Type::Number if json.get().starts_with('"') => {
                parse_number(&read::<String>(json, ty)?).map(Value::Number)
            }
            Type::Number => parse_number(json.get()).map(Value::Number),
            Type::List(element) => self.elements(json, ty, element, depth).map(Value::List),
            Type::Set(element) => self.elements(json, ty, element, depth).map(Value::Set),
            Type::Tuple(types) => {
                let elements: Vec<&RawValue> = read(json, ty)?;
                if elements.len() != types.len() {
                    return Err(wrong_length(types.len(), elements.len()));
                }
                let read = |(index, (json, ty)): (usize, (&RawValue, &Type))| {
                    self.value(json, ty, depth).map_err(|error| error.within(index_step(index)))
                };
                let elements = elements.into_iter().zip(types).enumerate();
                elements.map(read).collect::<Result<_>>().map(Value::Tuple)
            }
            Type::Map(element) => {
                let entries: BTreeMap<String, &RawValue> = read(json, ty)?;
                let read = |(key, json): (String, &RawValue)| match self.value(json, element, depth)
                {
                    Ok(value) => Ok((key, value)),
                    Err(error) => Err(error.within(Step::Key(key))),
                };
                entries.into_iter().map(read).collect::<Result<_>>().map(Value::Map)
            }
            Type::Object(types) => self.object(json, types, depth).map(Value::Object),
            Type::Dynamic => {
                let Ok(dynamic) = serde_json::from_str::<DynamicForm<'_>>(json.get()) else {
                    return Err(DecodeError::new(
                        "a dynamic value must be an object with type and value",
                    ));
                };
                let ty = decode_type(dynamic.ty.get().as_bytes())?;
                let value = self.value(dynamic.value, &ty, depth)?;
                Ok(Value::Dynamic(Box::new(ty), Box::new(value)))
            }
        }
    }

    fn elements(
        &self,
        json: &RawValue,
        ty: &Type,
        element: &Type,
        depth: usize,
    ) -> Result<Vec<Value>> {
        let elements: Vec<&RawValue> = read(json, ty)?;
        let indexed = !matches!(ty, Type::Set(_));
        let read = |(index, json)| {
            self.value(json, element, depth)
                .map_err(|error| if indexed { error.within(index_step(index)) } else { error })
        };
        elements.into_iter().enumerate().map(read).collect()
    }

    fn object(
        &self,
        json: &RawValue,
        types: &BTreeMap<String, Type>,
        depth: usize,
    ) -> Result<BTreeMap<String, Value>> {
        let given: BTreeMap<String, &RawValue> = read(json, &Type::Object(BTreeMap::new()))?;
        if !self.lenient
            && let Some(name) = given.keys().find(|name| !types.contains_key(*name))
        {
            return Err(unsupported(name));
        }
        let read = |(name, ty): (&String, &Type)| {
            let value = match given.get(name) {
                Some(json) => self
                    .value(json, ty, depth)
                    .map_err(|error| error.within(Step::Attribute(name.clone())))?,
                None if self.lenient => Value::Null,
                None => return Err(missing(name)),
            };
            Ok((name.clone(), value))
        };
        types.iter().map(read).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DynamicForm<'a> {
    #[serde(rename = "type", borrow)]
    ty: &'a RawValue,
    #[serde(borrow)]
    value: &'a RawValue,
}

fn root(json: &[u8]) -> Result<&RawValue> {
    serde_json::from_slice(json).map_err(|error| not_json(&error))
}

fn read<'a, T: Deserialize<'a>>(json: &'a RawValue, ty: &Type) -> Result<T> {
    // serde's own message would quote the value.
    serde_json::from_str(json.get()).map_err(|_| {
        let given = match json.get().as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a bool",
            _ => "a number",
        };
        DecodeError::new(format!("{ty} required, but this is {given}"))
    })
}

fn parse_number(text: &str) -> Result<super::Number> {
    text.parse().map_err(|_| DecodeError::new("number required, but this is another text"))
}

fn not_json(error: &serde_json::Error) -> DecodeError {
    DecodeError::new(format!("not valid JSON at line {} column {}", error.line(), error.column()))
}

fn write(out: &mut String, value: &Value, ty: &Type) -> Result<()> {
    match (value, ty) {
        (Value::Null, _) => out.push_str("null"),
        (Value::Unknown, _) => {
            return Err(DecodeError::new("not known yet, which JSON cannot say"));
        }
        (Value::Bool(value), Type::Bool) => out.push_str(if *value { "true" } else { "false" }),
        (Value::String(text), Type::String) => write_string(out, text),
        (Value::Number(number), Type::Number) if number.is_finite() => {
            out.push_str(&number.to_string());
        }
        (Value::Number(_), Type::Number) => {
            return Err(DecodeError::new("infinite, which JSON cannot say"));
        }
        (Value::List(elements), Type::List(element)) => {
            list(out, elements.iter().enumerate(), |out, (index, value)| {
                write(out, value, element).map_err(|error| error.within(index_step(index)))
            })?;
        }
        (Value::Set(elements), Type::Set(element)) => {
            list(out, elements, |out, value| write(out, value, element))?;
        }
        (Value::Tuple(elements), Type::Tuple(types)) => {
            if elements.len() != types.len() {
                return Err(wrong_length(types.len(), elements.len()));
            }
            list(out, elements.iter().zip(types).enumerate(), |out, (index, (value, ty))| {
                write(out, value, ty).map_err(|error| error.within(index_step(index)))
            })?;
        }
        (Value::Map(entries), Type::Map(element)) => {
            braced(out, entries, |out, (key, value)| {
                write_key(out, key);
                write(out, value, element).map_err(|error| error.within(Step::Key(key.clone())))
            })?;
        }
        (Value::Object(attributes), Type::Object(types)) => {
            check_names(attributes, types)?;
            braced(out, attributes.iter().zip(types.values()), |out, ((name, value), ty)| {
                write_key(out, name);
                write(out, value, ty).map_err(|error| error.within(Step::Attribute(name.clone())))
            })?;
        }
        (Value::Dynamic(ty, value), Type::Dynamic) => {
            out.push_str("{\"type\":");
            write_type(out, ty);
            out.push_str(",\"value\":");
            write(out, value, ty)?;
            out.push('}');
        }
        (value, ty) => return Err(mismatch(value, ty)),
    }
    Ok(())
}

fn write_type(out: &mut String, ty: &Type) {
    let mut container = |name: &str, element: &Type| {
        out.push_str("[\"");
        out.push_str(name);
        out.push_str("\",");
        write_type(out, element);
        out.push(']');
    };
    match ty {
        Type::Bool => out.push_str("\"bool\""),
        Type::Dynamic => out.push_str("\"dynamic\""),
        Type::Number => out.push_str("\"number\""),
        Type::String => out.push_str("\"string\""),
        Type::List(element) => container("list", element),
        Type::Map(element) => container("map", element),
        Type::Set(element) => container("set", element),
        Type::Object(attributes) => {
            out.push_str("[\"object\",{");
            for (position, (name, ty)) in attributes.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_key(out, name);
                write_type(out, ty);
            }
            out.push_str("}]");
        }
        Type::Tuple(types) => {
            out.push_str("[\"tuple\",[");
            for (position, ty) in types.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_type(out, ty);
            }
            out.push_str("]]");
        }
    }
}

fn read_type(json: serde_json::Value, depth: usize) -> Result<Type> {
    let unknown = || DecodeError::new("not the JSON form of a type");
    let depth = depth.checked_sub(1).ok_or_else(unknown)?;
    let parts = match json {
        serde_json::Value::String(name) => {
            return match name.as_str() {
                "bool" => Ok(Type::Bool),
                "dynamic" => Ok(Type::Dynamic),
                "number" => Ok(Type::Number),
                "string" => Ok(Type::String),
                _ => Err(unknown()),
            };
        }
        serde_json::Value::Array(parts) => parts,
        _ => return Err(unknown()),
    };
    let mut parts = parts.into_iter();
    let (Some(serde_json::Value::String(kind)), Some(body)) = (parts.next(), parts.next()) else {
        return Err(unknown());
    };
    match (kind.as_str(), body, parts.next(), parts.next()) {
        ("list", element, None, None) => read_type(element, depth).map(Type::list),
        ("map", element, None, None) => read_type(element, depth).map(Type::map),
        ("set", element, None, None) => read_type(element, depth).map(Type::set),
        ("tuple", serde_json::Value::Array(types), None, None) => {
            let types = types.into_iter().map(|ty| read_type(ty, depth));
            types.collect::<Result<_>>().map(Type::Tuple)
        }
        // The third part lists optional attributes, which a value does not have.
        (
            "object",
            serde_json::Value::Object(types),
            None | Some(serde_json::Value::Array(_)),
            None,
        ) => {
            let types = types.into_iter().map(|(name, ty)| Ok((name, read_type(ty, depth)?)));
            types.collect::<Result<_>>().map(Type::Object)
        }
        _ => Err(unknown()),
    }
}

fn list<I>(
    out: &mut String,
    items: impl IntoIterator<Item = I>,
    write: impl FnMut(&mut String, I) -> Result<()>,
) -> Result<()> {
    out.push('[');
    separated(out, items, write)?;
    out.push(']');
    Ok(())
}

fn braced<I>(
    out: &mut String,
    items: impl IntoIterator<Item = I>,
    write: impl FnMut(&mut String, I) -> Result<()>,
) -> Result<()> {
    out.push('{');
    separated(out, items, write)?;
    out.push('}');
    Ok(())
}

fn separated<I>(
    out: &mut String,
    items: impl IntoIterator<Item = I>,
    mut write: impl FnMut(&mut String, I) -> Result<()>,
) -> Result<()> {
    items.into_iter().enumerate().try_for_each(|(position, item)| {
        if position > 0 {
            out.push(',');
        }
        write(out, item)
    })
}

fn write_key(out: &mut String, key: &str) {
    write_string(out, key);
    out.push(':');
}

fn write_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
