//! Between the house's values and the protocol's messages. Not for anything that decides.

use crate::redaction;
use crate::tfplugin::cty::{Type, Value, json, msgpack};
use crate::tfplugin::diagnostics::{
    AttributePath, DecodeError, Diagnostic, Diagnostics, Result, Severity, Step,
};
use crate::tfplugin::proto::tfplugin6 as pb;

/// Reads a request's value. Absent is null.
pub(super) fn decode(value: Option<&pb::DynamicValue>, ty: &Type) -> Result<Value> {
    let Some(value) = value else { return Ok(Value::Null) };
    let decoded = if !value.msgpack.is_empty() {
        msgpack::decode(&value.msgpack, ty)
    } else if !value.json.is_empty() {
        json::decode(&value.json, ty)
    } else {
        return Ok(Value::Null);
    };
    decoded.map_err(|error| misfit("Value does not fit its schema", &error))
}

/// Writes an answer's value.
pub(super) fn encode(value: &Value, ty: &Type) -> Result<pb::DynamicValue> {
    let msgpack = msgpack::encode(value, ty)
        .map_err(|error| misfit("Provider answered with a value of the wrong type", &error))?;
    Ok(pb::DynamicValue { msgpack, json: Vec::new() })
}

/// What to say of a value that does not fit its type.
pub(super) fn misfit(summary: &str, error: &DecodeError) -> Diagnostics {
    let detail = format!(
        "{}. Nothing was done with it. This is a bug in the provider or in the calling Terraform; please report it",
        error.message
    );
    Diagnostic::error(summary, detail).at(error.path.clone()).into()
}

/// The protocol's form of a list of messages.
pub(super) fn diagnostics(list: Vec<Diagnostic>) -> Vec<pb::Diagnostic> {
    list.into_iter().map(diagnostic).collect()
}

fn diagnostic(diagnostic: Diagnostic) -> pb::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => pb::diagnostic::Severity::Error,
        Severity::Warning => pb::diagnostic::Severity::Warning,
    };
    pb::Diagnostic {
        severity: severity.into(),
        // Handlers keep secrets out of messages; this is the net below them, and the one place where
        // what a service, a plugin or a file said becomes harmless to a terminal.
        summary: redaction::clean_message(&diagnostic.summary).into_owned(),
        detail: redaction::clean_message(&diagnostic.detail).into_owned(),
        attribute: diagnostic.path.filter(|path| !path.steps().is_empty()).map(|p| path(&p)),
    }
}

/// The protocol's form of a path.
pub(super) fn path(path: &AttributePath) -> pb::AttributePath {
    use pb::attribute_path::step::Selector;
    let steps = path
        .steps()
        .iter()
        .map(|step| pb::attribute_path::Step {
            selector: Some(match step {
                Step::Attribute(name) => Selector::AttributeName(name.clone()),
                Step::Index(index) => Selector::ElementKeyInt(*index),
                Step::Key(key) => Selector::ElementKeyString(key.clone()),
            }),
        })
        .collect();
    pb::AttributePath { steps }
}

/// Identity data of an answer.
pub(super) fn identity(value: &Value, ty: &Type) -> Result<pb::ResourceIdentityData> {
    Ok(pb::ResourceIdentityData { identity_data: Some(encode(value, ty)?) })
}

/// The protocol's form of a moment.
pub(super) fn timestamp(moment: jiff::Timestamp) -> prost_types::Timestamp {
    let (mut seconds, mut nanos) = (moment.as_second(), moment.subsec_nanosecond());
    // The protocol's nanoseconds always count forward.
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_forward_also_before_1970() {
        let of = |text: &str| {
            let moment = timestamp(text.parse().unwrap());
            (moment.seconds, moment.nanos)
        };
        assert_eq!(of("1970-01-01T00:00:01.25Z"), (1, 250_000_000));
        assert_eq!(of("1969-12-31T23:59:58.75Z"), (-2, 750_000_000));
    }

    #[test]
    fn a_message_about_everything_points_nowhere() {
        let told = diagnostics(vec![
            Diagnostic::error("a", "b").at(AttributePath::root()),
            Diagnostic::warning("c", "d").at_attribute("x"),
        ]);
        assert_eq!(told[0].attribute, None);
        assert_eq!(told[1].attribute.as_ref().unwrap().steps.len(), 1);
        assert_eq!((told[0].severity, told[1].severity), (1, 2));
    }

    #[test]
    fn a_long_secret_does_not_reach_the_operator_either() {
        crate::redaction::register("wire-tests-a-long-secret");
        let told = diagnostics(vec![Diagnostic::error("s", "see wire-tests-a-long-secret")]);
        assert_eq!(told[0].detail, "see (redacted)");
    }

    #[test]
    fn absent_and_empty_values_are_null() {
        assert_eq!(decode(None, &Type::Bool), Ok(Value::Null));
        assert_eq!(decode(Some(&pb::DynamicValue::default()), &Type::Bool), Ok(Value::Null));
    }
}
