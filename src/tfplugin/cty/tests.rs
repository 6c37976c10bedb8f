//! The codec against go-cty's bytes, against itself, and against garbage.

use std::cmp::Ordering;
use std::collections::HashSet;

use proptest::prelude::*;

use super::arbitrary::{any_number, any_type, typed_known_value, typed_value};
use super::*;

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

/// The bytes stand for the value, and the value is written as these bytes.
#[track_caller]
fn check(ty: &Type, value: &Value, bytes: &[u8]) {
    assert_eq!(msgpack::encode(value, ty).unwrap(), bytes, "encoded");
    assert_eq!(&msgpack::decode(bytes, ty).unwrap(), value, "decoded");
}

#[track_caller]
fn check_decode(ty: &Type, bytes: &[u8], value: &Value) {
    assert_eq!(&msgpack::decode(bytes, ty).unwrap(), value);
}

#[track_caller]
fn refuse(ty: &Type, bytes: &[u8], message: &str) {
    assert_eq!(msgpack::decode(bytes, ty).unwrap_err().to_string(), message);
}

#[track_caller]
fn refuse_json(ty: &Type, json: &str, message: &str) {
    assert_eq!(json::decode(json.as_bytes(), ty).unwrap_err().to_string(), message);
}

fn text_bytes(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xa0 | u8::try_from(text.len()).unwrap()];
    bytes.extend(text.as_bytes());
    bytes
}

#[test]
fn numbers_travel_as_terraform_sends_them() {
    let check = |text: &str, bytes: &[u8]| {
        check(&Type::Number, &Value::Number(number(text)), bytes);
    };
    check("0", &[0x00]);
    check("127", &[0x7f]);
    check("128", &[0xcc, 0x80]);
    check("-1", &[0xff]);
    check("-33", &[0xd0, 0xdf]);
    check("65536", &[0xce, 0, 1, 0, 0]);
    check("9223372036854775807", &[0xcf, 0x7f, 255, 255, 255, 255, 255, 255, 255]);
    check("-9223372036854775808", &[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    check("1.5", &[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
    check("0.1", &text_bytes("0.1"));
    check("18446744073709551615", &text_bytes("18446744073709551615"));
    check("1e30", &text_bytes("1000000000000000000000000000000"));
    check("-0.30", &text_bytes("-0.3"));
}

#[test]
fn every_number_form_is_understood() {
    let check = |bytes: &[u8], text: &str| {
        check_decode(&Type::Number, bytes, &Value::Number(number(text)));
    };
    check(&[0xcc, 7], "7");
    check(&[0xcd, 1, 0], "256");
    check(&[0xcf, 255, 255, 255, 255, 255, 255, 255, 255], "18446744073709551615");
    check(&[0xd0, 0xff], "-1");
    check(&[0xd1, 0xff, 0xfe], "-2");
    check(&[0xd2, 0xff, 0xff, 0xff, 0xfd], "-3");
    check(&[0xca, 0x3f, 0xc0, 0, 0], "1.5");
    check(&[0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0], "2");
    check(&text_bytes("12.50e1"), "125");
    refuse(&Type::Number, &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], "not a number (NaN)");
    refuse(&Type::Number, &text_bytes("secret"), "number required, but this is another text");
}

#[test]
fn infinity_travels_as_a_float() {
    for value in [f64::INFINITY, f64::NEG_INFINITY] {
        let mut bytes = vec![0xcb];
        bytes.extend(value.to_be_bytes());
        let number = Number::from_f64(value).unwrap();
        assert_eq!(number.as_f64().to_bits(), value.to_bits());
        assert_eq!(number.as_i64(), None);
        check(&Type::Number, &Value::Number(number), &bytes);
    }
}

#[test]
fn a_float_keeps_every_bit() {
    // 2^-60 has 44 significant decimal digits and is exact in binary.
    let tiny = 2_f64.powi(-60);
    let mut bytes = vec![0xcb];
    bytes.extend(tiny.to_be_bytes());
    let value = msgpack::decode(&bytes, &Type::Number).unwrap();
    assert_eq!(msgpack::encode(&value, &Type::Number).unwrap(), bytes);
    // What a Rust author means by 0.1 is a tenth, as Terraform has it.
    assert_eq!(Number::from_f64(0.1), Some(number("0.1")));
}

#[test]
fn numbers_are_equal_by_value() {
    let equal = ["1", "1.0", "10e-1", "0.1E1", "1e0", "100000e-5", "01"];
    assert_eq!(equal.iter().map(|text| number(text)).collect::<HashSet<_>>().len(), 1);
    assert_eq!(number("-0"), number("0e99999999"));
    assert_ne!(number("0.1"), number("0.10000000000000000000000000000001"));
    for garbage in
        ["", "-", "1.", ".5", "1e", "1e+", "+1", " 1", "0x10", "1_0", "NaN", "1e999999999"]
    {
        assert_eq!(garbage.parse::<Number>(), Err(NotANumber), "{garbage:?}");
    }
}

#[test]
fn numbers_are_ordered_by_value() {
    let sorted = [
        "-1e50", "-12.1", "-12", "-1.5", "-0.1", "0", "0.01", "0.1", "0.11", "1", "9", "10", "1e50",
    ];
    for (left, a) in sorted.iter().enumerate() {
        for (right, b) in sorted.iter().enumerate() {
            assert_eq!(number(a).cmp(&number(b)), left.cmp(&right), "{a} and {b}");
        }
    }
    let infinite = Number::from_f64(f64::NEG_INFINITY).unwrap();
    assert_eq!(infinite.cmp(&number("-1e50")), Ordering::Less);
}

#[test]
fn numbers_print_plainly_within_reason() {
    for (text, shown) in [
        ("1e3", "1000"),
        ("-1.50", "-1.5"),
        ("1e-3", "0.001"),
        ("12345e-2", "123.45"),
        ("1.5e500", "1.5e500"),
        ("1e-500", "1e-500"),
    ] {
        assert_eq!(number(text).to_string(), shown);
    }
}

#[test]
fn unknown_is_any_extension() {
    check(&Type::String, &Value::Unknown, &[0xd4, 0, 0]);
    // "arn:aws:${unknown}", as Terraform 1.11 sends it: refined, not null, with its prefix.
    let mut refined = vec![0xc7, 12, 12, 0x82, 0x01, 0xc2, 0x02];
    refined.extend(text_bytes("arn:aws:"));
    refined[1] = u8::try_from(refined.len() - 3).unwrap();
    check_decode(&Type::String, &refined, &Value::Unknown);
    for bytes in
        [&[0xc7, 0, 0][..], &[0xd5, 5, 1, 2], &[0xc8, 0, 1, 9, 9], &[0xc9, 0, 0, 0, 1, 9, 9]]
    {
        check_decode(&Type::list(Type::Bool), bytes, &Value::Unknown);
    }
    refuse(&Type::String, &[0xc9, 255, 255, 255, 255, 0], "the bytes end inside a value");
}

#[test]
fn dynamic_values_carry_their_type() {
    let dynamic = |ty: Type, value| Value::Dynamic(Box::new(ty), Box::new(value));
    let mut bytes = vec![0x92, 0xc4, 8];
    bytes.extend(b"\"string\"");
    bytes.extend(text_bytes("x"));
    check(&Type::Dynamic, &dynamic(Type::String, "x".into()), &bytes);
    let mut null = vec![0x92, 0xc4, 6];
    null.extend(b"\"bool\"");
    null.push(0xc0);
    check(&Type::Dynamic, &dynamic(Type::Bool, Value::Null), &null);
    check(&Type::Dynamic, &Value::Null, &[0xc0]);
    check(&Type::Dynamic, &Value::Unknown, &[0xd4, 0, 0]);
    // Other writers send the type as text.
    let mut text = vec![0x92];
    text.extend(text_bytes("\"string\""));
    text.extend(text_bytes("x"));
    check_decode(&Type::Dynamic, &text, &dynamic(Type::String, "x".into()));
    refuse(&Type::Dynamic, &[0x91, 0xc0], "a dynamic value must be a type and a value");
}

#[test]
fn containers_travel_as_arrays_and_maps() {
    let two = vec![Value::from("a"), Value::Null];
    check(&Type::list(Type::String), &Value::List(two.clone()), &[0x92, 0xa1, b'a', 0xc0]);
    check(&Type::set(Type::String), &Value::Set(two), &[0x92, 0xa1, b'a', 0xc0]);
    check(
        &Type::Tuple(vec![Type::Bool, Type::Number]),
        &Value::Tuple(vec![Value::Bool(true), 1.into()]),
        &[0x92, 0xc3, 0x01],
    );
    check(
        &Type::map(Type::Bool),
        &Value::Map([("k".to_owned(), Value::Bool(false))].into()),
        &[0x81, 0xa1, b'k', 0xc2],
    );
    let object = Type::object([("a", Type::Bool), ("b", Type::String)]);
    let value = Value::object([("a", Value::Null), ("b", Value::Unknown)]);
    check(&object, &value, &[0x82, 0xa1, b'a', 0xc0, 0xa1, b'b', 0xd4, 0, 0]);
    check_decode(&object, &[0x82, 0xa1, b'b', 0xd4, 0, 0, 0xa1, b'a', 0xc0], &value);
    check_decode(&object, &[0xc0], &Value::Null);
}

fn rules() -> Type {
    Type::object([(
        "access_rules",
        Type::list(Type::object([("method", Type::String), ("tags", Type::map(Type::Bool))])),
    )])
}

#[test]
fn errors_name_the_place_and_no_value() {
    let rules = rules();
    let with = |inner: &[u8]| {
        let mut bytes = vec![0x81];
        bytes.extend(text_bytes("access_rules"));
        bytes.push(0x91);
        bytes.extend(inner);
        bytes
    };
    let mut wrong = vec![0x82];
    wrong.extend(text_bytes("method"));
    wrong.push(0xc3);
    refuse(&rules, &with(&wrong), "access_rules[0].method: string required, but this is a bool");
    let mut tags = vec![0x82];
    tags.extend(text_bytes("tags"));
    tags.extend([0x81, 0xa1, b'k', 0x01]);
    refuse(
        &rules,
        &with(&tags),
        "access_rules[0].tags[\"k\"]: bool required, but this is a number",
    );
    let mut missing = vec![0x81];
    missing.extend(text_bytes("tags"));
    missing.push(0x80);
    refuse(&rules, &with(&missing), "access_rules[0].method: the attribute is missing");
    let mut more = vec![0x81];
    more.extend(text_bytes("more"));
    more.push(0xc0);
    refuse(&rules, &with(&more), "access_rules[0].more: the schema has no such attribute");
    refuse(&Type::Bool, &[0xc3, 0xc3, 0xc3], "2 bytes too many after the value");
    refuse(&Type::Bool, &[], "the bytes end inside a value");
    refuse(
        &Type::map(Type::Bool),
        &[0x82, 0xa1, b'k', 0xc3, 0xa1, b'k', 0xc3],
        "[\"k\"]: given twice",
    );
    refuse(
        &Type::Tuple(vec![Type::Bool]),
        &[0x92, 0xc3, 0xc3],
        "a tuple of 1 elements required, but this has 2",
    );
    refuse(&Type::String, &[0xa1, 0xff], "the text is not valid UTF-8");
}

#[test]
fn a_value_of_another_type_is_not_written() {
    let refuse = |value: Value, ty: &Type, message: &str| {
        assert_eq!(msgpack::encode(&value, ty).unwrap_err().to_string(), message);
        assert_eq!(json::encode(&value, ty).unwrap_err().to_string(), message);
    };
    let rule = |method: Value| {
        let rule = Value::object([("method", method), ("tags", Value::Null)]);
        Value::object([("access_rules", Value::List(vec![rule]))])
    };
    refuse(
        rule(Value::Bool(true)),
        &rules(),
        "access_rules[0].method: string required, but this is a bool",
    );
    refuse(Value::object([("b", Value::Null)]), &rules(), "b: the schema has no such attribute");
    refuse(Value::object::<&str>([]), &rules(), "access_rules: the attribute is missing");
    refuse("x".into(), &Type::Dynamic, "any type required, but this is a string");
}

#[test]
fn json_keeps_every_digit() {
    let ty = Type::list(Type::Number);
    let json = "[0.1,123456789012345678901234567890.123456789,1.5e500]";
    let value = json::decode(json.as_bytes(), &ty).unwrap();
    assert_eq!(String::from_utf8(json::encode(&value, &ty).unwrap()).unwrap(), json);
    let quoted = json::decode(b"[\"0.1\", 1E2, -0.0]", &ty).unwrap();
    let numbers = ["0.1", "100", "0"].map(|text| Value::Number(number(text)));
    assert_eq!(quoted, Value::List(numbers.into()));
}

#[test]
fn json_dynamic_values_carry_their_type() {
    let value = Value::object([("a", Value::from("x")), ("b", Value::List(vec![1.into()]))]);
    let json = json::encode(&value.clone().into_dynamic(), &Type::Dynamic).unwrap();
    assert_eq!(
        String::from_utf8(json.clone()).unwrap(),
        r#"{"type":["object",{"a":"string","b":["list","number"]}],"value":{"a":"x","b":[1]}}"#
    );
    assert_eq!(json::decode(&json, &Type::Dynamic).unwrap(), value.into_dynamic());
}

#[test]
fn json_errors_name_the_place_and_no_value() {
    refuse_json(
        &rules(),
        r#"{"access_rules":[{"method":["hunter2"],"tags":null}]}"#,
        "access_rules[0].method: string required, but this is an array",
    );
    refuse_json(
        &rules(),
        r#"{"access_rules":[{"method":null,"tags":{"k":"hunter2"}}]}"#,
        "access_rules[0].tags[\"k\"]: bool required, but this is a string",
    );
    refuse_json(&rules(), "{}", "access_rules: the attribute is missing");
    refuse_json(&rules(), r#"{"x":1,"access_rules":null}"#, "x: the schema has no such attribute");
    refuse_json(&Type::Bool, "true true", "not valid JSON at line 1 column 6");
    refuse_json(&Type::Number, r#""hunter2""#, "number required, but this is another text");
    refuse_json(&Type::Dynamic, "1", "a dynamic value must be an object with type and value");
    assert!(json::encode(&Value::Unknown, &Type::Bool).is_err());
    assert!(json::encode(&Number::from_f64(f64::INFINITY).unwrap().into(), &Type::Number).is_err());
}

#[test]
fn a_lenient_reader_forgives_other_attributes() {
    let json = br#"{"gone":{"x":1},"access_rules":[{"method":"GET","other":true}]}"#;
    let rule = Value::object([("method", "GET".into()), ("tags", Value::Null)]);
    let value = Value::object([("access_rules", Value::List(vec![rule]))]);
    assert_eq!(json::decode_lenient(json, &rules()).unwrap(), value);
    let error = json::decode_lenient(br#"{"access_rules":true}"#, &rules()).unwrap_err();
    assert_eq!(error.to_string(), "access_rules: list of object required, but this is a bool");
}

#[test]
fn types_have_a_json_form() {
    let check = |ty: Type, json: &str| {
        assert_eq!(String::from_utf8(json::encode_type(&ty)).unwrap(), json);
        assert_eq!(json::decode_type(json.as_bytes()).unwrap(), ty);
    };
    check(Type::Dynamic, r#""dynamic""#);
    check(Type::set(Type::list(Type::String)), r#"["set",["list","string"]]"#);
    check(
        Type::object([("a", Type::Bool), ("b\"", Type::map(Type::Number))]),
        r#"["object",{"a":"bool","b\"":["map","number"]}]"#,
    );
    check(Type::Tuple(vec![Type::Bool, Type::Tuple(vec![])]), r#"["tuple",["bool",["tuple",[]]]]"#);
    assert_eq!(
        json::decode_type(br#"["object",{"a":"bool"},["a"]]"#).unwrap(),
        Type::object([("a", Type::Bool)])
    );
    for garbage in ["", "1", r#""str""#, r#"["list"]"#, r#"["list","bool","bool"]"#, r#"["map",1]"#]
    {
        assert!(json::decode_type(garbage.as_bytes()).is_err(), "{garbage}");
    }
}

#[test]
fn depth_is_bounded() {
    let mut bytes = Vec::new();
    for _ in 0..100_000 {
        bytes.extend([0x92, 0xc4, 9]);
        bytes.extend(b"\"dynamic\"");
    }
    refuse(&Type::Dynamic, &bytes, "nested deeper than 100 levels");
    let open = r#"{"type":"dynamic","value":"#.repeat(100_000);
    assert!(json::decode(open.as_bytes(), &Type::Dynamic).is_err());
    let open = r#"{"type":"dynamic","value":"#.repeat(120);
    let nested = format!("{open}null{}", "}".repeat(120));
    refuse_json(&Type::Dynamic, &nested, "nested deeper than 100 levels");
    let ty = "[\"list\",".repeat(100_000);
    assert!(json::decode_type(ty.as_bytes()).is_err());
    let ty = format!("{}\"bool\"{}", "[\"list\",".repeat(110), "]".repeat(110));
    assert!(json::decode_type(ty.as_bytes()).is_err());
}

#[test]
fn an_array_that_lies_about_its_length_costs_nothing() {
    refuse(
        &Type::list(Type::Bool),
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        "[0]: the bytes end inside a value",
    );
    refuse(&Type::map(Type::Bool), &[0xdf, 0xff, 0xff, 0xff, 0xff], "the bytes end inside a value");
}

#[test]
fn sets_are_equal_by_content() {
    let set = |texts: &[&str]| Value::Set(texts.iter().map(|&text| text.into()).collect());
    assert_eq!(set(&["a", "b"]), set(&["b", "a"]));
    assert_ne!(set(&["a", "b"]), set(&["a", "a"]));
    assert_ne!(set(&["a"]), set(&["a", "b"]));
    assert_ne!(set(&["a"]), Value::List(vec!["a".into()]));
}

#[test]
fn null_and_unknown_are_seen_through_a_dynamic_type() {
    let typed = |value| Value::Dynamic(Box::new(Type::String), Box::new(value));
    assert!(typed(Value::Null).is_null() && !typed(Value::Null).is_unknown());
    assert!(typed(Value::Unknown).is_unknown() && !typed(Value::Unknown).is_wholly_known());
    assert!(!Value::List(vec![Value::object([("a", Value::Unknown)])]).is_wholly_known());
    assert!(Value::List(vec![Value::Null]).is_wholly_known());
}

proptest! {
    #[test]
    fn any_value_survives_msgpack((ty, value) in typed_value()) {
        let bytes = msgpack::encode(&value, &ty).unwrap();
        let decoded = msgpack::decode(&bytes, &ty).unwrap();
        prop_assert_eq!(&decoded, &value);
        prop_assert_eq!(msgpack::encode(&decoded, &ty).unwrap(), bytes);
    }

    #[test]
    fn any_known_value_survives_json((ty, value) in typed_known_value()) {
        let bytes = json::encode(&value, &ty).unwrap();
        prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok());
        prop_assert_eq!(&json::decode(&bytes, &ty).unwrap(), &value);
        prop_assert_eq!(&json::decode_lenient(&bytes, &ty).unwrap(), &value);
    }

    #[test]
    fn any_type_survives_json(ty in any_type()) {
        prop_assert_eq!(json::decode_type(&json::encode_type(&ty)).unwrap(), ty);
    }

    #[test]
    fn any_number_is_itself(number in any_number()) {
        prop_assert_eq!(&number.to_string().parse::<Number>().ok(), &number.is_finite().then(|| number.clone()));
        prop_assert_eq!(number.cmp(&number), Ordering::Equal);
        if let Some(int) = number.as_i64() {
            prop_assert_eq!(&Number::from(int), &number);
        }
    }

    #[test]
    fn numbers_order_as_floats_do(a in any::<f64>(), b in any::<f64>()) {
        if let (Some(x), Some(y)) = (Number::from_f64_exactly(a), Number::from_f64_exactly(b)) {
            prop_assert_eq!(Some(x.cmp(&y)), a.partial_cmp(&b));
            prop_assert_eq!((x.as_f64(), y.as_f64()), (a, b));
        }
    }

    #[test]
    fn foreign_bytes_never_panic(ty in any_type(), bytes in any::<Vec<u8>>()) {
        if let Ok(value) = msgpack::decode(&bytes, &ty) {
            prop_assert!(msgpack::encode(&value, &ty).is_ok());
        }
        let _ = json::decode(&bytes, &ty);
        let _ = json::decode_type(&bytes);
    }

    #[test]
    fn damaged_bytes_never_panic(
        (ty, value) in typed_value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = msgpack::encode(&value, &ty).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(value) = msgpack::decode(&bytes, &ty) {
            prop_assert!(msgpack::encode(&value, &ty).is_ok());
        }
    }
}
