//! A number without loss: Terraform's numbers have 512 bits of precision, an `f64` has 53.
//! Not for arithmetic.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An exact decimal number. Equality, order and hash are by value: `1.0` equals `1` and `10e-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Repr);

/// Always in the one canonical form of its value, so that derived equality is equality by value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    /// `0.DIGITS * 10^point`; the digits neither begin nor end with 0, and zero has none.
    Finite {
        negative: bool,
        digits: String,
        point: i64,
    },
    Infinite {
        negative: bool,
    },
}

/// How a number travels in `MessagePack`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wire {
    Float(f64),
    Int(i64),
    Text(String),
}

/// A text that is not a decimal number. Holds no part of the text: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotANumber;

/// Beyond this many digits before or after the point a number is written with an exponent.
const PLAIN_DIGITS: i64 = 400;

/// go's big floats end near here; a larger exponent is garbage.
const MAX_EXPONENT: i64 = 600_000_000;

impl Number {
    /// The value as a whole number, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.whole()?.parse().ok()
    }

    /// The value as a whole number that is not negative, if it is one and fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.whole()?.parse().ok()
    }

    /// The nearest `f64`; what is too large becomes infinite.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Infinite { negative: false } => f64::INFINITY,
            Repr::Infinite { negative: true } => f64::NEG_INFINITY,
            Repr::Finite { digits, .. } if digits.is_empty() => 0.0,
            Repr::Finite { negative, digits, point } => {
                let sign = if *negative { "-" } else { "" };
                // Rust reads every decimal text; the fallback cannot be reached.
                format!("{sign}0.{digits}e{point}").parse().unwrap_or(f64::NAN)
            }
        }
    }

    /// The shortest decimal that reads back as `value`, which is what whoever wrote `0.1` means.
    /// None for NaN.
    pub fn from_f64(value: f64) -> Option<Self> {
        Self::from_float_text(value, |value| format!("{value:e}"))
    }

    /// All digits of `value`, as a peer means that sends the binary form. None for NaN.
    pub(super) fn from_f64_exactly(value: f64) -> Option<Self> {
        // 1074 fraction digits are enough for the smallest subnormal.
        Self::from_float_text(value, |value| format!("{value:.1074}"))
    }

    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Finite { digits, point, .. } => {
                i64::try_from(digits.len()).is_ok_and(|length| length <= *point)
                    || digits.is_empty()
            }
            Repr::Infinite { .. } => false,
        }
    }

    pub fn is_finite(&self) -> bool {
        matches!(self.0, Repr::Finite { .. })
    }

    /// go-cty's choice: an integer where exact, else a float where exact and not whole, else text.
    pub(super) fn wire(&self) -> Wire {
        if let Some(int) = self.as_i64() {
            return Wire::Int(int);
        }
        match &self.0 {
            Repr::Infinite { .. } => Wire::Float(self.as_f64()),
            // A fraction that binary can hold ends in 5, and none has more digits than this.
            Repr::Finite { digits, .. } if digits.ends_with('5') && digits.len() < 800 => {
                let float = self.as_f64();
                if !self.is_integer() && Self::from_f64_exactly(float).as_ref() == Some(self) {
                    Wire::Float(float)
                } else {
                    Wire::Text(self.to_string())
                }
            }
            Repr::Finite { .. } => Wire::Text(self.to_string()),
        }
    }

    /// The text of a whole number that is small enough for 64 bits.
    fn whole(&self) -> Option<String> {
        match &self.0 {
            Repr::Finite { point, .. } if *point <= 20 && self.is_integer() => {
                Some(self.to_string())
            }
            _ => None,
        }
    }

    fn whole_number(negative: bool, magnitude: u64) -> Self {
        if magnitude == 0 {
            return Self(Repr::Finite { negative: false, digits: String::new(), point: 0 });
        }
        let mut digits = magnitude.to_string();
        let point = i64::from(magnitude.ilog10()) + 1;
        digits.truncate(digits.trim_end_matches('0').len());
        Self(Repr::Finite { negative, digits, point })
    }

    fn from_float_text(value: f64, text: impl Fn(f64) -> String) -> Option<Self> {
        if value.is_nan() {
            None
        } else if value.is_infinite() {
            Some(Self(Repr::Infinite { negative: value < 0.0 }))
        } else {
            text(value).parse().ok()
        }
    }

    fn order_key(&self) -> (i8, i8) {
        match &self.0 {
            Repr::Infinite { negative: true } => (-1, 1),
            Repr::Infinite { negative: false } => (1, 1),
            Repr::Finite { digits, .. } if digits.is_empty() => (0, 0),
            Repr::Finite { negative: true, .. } => (-1, 0),
            Repr::Finite { negative: false, .. } => (1, 0),
        }
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    /// Reads `-12.5e+3` and the like: what JSON and go write. Spaces and `+12` are refused.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(NotANumber);
        }
        if let Some(exponent) = exponent
            && !all_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
        {
            return Err(NotANumber);
        }

        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self(Repr::Finite { negative: false, digits: String::new(), point: 0 }));
        }
        let exponent: i64 =
            exponent.map_or(Ok(0), |exponent| exponent.parse().map_err(|_| NotANumber))?;
        if exponent.abs() > MAX_EXPONENT {
            return Err(NotANumber);
        }
        let offset = |length: usize| i64::try_from(length).map_err(|_| NotANumber);
        let point = offset(whole.len())? - offset(leading)? + exponent;
        Ok(Self(Repr::Finite { negative, digits: significant.to_owned(), point }))
    }
}

impl fmt::Display for Number {
    /// Plain decimal; with an exponent only where that would be hundreds of digits. Valid JSON for
    /// every finite number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, digits, point) = match &self.0 {
            Repr::Infinite { negative } => {
                return f.write_str(if *negative { "-Infinity" } else { "Infinity" });
            }
            Repr::Finite { digits, .. } if digits.is_empty() => return f.write_str("0"),
            Repr::Finite { negative, digits, point } => (*negative, digits.as_str(), *point),
        };
        if negative {
            f.write_str("-")?;
        }
        let zeros = |f: &mut fmt::Formatter<'_>, count: usize| {
            (0..count).try_for_each(|_| f.write_str("0"))
        };
        match usize::try_from(point.unsigned_abs()) {
            Ok(distance) if point.abs() <= PLAIN_DIGITS => {
                if point <= 0 {
                    f.write_str("0.")?;
                    zeros(f, distance)?;
                    f.write_str(digits)
                } else if distance >= digits.len() {
                    f.write_str(digits)?;
                    zeros(f, distance - digits.len())
                } else {
                    let (whole, fraction) = digits.split_at(distance);
                    write!(f, "{whole}.{fraction}")
                }
            }
            _ => {
                let (first, rest) = digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                write!(f, "{first}{dot}{rest}e{}", point - 1)
            }
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let (sign, infinite) = self.order_key();
        let (other_sign, other_infinite) = other.order_key();
        let magnitude = || match (&self.0, &other.0) {
            // Digits have no zeros at either end, so their order as text is their order as value.
            (
                Repr::Finite { digits, point, .. },
                Repr::Finite { digits: other_digits, point: other_point, .. },
            ) => point.cmp(other_point).then_with(|| digits.cmp(other_digits)),
            _ => infinite.cmp(&other_infinite),
        };
        sign.cmp(&other_sign).then_with(
            || {
                if sign < 0 { magnitude().reverse() } else { magnitude() }
            },
        )
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::whole_number(value < 0, value.unsigned_abs())
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::whole_number(false, value)
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self::from(i64::from(value))
    }
}
