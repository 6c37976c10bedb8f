//! The `MessagePack` wire form of cty values.

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::encode::{self as put, ByteBuf};

use super::misfit::{check_names, index_step, mismatch, missing, unsupported, wrong_length};
use super::number::Wire;
use super::{MAX_DEPTH, Number, Type, Value, json};
use crate::tfplugin::diagnostics::{DecodeError, Step};

type Result<T> = std::result::Result<T, DecodeError>;

/// Reads one value of type `ty`. Foreign bytes give an error with the attribute path, never a panic.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(ty, MAX_DEPTH)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::new(format!("{} bytes too many after the value", reader.rest.len())))
    }
}

/// Writes `value`, which must be of type `ty`.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>> {
    let mut out = ByteBuf::new();
    write(&mut out, value, ty)?;
    Ok(out.into_vec())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type, depth: usize) -> Result<Value> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(DecodeError::new(format!("nested deeper than {MAX_DEPTH} levels")));
        };
        let marker = self.marker()?;
        if marker == Marker::Null {
            return Ok(Value::Null);
        }
        if let Some(length) = self.extension(marker)? {
            self.take(length)?;
            return Ok(Value::Unknown);
        }
        match ty {
            Type::Bool => match marker {
                Marker::True => Ok(Value::Bool(true)),
                Marker::False => Ok(Value::Bool(false)),
                _ => Err(expected(ty, marker)),
            },
            Type::String => Ok(Value::String(self.text(marker, ty)?.to_owned())),
            Type::Number => self.number(marker).map(Value::Number),
            Type::List(element) => self.elements(marker, ty, element, depth).map(Value::List),
            Type::Set(element) => self.elements(marker, ty, element, depth).map(Value::Set),
            Type::Tuple(types) => self.tuple(marker, types, depth).map(Value::Tuple),
            Type::Map(element) => {
                self.entries(marker, ty, |_| Ok(element), depth, Step::Key).map(Value::Map)
            }
            Type::Object(types) => self.object(marker, types, depth).map(Value::Object),
            Type::Dynamic => {
                if self.array_length(marker, ty)? != 2 {
                    return Err(DecodeError::new("a dynamic value must be a type and a value"));
                }
                let marker = self.marker()?;
                let ty = json::decode_type(self.bytes(marker, ty)?)?;
                let value = self.value(&ty, depth)?;
                Ok(Value::Dynamic(Box::new(ty), Box::new(value)))
            }
        }
    }

    fn elements(
        &mut self,
        marker: Marker,
        ty: &Type,
        element: &Type,
        depth: usize,
    ) -> Result<Vec<Value>> {
        let length = self.array_length(marker, ty)?;
        // A set's elements have no path of their own: errors point at the set.
        let indexed = !matches!(ty, Type::Set(_));
        (0..length)
            .map(|index| {
                self.value(element, depth)
                    .map_err(|error| if indexed { error.within(index_step(index)) } else { error })
            })
            .collect()
    }

    fn tuple(&mut self, marker: Marker, types: &[Type], depth: usize) -> Result<Vec<Value>> {
        let length = self.array_length(marker, &Type::Tuple(Vec::new()))?;
        if length != types.len() {
            return Err(wrong_length(types.len(), length));
        }
        let read = |(index, ty)| {
            self.value(ty, depth).map_err(|error: DecodeError| error.within(index_step(index)))
        };
        types.iter().enumerate().map(read).collect()
    }

    fn object(
        &mut self,
        marker: Marker,
        types: &BTreeMap<String, Type>,
        depth: usize,
    ) -> Result<BTreeMap<String, Value>> {
        let find = |name: &str| types.get(name).ok_or_else(|| unsupported(name));
        let ty = Type::Object(BTreeMap::new());
        let attributes = self.entries(marker, &ty, find, depth, Step::Attribute)?;
        match types.keys().find(|name| !attributes.contains_key(*name)) {
            Some(name) => Err(missing(name)),
            None => Ok(attributes),
        }
    }

    fn entries<'t>(
        &mut self,
        marker: Marker,
        ty: &Type,
        element: impl Fn(&str) -> Result<&'t Type>,
        depth: usize,
        step: fn(String) -> Step,
    ) -> Result<BTreeMap<String, Value>> {
        let length = match marker {
            Marker::FixMap(length) => usize::from(length),
            Marker::Map16 => self.length(2)?,
            Marker::Map32 => self.length(4)?,
            _ => return Err(expected(ty, marker)),
        };
        let mut entries = BTreeMap::new();
        for _ in 0..length {
            let marker = self.marker()?;
            let key = self.text(marker, &Type::String)?.to_owned();
            let value = self
                .value(element(&key)?, depth)
                .map_err(|error| error.within(step(key.clone())))?;
            if entries.insert(key.clone(), value).is_some() {
                return Err(DecodeError::new("given twice").within(step(key)));
            }
        }
        Ok(entries)
    }

    fn number(&mut self, marker: Marker) -> Result<Number> {
        let float = |value: f64| {
            Number::from_f64_exactly(value).ok_or_else(|| DecodeError::new("not a number (NaN)"))
        };
        Ok(match marker {
            Marker::FixPos(value) => Number::from(i64::from(value)),
            Marker::FixNeg(value) => Number::from(i64::from(value)),
            Marker::U8 => Number::from(u64::from(u8::from_be_bytes(self.array()?))),
            Marker::U16 => Number::from(u64::from(u16::from_be_bytes(self.array()?))),
            Marker::U32 => Number::from(u64::from(u32::from_be_bytes(self.array()?))),
            Marker::U64 => Number::from(u64::from_be_bytes(self.array()?)),
            Marker::I8 => Number::from(i64::from(i8::from_be_bytes(self.array()?))),
            Marker::I16 => Number::from(i64::from(i16::from_be_bytes(self.array()?))),
            Marker::I32 => Number::from(i64::from(i32::from_be_bytes(self.array()?))),
            Marker::I64 => Number::from(i64::from_be_bytes(self.array()?)),
            Marker::F32 => float(f64::from(f32::from_be_bytes(self.array()?)))?,
            Marker::F64 => float(f64::from_be_bytes(self.array()?))?,
            marker => self
                .text(marker, &Type::Number)?
                .parse()
                .map_err(|_| DecodeError::new("number required, but this is another text"))?,
        })
    }

    fn text(&mut self, marker: Marker, ty: &Type) -> Result<&'a str> {
        let bytes = self.bytes(marker, ty)?;
        std::str::from_utf8(bytes).map_err(|_| DecodeError::new("the text is not valid UTF-8"))
    }

    /// The body of a string; go's decoder takes the binary form too.
    fn bytes(&mut self, marker: Marker, ty: &Type) -> Result<&'a [u8]> {
        let length = match marker {
            Marker::FixStr(length) => usize::from(length),
            Marker::Str8 | Marker::Bin8 => self.length(1)?,
            Marker::Str16 | Marker::Bin16 => self.length(2)?,
            Marker::Str32 | Marker::Bin32 => self.length(4)?,
            _ => return Err(expected(ty, marker)),
        };
        self.take(length)
    }

    fn array_length(&mut self, marker: Marker, ty: &Type) -> Result<usize> {
        match marker {
            Marker::FixArray(length) => Ok(usize::from(length)),
            Marker::Array16 => self.length(2),
            Marker::Array32 => self.length(4),
            _ => Err(expected(ty, marker)),
        }
    }

    /// The length of an extension's type and body. Whatever its code, it stands for unknown.
    fn extension(&mut self, marker: Marker) -> Result<Option<usize>> {
        let body = match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => self.length(1)?,
            Marker::Ext16 => self.length(2)?,
            Marker::Ext32 => self.length(4)?,
            _ => return Ok(None),
        };
        body.checked_add(1).map(Some).ok_or_else(cut_short)
    }

    fn marker(&mut self) -> Result<Marker> {
        let [byte] = self.array()?;
        Ok(Marker::from_u8(byte))
    }

    /// A big-endian length of up to four bytes.
    fn length(&mut self, size: usize) -> Result<usize> {
        let bytes = self.take(size)?;
        Ok(bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk().ok_or_else(cut_short)?;
        self.rest = tail;
        Ok(*head)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(length).ok_or_else(cut_short)?;
        self.rest = tail;
        Ok(head)
    }
}

fn write(out: &mut ByteBuf, value: &Value, ty: &Type) -> Result<()> {
    match (value, ty) {
        (Value::Null, _) => done(put::write_nil(out)),
        (Value::Unknown, _) => {
            // fixext 1 with type 0 and a body of 0: what Terraform itself writes.
            out.as_mut_vec().extend_from_slice(&[0xd4, 0, 0]);
            Ok(())
        }
        (Value::Bool(value), Type::Bool) => done(put::write_bool(out, *value)),
        (Value::String(text), Type::String) => done(put::write_str(out, text)),
        (Value::Number(number), Type::Number) => match number.wire() {
            Wire::Int(value) => done(put::write_sint(out, value)),
            Wire::Float(value) => done(put::write_f64(out, value)),
            Wire::Text(text) => done(put::write_str(out, &text)),
        },
        (Value::List(elements), Type::List(element)) => {
            done(put::write_array_len(out, count(elements.len())?))?;
            elements.iter().enumerate().try_for_each(|(index, value)| {
                write(out, value, element).map_err(|error| error.within(index_step(index)))
            })
        }
        (Value::Set(elements), Type::Set(element)) => {
            done(put::write_array_len(out, count(elements.len())?))?;
            elements.iter().try_for_each(|value| write(out, value, element))
        }
        (Value::Tuple(elements), Type::Tuple(types)) => {
            if elements.len() != types.len() {
                return Err(wrong_length(types.len(), elements.len()));
            }
            done(put::write_array_len(out, count(elements.len())?))?;
            elements.iter().zip(types).enumerate().try_for_each(|(index, (value, ty))| {
                write(out, value, ty).map_err(|error| error.within(index_step(index)))
            })
        }
        (Value::Map(entries), Type::Map(element)) => {
            done(put::write_map_len(out, count(entries.len())?))?;
            entries.iter().try_for_each(|(key, value)| {
                done(put::write_str(out, key))?;
                write(out, value, element).map_err(|error| error.within(Step::Key(key.clone())))
            })
        }
        (Value::Object(attributes), Type::Object(types)) => {
            check_names(attributes, types)?;
            done(put::write_map_len(out, count(attributes.len())?))?;
            types.iter().zip(attributes).try_for_each(|((_, ty), (name, value))| {
                done(put::write_str(out, name))?;
                write(out, value, ty).map_err(|error| error.within(Step::Attribute(name.clone())))
            })
        }
        (Value::Dynamic(ty, value), Type::Dynamic) => {
            done(put::write_array_len(out, 2))?;
            done(put::write_bin(out, &json::encode_type(ty)))?;
            write(out, value, ty)
        }
        (value, ty) => Err(mismatch(value, ty)),
    }
}

/// The buffer is memory: writing to it cannot fail but for lengths beyond the format.
fn done<T, E>(result: std::result::Result<T, E>) -> Result<()> {
    result.map(|_| ()).map_err(|_| DecodeError::new("too long for its encoding"))
}

fn count(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|_| DecodeError::new("too many elements"))
}

fn cut_short() -> DecodeError {
    DecodeError::new("the bytes end inside a value")
}

fn expected(ty: &Type, marker: Marker) -> DecodeError {
    let given = match marker {
        Marker::True | Marker::False => "a bool",
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => "a string",
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => "bytes",
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => "an array",
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => "a map",
        Marker::Reserved => "a byte that MessagePack does not use",
        _ => "a number",
    };
    DecodeError::new(format!("{ty} required, but this is {given}"))
}
