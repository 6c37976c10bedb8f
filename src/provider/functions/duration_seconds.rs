//! `duration_seconds`: a duration in the provider's own notation as a number.

use crate::rotation::Period;
use crate::tfplugin::cty::{Type, Value};
use crate::tfplugin::traits::{Function, FunctionError, Parameter};

use super::{refuse, wrong_arguments};

/// `duration_seconds(duration string) number`
#[derive(Clone, Copy, Debug)]
pub struct DurationSeconds;

impl Function for DurationSeconds {
    const NAME: &'static str = "duration_seconds";
    const SUMMARY: &'static str = "The length of a duration in seconds";
    const DESCRIPTION: &'static str = "Reads a duration as this provider's arguments take it and \
        returns its length in whole seconds: the short form (`30d`, `720h`, `1m` for a minute) or \
        ISO 8601 (`P30D`, `PT12H`). A day has 24 hours. Years and months are refused, because they \
        have no fixed length.";

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "duration",
            ty: Type::String,
            description: "The duration, such as `30d` or `P30D`.",
            allow_null: false,
            allow_unknown: false,
        }]
    }

    fn returns(&self) -> Type {
        Type::Number
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [Value::String(duration)] = arguments.as_slice() else {
            return Err(wrong_arguments());
        };
        match Period::parse(duration) {
            Ok(period) => Ok(period.seconds().into()),
            Err(error) => Err(refuse(0, error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(duration: &str) -> Result<Value, FunctionError> {
        DurationSeconds.call(vec![duration.into()])
    }

    #[test]
    fn a_duration_has_a_length() {
        for (duration, seconds) in
            [("P7D", 604_800), ("PT12H", 43_200), ("30d", 2_592_000), ("1m", 60)]
        {
            assert_eq!(call(duration), Ok(seconds.into()), "{duration}");
        }
    }

    #[test]
    fn what_has_no_fixed_length_is_refused() {
        for duration in ["", "P1Y", "P1M", "-P1D", "PT0S", "soon"] {
            let error = call(duration).unwrap_err();
            assert_eq!(error.argument, Some(0), "{duration}");
            assert!(!error.text.is_empty() && !error.text.ends_with('.'), "{}", error.text);
        }
        assert!(call("P1Y").unwrap_err().text.contains("years and months have no fixed length"));
    }

    #[test]
    fn other_arguments_are_refused() {
        assert_eq!(DurationSeconds.call(vec![]).unwrap_err().argument, None);
        assert!(DurationSeconds.call(vec![Value::Null]).is_err());
    }
}
