//! The host's own `MessagePack` form of values: writes as core does, and reads as strictly as core.
//! Not the provider's codec, on purpose.

use std::collections::BTreeMap;

use rekey::tfplugin::proto::tfplugin6::DynamicValue;
use rmp::Marker;
use rmp::decode::{self, RmpRead};
use rmp::encode;

use super::value::{Num, Promise, Ty, Val};

/// Wraps a value for a request.
pub fn dynamic(value: &Val, ty: &Ty) -> DynamicValue {
    DynamicValue { msgpack: write(value, ty), json: Vec::new() }
}

/// Unwraps a value of an answer. Absent is null; JSON is refused, since hosts do not read it everywhere.
pub fn undynamic(value: Option<&DynamicValue>, ty: &Ty) -> Result<Val, String> {
    match value {
        None => Ok(Val::Null),
        Some(value) if !value.json.is_empty() => {
            Err("answered in JSON, which hosts do not read everywhere".to_owned())
        }
        Some(value) if value.msgpack.is_empty() => Ok(Val::Null),
        Some(value) => read(&value.msgpack, ty),
    }
}

/// The bytes that core sends for a value.
pub fn write(value: &Val, ty: &Ty) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, value, ty);
    out
}

fn put(out: &mut Vec<u8>, value: &Val, ty: &Ty) {
    match (value, ty) {
        (Val::Unknown(promise), _) => put_unknown(out, promise),
        (Val::Null, _) => encode::write_nil(out).unwrap(),
        (Val::Dynamic(inner, value), Ty::Dynamic) => {
            encode::write_array_len(out, 2).unwrap();
            encode::write_bin(out, inner.to_json().to_string().as_bytes()).unwrap();
            put(out, value, inner);
        }
        (Val::Bool(value), Ty::Bool) => encode::write_bool(out, *value).unwrap(),
        (Val::String(text), Ty::String) => encode::write_str(out, text).unwrap(),
        (Val::Number(number), Ty::Number) => put_number(out, number),
        (Val::List(elements), Ty::List(element)) | (Val::Set(elements), Ty::Set(element)) => {
            encode::write_array_len(out, length(elements.len())).unwrap();
            for value in elements {
                put(out, value, element);
            }
        }
        (Val::Tuple(elements), Ty::Tuple(types)) if elements.len() == types.len() => {
            encode::write_array_len(out, length(elements.len())).unwrap();
            elements.iter().zip(types).for_each(|(value, ty)| put(out, value, ty));
        }
        (Val::Map(entries), Ty::Map(element)) => {
            encode::write_map_len(out, length(entries.len())).unwrap();
            for (key, value) in entries {
                encode::write_str(out, key).unwrap();
                put(out, value, element);
            }
        }
        (Val::Object(members), Ty::Object(types)) if members.keys().eq(types.keys()) => {
            encode::write_map_len(out, length(members.len())).unwrap();
            for ((name, value), ty) in members.iter().zip(types.values()) {
                encode::write_str(out, name).unwrap();
                put(out, value, ty);
            }
        }
        _ => panic!("the host was given {value:?} where {ty:?} is wanted"),
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap()
}

/// An integer where it is one, a float where that is exact, else decimal text.
fn put_number(out: &mut Vec<u8>, number: &Num) {
    if let Some(integer) = number.as_i64() {
        encode::write_sint(out, integer).unwrap();
    } else if let Some(float) = number.as_exact_fraction() {
        encode::write_f64(out, float).unwrap();
    } else {
        encode::write_str(out, &number.to_string()).unwrap();
    }
}

fn put_unknown(out: &mut Vec<u8>, promise: &Promise) {
    let mut body = Vec::new();
    let mut parts = 0;
    if promise.not_null {
        encode::write_pfix(&mut body, 1).unwrap();
        encode::write_bool(&mut body, false).unwrap();
        parts += 1;
    }
    if !promise.prefix.is_empty() {
        encode::write_pfix(&mut body, 2).unwrap();
        encode::write_str(&mut body, &promise.prefix).unwrap();
        parts += 1;
    }
    for (key, bound) in [(5, promise.min_length), (6, promise.max_length)] {
        if let Some(bound) = bound {
            encode::write_pfix(&mut body, key).unwrap();
            encode::write_sint(&mut body, bound).unwrap();
            parts += 1;
        }
    }
    if parts == 0 {
        out.extend_from_slice(&[0xd4, 0, 0]);
        return;
    }
    let mut whole = Vec::new();
    encode::write_map_len(&mut whole, parts).unwrap();
    whole.extend(body);
    encode::write_ext_meta(out, length(whole.len()), 12).unwrap();
    out.extend(whole);
}

/// Reads one value; anything that core would refuse is an error that says where.
pub fn read(bytes: &[u8], ty: &Ty) -> Result<Val, String> {
    let mut rest = bytes;
    let value = take(&mut rest, ty, "")?;
    if rest.is_empty() { Ok(value) } else { Err(format!("{} bytes too many", rest.len())) }
}

fn take(rest: &mut &[u8], ty: &Ty, at: &str) -> Result<Val, String> {
    let wrong = |what: &str| format!("{}: {what}", if at.is_empty() { "the value" } else { at });
    let peeked = Marker::from_u8(*rest.first().ok_or_else(|| wrong("cut off"))?);
    match peeked {
        Marker::Null => {
            skip(rest, 1);
            return Ok(Val::Null);
        }
        Marker::FixExt1
        | Marker::FixExt2
        | Marker::FixExt4
        | Marker::FixExt8
        | Marker::FixExt16
        | Marker::Ext8
        | Marker::Ext16
        | Marker::Ext32 => return take_unknown(rest).map_err(|what| wrong(&what)),
        _ => {}
    }
    match ty {
        Ty::Bool => decode::read_bool(rest).map(Val::Bool).map_err(|_| wrong("a bool is required")),
        Ty::String => take_str(rest).map(Val::String).map_err(|_| wrong("a string is required")),
        Ty::Number => take_number(rest).map(Val::Number).map_err(|what| wrong(&what)),
        Ty::Dynamic => {
            let parts = decode::read_array_len(rest).map_err(|_| wrong("a pair is required"))?;
            if parts != 2 {
                return Err(wrong("a dynamic value is a pair of type and value"));
            }
            let size = decode::read_bin_len(rest).map_err(|_| wrong("the type must be bin"))?;
            let inner = Ty::from_json(take_bytes(rest, size)?).map_err(|what| wrong(&what))?;
            Ok(Val::Dynamic(inner.clone(), Box::new(take(rest, &inner, at)?)))
        }
        Ty::List(element) | Ty::Set(element) => {
            let count = decode::read_array_len(rest).map_err(|_| wrong("an array is required"))?;
            let elements = (0..count)
                .map(|index| take(rest, element, &format!("{at}[{index}]")))
                .collect::<Result<Vec<_>, _>>()?;
            if matches!(ty, Ty::List(_)) {
                return Ok(Val::List(elements));
            }
            // cty lets equal elements of a set fall into one.
            let mut distinct: Vec<Val> = Vec::new();
            for element in elements {
                if !distinct.contains(&element) {
                    distinct.push(element);
                }
            }
            Ok(Val::Set(distinct))
        }
        Ty::Tuple(types) => {
            let count = decode::read_array_len(rest).map_err(|_| wrong("an array is required"))?;
            if count as usize != types.len() {
                return Err(wrong(&format!(
                    "a tuple of {} is required ({count} given)",
                    types.len()
                )));
            }
            types
                .iter()
                .enumerate()
                .map(|(index, ty)| take(rest, ty, &format!("{at}[{index}]")))
                .collect::<Result<_, _>>()
                .map(Val::Tuple)
        }
        Ty::Map(element) => {
            let count = decode::read_map_len(rest).map_err(|_| wrong("a map is required"))?;
            let mut entries = BTreeMap::new();
            for _ in 0..count {
                let key = take_str(rest).map_err(|_| wrong("a map key must be a string"))?;
                let value = take(rest, element, &format!("{at}[{key:?}]"))?;
                if entries.insert(key.clone(), value).is_some() {
                    return Err(wrong(&format!("the key {key:?} stands twice")));
                }
            }
            Ok(Val::Map(entries))
        }
        Ty::Object(types) => {
            let count = decode::read_map_len(rest).map_err(|_| wrong("an object is required"))?;
            if count as usize != types.len() {
                return Err(wrong(&format!(
                    "an object with {} attributes is required ({count} given)",
                    types.len()
                )));
            }
            let mut members = BTreeMap::new();
            for _ in 0..count {
                let name = take_str(rest).map_err(|_| wrong("a name must be a string"))?;
                let ty = types
                    .get(&name)
                    .ok_or_else(|| wrong(&format!("unsupported attribute {name:?}")))?;
                let value = take(rest, ty, &format!("{at}.{name}"))?;
                if members.insert(name.clone(), value).is_some() {
                    return Err(wrong(&format!("the attribute {name:?} stands twice")));
                }
            }
            Ok(Val::Object(members))
        }
    }
}

fn skip(rest: &mut &[u8], count: usize) {
    *rest = &rest[count..];
}

fn take_bytes<'a>(rest: &mut &'a [u8], count: u32) -> Result<&'a [u8], String> {
    let (taken, left) =
        rest.split_at_checked(count as usize).ok_or_else(|| "cut off".to_owned())?;
    *rest = left;
    Ok(taken)
}

fn take_str(rest: &mut &[u8]) -> Result<String, String> {
    let size = decode::read_str_len(rest).map_err(|_| "not a string".to_owned())?;
    let bytes = take_bytes(rest, size)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| "not UTF-8".to_owned())
}

fn take_number(rest: &mut &[u8]) -> Result<Num, String> {
    let wrong = || "a number is required".to_owned();
    match Marker::from_u8(rest[0]) {
        Marker::F32 => {
            let value = decode::read_f32(rest).map_err(|_| wrong())?;
            Num::from_f64(f64::from(value)).ok_or_else(wrong)
        }
        Marker::F64 => {
            Num::from_f64(decode::read_f64(rest).map_err(|_| wrong())?).ok_or_else(wrong)
        }
        Marker::U64 => {
            skip(rest, 1);
            let value = rest.read_data_u64().map_err(|_| wrong())?;
            Num::parse(&value.to_string()).ok_or_else(wrong)
        }
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            Num::parse(&take_str(rest)?).ok_or_else(wrong)
        }
        _ => decode::read_int::<i64, _>(rest).map(Num::from).map_err(|_| wrong()),
    }
}

/// Of any extension code with no content, and of code 12 with promises.
fn take_unknown(rest: &mut &[u8]) -> Result<Val, String> {
    let meta = decode::read_ext_meta(rest).map_err(|_| "a broken extension".to_owned())?;
    let mut body = take_bytes(rest, meta.size)?;
    if body.len() <= 1 {
        return Ok(Val::unknown());
    }
    if meta.typeid != 12 {
        return Err("unsupported extension type".to_owned());
    }
    if body.len() > 1024 {
        return Err("oversize unknown value refinement".to_owned());
    }
    let broken = |()| "a broken refinement".to_owned();
    let mut promise = Promise::default();
    let parts = decode::read_map_len(&mut body).map_err(|_| "a broken refinement".to_owned())?;
    for _ in 0..parts {
        let key: i64 = decode::read_int(&mut body).map_err(|_| "a broken refinement".to_owned())?;
        match key {
            1 => promise.not_null = !decode::read_bool(&mut body).map_err(|_| broken(()))?,
            2 => promise.prefix = take_str(&mut body)?,
            5 => promise.min_length = Some(decode::read_int(&mut body).map_err(|_| broken(()))?),
            6 => promise.max_length = Some(decode::read_int(&mut body).map_err(|_| broken(()))?),
            _ => return Err(format!("refinement {key}, which this provider has no use for")),
        }
    }
    Ok(Val::Unknown(promise))
}
