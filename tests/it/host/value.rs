//! Values and types as the host sees them: a model of its own, so that the provider's codec is
//! never checked against itself. Not for speed.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A cty type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    Bool,
    Dynamic,
    List(Box<Ty>),
    Map(Box<Ty>),
    Number,
    Object(BTreeMap<String, Ty>),
    Set(Box<Ty>),
    String,
    Tuple(Vec<Ty>),
}

impl Ty {
    /// Reads the JSON form: `"string"`, `["list","string"]`, `["object",{..}]`.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let json: serde_json::Value = serde_json::from_slice(json)
            .map_err(|error| format!("a type that is no JSON: {error}"))?;
        Self::from_value(&json)
    }

    fn from_value(json: &serde_json::Value) -> Result<Self, String> {
        use serde_json::Value as Json;
        let wrong = || format!("not the JSON form of a type: {json}");
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Self::Bool),
                "dynamic" => Ok(Self::Dynamic),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                _ => Err(wrong()),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), Json::Object(members)] if kind == "object" => members
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), Self::from_value(ty)?)))
                    .collect::<Result<_, _>>()
                    .map(Self::Object),
                [Json::String(kind), Json::Array(members)] if kind == "tuple" => {
                    members.iter().map(Self::from_value).collect::<Result<_, _>>().map(Self::Tuple)
                }
                [Json::String(kind), element] => {
                    let element = || Self::from_value(element).map(Box::new);
                    match kind.as_str() {
                        "list" => element().map(Self::List),
                        "map" => element().map(Self::Map),
                        "set" => element().map(Self::Set),
                        _ => Err(wrong()),
                    }
                }
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }

    /// The JSON form.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Bool => json!("bool"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Number => json!("number"),
            Self::Object(members) => {
                let members: serde_json::Map<_, _> =
                    members.iter().map(|(name, ty)| (name.clone(), ty.to_json())).collect();
                json!(["object", members])
            }
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::String => json!("string"),
            Self::Tuple(members) => {
                json!(["tuple", members.iter().map(Self::to_json).collect::<Vec<_>>()])
            }
        }
    }

    /// Whether the type is decided by the value, here or anywhere inside.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::List(element) | Self::Map(element) | Self::Set(element) => element.has_dynamic(),
            Self::Object(members) => members.values().any(Self::has_dynamic),
            Self::Tuple(members) => members.iter().any(Self::has_dynamic),
            Self::Bool | Self::Number | Self::String => false,
        }
    }

    /// What an identity may be made of.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }
}

/// What is promised of a value that is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    pub not_null: bool,
    /// Of a string.
    pub prefix: String,
    /// Of a list, set or map.
    pub min_length: Option<i64>,
    pub max_length: Option<i64>,
}

impl Promise {
    /// Whether `value` keeps it.
    pub fn allows(&self, value: &Val) -> bool {
        match value {
            Val::Null => !self.not_null,
            Val::String(text) => text.starts_with(&self.prefix),
            Val::List(elements) | Val::Set(elements) => self.allows_length(elements.len()),
            Val::Map(elements) => self.allows_length(elements.len()),
            _ => true,
        }
    }

    fn allows_length(&self, length: usize) -> bool {
        let length = i64::try_from(length).unwrap();
        self.min_length.is_none_or(|min| length >= min)
            && self.max_length.is_none_or(|max| length <= max)
    }
}

/// A cty value of a type that is told beside it.
#[derive(Clone)]
pub enum Val {
    Bool(bool),
    /// A known, non-null value in a place of type `dynamic`.
    Dynamic(Ty, Box<Val>),
    List(Vec<Val>),
    Map(BTreeMap<String, Val>),
    Null,
    Number(Num),
    Object(BTreeMap<String, Val>),
    Set(Vec<Val>),
    String(String),
    Tuple(Vec<Val>),
    Unknown(Promise),
}

impl Val {
    pub fn unknown() -> Self {
        Self::Unknown(Promise::default())
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// The member of an object; null in a null object, unknown in an unknown one.
    pub fn member(&self, name: &str) -> Val {
        match self {
            Self::Null => Val::Null,
            Self::Unknown(_) => Val::unknown(),
            Self::Object(members) => members
                .get(name)
                .unwrap_or_else(|| panic!("no member {name:?} in {self:?}"))
                .clone(),
            other => panic!("{other:?} has no members"),
        }
    }

    /// Elements of a list, set or tuple; none of null.
    pub fn elements(&self) -> &[Val] {
        match self {
            Self::List(elements) | Self::Set(elements) | Self::Tuple(elements) => elements,
            Self::Null => &[],
            other => panic!("{other:?} has no elements"),
        }
    }

    /// Entries of a map; none of null.
    pub fn entries(&self) -> BTreeMap<String, Val> {
        match self {
            Self::Map(entries) | Self::Object(entries) => entries.clone(),
            Self::Null => BTreeMap::new(),
            other => panic!("{other:?} has no entries"),
        }
    }

    pub fn is_wholly_known(&self) -> bool {
        self.unknown_places().is_empty()
    }

    /// Where something is unknown, as text.
    pub fn unknown_places(&self) -> Vec<String> {
        let mut places = Vec::new();
        self.walk("", &mut |place, value| {
            if !value.is_known() {
                places.push(place.to_owned());
            }
        });
        places
    }

    /// Every string in it, with its place.
    pub fn strings(&self) -> Vec<(String, String)> {
        let mut strings = Vec::new();
        self.walk("", &mut |place, value| {
            if let Self::String(text) = value {
                strings.push((place.to_owned(), text.clone()));
            }
        });
        strings
    }

    /// Visits this value and all inside it.
    pub fn walk(&self, place: &str, visit: &mut dyn FnMut(&str, &Val)) {
        visit(place, self);
        match self {
            Self::Dynamic(_, value) => value.walk(place, visit),
            Self::List(elements) | Self::Tuple(elements) | Self::Set(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    element.walk(&format!("{place}[{index}]"), visit);
                }
            }
            Self::Map(entries) => {
                for (key, value) in entries {
                    value.walk(&format!("{place}[{key:?}]"), visit);
                }
            }
            Self::Object(members) => {
                for (name, value) in members {
                    value.walk(&format!("{place}.{name}"), visit);
                }
            }
            _ => {}
        }
    }

    /// Unknown parts turned into nulls, as core does before it stores what it should not have got.
    pub fn unknown_as_null(&self) -> Self {
        let each = |values: &[Val]| values.iter().map(Val::unknown_as_null).collect();
        let entries = |values: &BTreeMap<String, Val>| {
            values.iter().map(|(key, value)| (key.clone(), value.unknown_as_null())).collect()
        };
        match self {
            Self::Unknown(_) => Self::Null,
            Self::Dynamic(ty, value) => {
                Self::Dynamic(ty.clone(), Box::new(value.unknown_as_null()))
            }
            Self::List(values) => Self::List(each(values)),
            Self::Set(values) => Self::Set(each(values)),
            Self::Tuple(values) => Self::Tuple(each(values)),
            Self::Map(values) => Self::Map(entries(values)),
            Self::Object(values) => Self::Object(entries(values)),
            Self::Bool(_) | Self::Null | Self::Number(_) | Self::String(_) => self.clone(),
        }
    }
}

/// Equal but for what is promised of unknown parts; sets without order.
impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Dynamic(a_ty, a), Self::Dynamic(b_ty, b)) => a_ty == b_ty && a == b,
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Map(a), Self::Map(b)) | (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Null, Self::Null) | (Self::Unknown(_), Self::Unknown(_)) => true,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => same_elements(a, b),
            (Self::String(a), Self::String(b)) => a == b,
            _ => false,
        }
    }
}

fn same_elements(a: &[Val], b: &[Val]) -> bool {
    let mut rest: Vec<&Val> = b.iter().collect();
    a.len() == b.len()
        && a.iter().all(|element| {
            let found = rest.iter().position(|other| *other == element);
            found.map(|at| rest.swap_remove(at)).is_some()
        })
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(promise) if !promise.prefix.is_empty() => {
                write!(f, "(unknown {:?}...)", promise.prefix)
            }
            Self::Unknown(_) => f.write_str("(unknown)"),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Dynamic(_, value) => write!(f, "{value:?}"),
            Self::List(values) | Self::Tuple(values) => f.debug_list().entries(values).finish(),
            Self::Set(values) => f.debug_set().entries(values).finish(),
            Self::Map(values) | Self::Object(values) => f.debug_map().entries(values).finish(),
            Self::Number(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{text:?}"),
        }
    }
}

/// A decimal number without loss: `digits` times ten to the power of `exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Num {
    negative: bool,
    /// Neither leading nor trailing zeros; empty for zero.
    digits: String,
    exponent: i64,
}

impl Num {
    /// Reads `-12.5e3`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match rest.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exponent = power - i64::try_from(fraction.len()).ok()?;
        let kept = digits.trim_end_matches('0');
        let exponent = exponent + i64::try_from(digits.len() - kept.len()).ok()?;
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        Some(Self { negative, digits: kept.to_owned(), exponent })
    }

    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self::parse(&format!("{value:e}"))).flatten()
    }

    /// As a machine integer, where it is one.
    pub fn as_i64(&self) -> Option<i64> {
        if self.exponent < 0 || self.exponent > 20 {
            return None;
        }
        self.to_string().parse().ok()
    }

    /// As a float, only if that loses nothing and it is not an integer: what core sends as one.
    pub fn as_exact_fraction(&self) -> Option<f64> {
        let value: f64 = self.to_string().parse().ok()?;
        // Rust prints every digit that a float really has.
        let exact = Self::parse(&format!("{value:.1100}"))?;
        (self.exponent < 0 && exact == *self).then_some(value)
    }
}

impl From<i64> for Num {
    fn from(value: i64) -> Self {
        Self::parse(&value.to_string()).unwrap()
    }
}

/// Plain decimal text, never with an exponent.
impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        match self.exponent.cmp(&0) {
            Ordering::Equal => f.write_str(&self.digits),
            Ordering::Greater => {
                let zeros = "0".repeat(usize::try_from(self.exponent).unwrap());
                write!(f, "{}{zeros}", self.digits)
            }
            Ordering::Less => {
                let places = usize::try_from(-self.exponent).unwrap();
                let padded = format!("{:0>width$}", self.digits, width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(f, "{whole}.{fraction}")
            }
        }
    }
}
