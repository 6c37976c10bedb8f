//! The sandbox's time: the machine's, plus an offset that can be moved. Not for waiting.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Shared by every cloud of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: Mutex<SignedDuration>,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let offset = self.offset();
        Timestamp::now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_offset(&self, offset: SignedDuration) {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner) = offset;
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = offset.saturating_add(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_adds_up_and_can_be_taken_back() {
        let clock = Clock::default();
        let before = clock.now();
        clock.advance(SignedDuration::from_hours(48));
        clock.advance(SignedDuration::from_hours(-24));
        assert_eq!(clock.offset(), SignedDuration::from_hours(24));
        assert!(clock.now() >= before + SignedDuration::from_hours(24));
        clock.set_offset(SignedDuration::ZERO);
        assert!(clock.now() < before + SignedDuration::from_hours(1));
    }
}
