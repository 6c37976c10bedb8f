//! The cloud's clock, as the `Date` of its answers shows it: what is due and what has expired is Keystone's to say, and
//! the machine of a pipeline may be hours off. Not for waiting, and not for anything finer than a minute: the header
//! has whole seconds, and an answer takes its time.

use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::DATE;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use crate::clock;

/// Clocks that differ by no more than this are taken for the same.
pub(super) const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// How far the cloud's clock is ahead of this machine's, once an answer has told.
#[derive(Debug, Default)]
pub(super) struct CloudClock(Mutex<Option<SignedDuration>>);

impl CloudClock {
    /// Takes in what an answer says; one without a date, or with one that cannot be read, says nothing.
    pub(super) fn hear(&self, headers: &HeaderMap) {
        let Some(date) = headers.get(DATE).and_then(|value| value.to_str().ok()).and_then(read)
        else {
            return;
        };
        let ahead = clock::of_cloud(date).duration_since(clock::now());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
    }

    /// None where no answer has told, or where the clocks agree.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        let ahead = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.filter(|ahead| ahead.abs() > TOLERANCE)
    }

    /// The present time in the cloud; this machine's where it is not known, or the same.
    pub(super) fn now(&self) -> Timestamp {
        let ahead = self.ahead().unwrap_or_default();
        clock::now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }
}

fn read(date: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use jiff::fmt::rfc2822::DateTimePrinter;

    use super::*;

    fn heard(date: &str) -> CloudClock {
        let clock = CloudClock::default();
        clock.hear(&HeaderMap::from_iter([(DATE, HeaderValue::from_str(date).unwrap())]));
        clock
    }

    fn dated(ahead: SignedDuration) -> CloudClock {
        let date = clock::now().saturating_add(ahead).unwrap();
        heard(&DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap())
    }

    #[test]
    fn a_clock_that_is_off_is_known_by_how_much() {
        for hours in [-1464, -1, 1] {
            let clock = dated(SignedDuration::from_hours(hours));
            let ahead = clock.ahead().unwrap();
            assert!((ahead - SignedDuration::from_hours(hours)).abs() < TOLERANCE, "{ahead}");
            let now = crate::clock::now().saturating_add(ahead).unwrap();
            assert!(clock.now().duration_since(now).abs() < TOLERANCE);
        }
    }

    #[test]
    fn what_says_nothing_or_nearly_the_same_changes_nothing() {
        for clock in [
            CloudClock::default(),
            heard("yesterday"),
            heard(""),
            dated(SignedDuration::from_secs(-40)),
        ] {
            assert_eq!(clock.ahead(), None);
        }
    }

    #[test]
    fn a_date_is_read_as_http_writes_it() {
        let expected = "2026-11-22T08:49:37Z".parse().ok();
        assert_eq!(read("Sun, 22 Nov 2026 08:49:37 GMT"), expected);
    }
}
