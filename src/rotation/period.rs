//! A positive length of time as an operator writes it: `P30D`, `PT12H`, `30d`, `720h`, `1m` (a minute).
//! No years and no months: they have no fixed length.

use std::fmt;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Unit};

/// A positive, whole number of seconds. A day is 24 hours, a week is 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(i64);

/// Why a text is no [`Period`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    #[error("a fraction of a second cannot be kept; write whole seconds")]
    Fraction,
    #[error("it is longer than 10,000 years")]
    TooLong,
    #[error(
        "years and months have no fixed length; write days, such as P365D or 90d \
         (a minute is PT1M or 1m)"
    )]
    NoFixedLength,
    #[error("a duration must be longer than zero")]
    NotPositive,
    #[error(
        "it is not a duration; write ISO 8601, such as P30D, PT12H or P1DT6H, or the short form, \
         such as 30d, 12h or 1d6h"
    )]
    Unreadable,
}

impl Period {
    /// Reads ISO 8601 (`P30D`) or the short form (`30d`).
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        let span: Span = text.trim().parse().map_err(|_| unreadable(text))?;
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(PeriodError::NoFixedLength);
        }
        if !span.is_positive() {
            return Err(PeriodError::NotPositive);
        }
        let total = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| PeriodError::TooLong)?;
        if total.subsec_nanos() != 0 {
            return Err(PeriodError::Fraction);
        }
        Self::from_seconds(total.as_secs()).ok_or(PeriodError::TooLong)
    }

    /// From 1 second to 10,000 years.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        const LONGEST: i64 = 10_000 * 366 * 86_400;
        (1..=LONGEST).contains(&seconds).then_some(Self(seconds))
    }

    pub fn seconds(self) -> i64 {
        self.0
    }

    /// `instant` + this, or the end of time.
    pub fn after(self, instant: Timestamp) -> Timestamp {
        instant.checked_add(SignedDuration::from_secs(self.0)).unwrap_or(Timestamp::MAX)
    }

    /// `instant` - this, or the beginning of time.
    pub fn before(self, instant: Timestamp) -> Timestamp {
        instant.checked_sub(SignedDuration::from_secs(self.0)).unwrap_or(Timestamp::MIN)
    }

    /// The sum, or the longest period there is.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::from_seconds(self.0 + other.0).unwrap_or(self)
    }

    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0.unsigned_abs())
    }
}

/// A number that is too large is no slip of the form: with fewer digits it could be read.
fn unreadable(text: &str) -> PeriodError {
    const DIGITS: usize = 4;
    let mut run = 0;
    let shorter: String = text
        .chars()
        .filter(|c| {
            run = if c.is_ascii_digit() { run + 1 } else { 0 };
            run <= DIGITS
        })
        .collect();
    let too_long = shorter != text && shorter.trim().parse::<Span>().is_ok();
    if too_long { PeriodError::TooLong } else { PeriodError::Unreadable }
}

impl fmt::Display for Period {
    /// ISO 8601, in days, hours, minutes and seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = Span::new()
            .seconds(self.0)
            .round(
                jiff::SpanRound::new()
                    .largest(Unit::Day)
                    .relative(SpanRelativeTo::days_are_24_hours()),
            )
            .map_err(|_| fmt::Error)?;
        write!(f, "{span}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // A table of values reads better than one of references.
    #[allow(clippy::needless_pass_by_value)]
    #[track_caller]
    fn check(text: &str, expected: &Result<i64, PeriodError>) {
        assert_eq!(Period::parse(text).map(Period::seconds), *expected, "{text}");
    }

    #[test]
    fn both_forms_are_read() {
        check("P30D", &Ok(2_592_000));
        check("PT12H", &Ok(43_200));
        check("P1DT6H", &Ok(108_000));
        check("P2W", &Ok(1_209_600));
        check("30d", &Ok(2_592_000));
        check("720h", &Ok(2_592_000));
        check("1m", &Ok(60));
        check("PT1M", &Ok(60));
        check(" 1h30m ", &Ok(5_400));
        check("30 days", &Ok(2_592_000));
    }

    #[test]
    fn what_is_no_period_says_why() {
        check("P1M", &Err(PeriodError::NoFixedLength));
        check("P1Y", &Err(PeriodError::NoFixedLength));
        check("1mo", &Err(PeriodError::NoFixedLength));
        check("2y", &Err(PeriodError::NoFixedLength));
        check("PT0S", &Err(PeriodError::NotPositive));
        check("-P1D", &Err(PeriodError::NotPositive));
        check("1d ago", &Err(PeriodError::NotPositive));
        check("PT0.5S", &Err(PeriodError::Fraction));
        check("200ms", &Err(PeriodError::Fraction));
        for text in ["99999999999999d", "P99999999999999D", "4000000d", "99999999999999999999s"] {
            check(text, &Err(PeriodError::TooLong));
        }
        for text in ["", "P", "30", "soon", "P30", "30x"] {
            check(text, &Err(PeriodError::Unreadable));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in 1_i64..=10_000_000_000) {
            let period = Period::from_seconds(seconds).unwrap();
            prop_assert_eq!(Period::parse(&period.to_string()), Ok(period));
        }

        #[test]
        fn foreign_text_never_panics(text in ".{0,40}") {
            let _ = Period::parse(&text);
        }

        #[test]
        fn arithmetic_stays_in_time(seconds in 1_i64..=315_576_000_000, at in any::<i64>()) {
            let period = Period::from_seconds(seconds).unwrap();
            let instant = Timestamp::from_second(at % 200_000_000_000).unwrap();
            prop_assert!(period.after(instant) > instant);
            prop_assert!(period.before(instant) < instant);
        }
    }
}
