//! The sandbox's time: the machine's, plus an offset that can be moved. Whoever waits for a moment is there at once
//! when the clock is moved past it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Shared by every cloud of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: watch::Sender<SignedDuration>,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let offset = self.offset();
        Timestamp::now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        *self.offset.borrow()
    }

    pub(crate) fn set_offset(&self, offset: SignedDuration) {
        self.offset.send_replace(offset);
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.offset.send_modify(|offset| *offset = offset.saturating_add(by));
    }

    /// Waits until that moment has come.
    pub(crate) async fn reaches(&self, moment: Timestamp) {
        let mut moved = self.offset.subscribe();
        loop {
            let left = moment.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            // Moved while waiting, or forgotten: looked at anew either way.
            let _ = tokio::time::timeout(left, moved.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_there_when_the_clock_is_moved() {
        let clock = Clock::default();
        let moment = clock.now() + SignedDuration::from_hours(24);
        let moved = async {
            tokio::task::yield_now().await;
            clock.advance(SignedDuration::from_hours(25));
        };
        tokio::join!(clock.reaches(moment), moved);
        assert!(clock.now() >= moment);
    }

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
