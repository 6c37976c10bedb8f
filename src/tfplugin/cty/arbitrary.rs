//! Any type, and any value of it, for property tests.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Number, Type, Value};

/// A type and a value of it; null, unknown and typed null at any depth.
pub(crate) fn typed_value() -> impl Strategy<Value = (Type, Value)> {
    any_type().prop_flat_map(|ty| {
        let value = value_of(&ty, true);
        (Just(ty), value)
    })
}

/// The same without anything unknown or infinite: what JSON can hold.
pub(crate) fn typed_known_value() -> impl Strategy<Value = (Type, Value)> {
    any_type().prop_flat_map(|ty| {
        let value = value_of(&ty, false);
        (Just(ty), value)
    })
}

pub(crate) fn any_type() -> impl Strategy<Value = Type> {
    let leaf =
        prop_oneof![Just(Type::Bool), Just(Type::Dynamic), Just(Type::Number), Just(Type::String),];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::map),
            inner.clone().prop_map(Type::set),
            vec(inner.clone(), 0..4).prop_map(Type::Tuple),
            btree_map(any::<String>(), inner, 0..4).prop_map(Type::Object),
        ]
    })
}

pub(crate) fn any_number() -> impl Strategy<Value = Number> {
    let decimal = ("-?[0-9]{1,30}(\\.[0-9]{1,30})?", -400_i32..400).prop_map(|(mantissa, e)| {
        format!("{mantissa}e{e}").parse().expect("a decimal text is a number")
    });
    let float = any::<f64>().prop_filter_map("NaN", Number::from_f64_exactly);
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        float,
        decimal
    ]
}

fn value_of(ty: &Type, with_unknown: bool) -> BoxedStrategy<Value> {
    let inner = |ty: &Type| value_of(ty, with_unknown);
    let known = match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::String => any::<String>().prop_map(Value::String).boxed(),
        Type::Number => any_number()
            .prop_filter("infinite", move |number| with_unknown || number.is_finite())
            .prop_map(Value::Number)
            .boxed(),
        Type::List(ty) => vec(inner(ty), 0..4).prop_map(Value::List).boxed(),
        Type::Set(ty) => vec(inner(ty), 0..4).prop_map(Value::Set).boxed(),
        Type::Map(ty) => btree_map(any::<String>(), inner(ty), 0..4).prop_map(Value::Map).boxed(),
        Type::Tuple(types) => {
            types.iter().map(inner).collect::<Vec<_>>().prop_map(Value::Tuple).boxed()
        }
        Type::Object(types) => {
            let names: Vec<String> = types.keys().cloned().collect();
            let values = types.values().map(inner).collect::<Vec<_>>();
            values.prop_map(move |values| Value::object(names.iter().cloned().zip(values))).boxed()
        }
        Type::Dynamic => prop_oneof![
            Just(Type::String),
            Just(Type::list(Type::Number)),
            Just(Type::object([("a", Type::Bool), ("b", Type::Dynamic)])),
        ]
        .prop_flat_map(move |ty| {
            // The nesting ends here: null stands for whatever `b` would hold.
            let value = match &ty {
                Type::Object(_) => any::<bool>()
                    .prop_map(|a| Value::object([("a", Value::Bool(a)), ("b", Value::Null)]))
                    .boxed(),
                ty => value_of(ty, with_unknown),
            };
            value.prop_map(move |value| Value::Dynamic(Box::new(ty.clone()), Box::new(value)))
        })
        .boxed(),
    };
    let unknown = if with_unknown { Value::Unknown } else { Value::Null };
    prop_oneof![8 => known, 1 => Just(Value::Null), 1 => Just(unknown)].boxed()
}
