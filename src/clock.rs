//! The only wall clock of the house. Not for waiting: waits use tokio's timers.

use std::time::Duration;

use jiff::Timestamp;

/// The present time. With the cargo feature `test-clock` (tests and the demo, never a release) the
/// environment variable `REKEY_CLOCK_OFFSET`, whole seconds, is added to it, and what [`shift`] says.
pub fn now() -> Timestamp {
    #[cfg(feature = "test-clock")]
    return shifted::now();
    #[cfg(not(feature = "test-clock"))]
    Timestamp::now()
}

/// How long to wait where `length` is meant: for waits of minutes that a service asks for. With the cargo
/// feature `test-clock` the environment variable `REKEY_CLOCK_RATE` says how many times faster they pass.
pub fn wait(length: Duration) -> Duration {
    #[cfg(feature = "test-clock")]
    return length / shifted::rate();
    #[cfg(not(feature = "test-clock"))]
    length
}

/// What a cloud says that the time is. With `test-clock`, `REKEY_CLOUD_CLOCK_OFFSET` is added: for tests against a cloud
/// whose own clock cannot be moved.
pub fn of_cloud(said: Timestamp) -> Timestamp {
    #[cfg(feature = "test-clock")]
    return shifted::of_cloud(said);
    #[cfg(not(feature = "test-clock"))]
    said
}

#[cfg(feature = "test-clock")]
pub use shifted::{hurry, shift};

#[cfg(feature = "test-clock")]
mod shifted {
    use std::cell::Cell;

    use jiff::{SignedDuration, Timestamp};

    thread_local! {
        static OFFSET: Cell<SignedDuration> = const { Cell::new(SignedDuration::ZERO) };
        static RATE: Cell<u32> = const { Cell::new(0) };
    }

    /// Sets how far this thread's clock is ahead: for tests with the provider in their own process,
    /// one to a thread.
    pub fn shift(offset: SignedDuration) {
        OFFSET.set(offset);
    }

    /// Sets how many times faster the waits of this thread pass: for the same tests.
    pub fn hurry(rate: u32) {
        RATE.set(rate);
    }

    pub(super) fn rate() -> u32 {
        let of_thread = RATE.get();
        if of_thread > 0 {
            return of_thread;
        }
        let rate = std::env::var("REKEY_CLOCK_RATE").ok().and_then(|text| text.parse().ok());
        rate.unwrap_or(1).max(1)
    }

    pub(super) fn now() -> Timestamp {
        let ahead = variable("REKEY_CLOCK_OFFSET").saturating_add(OFFSET.get());
        Timestamp::now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn of_cloud(said: Timestamp) -> Timestamp {
        said.saturating_add(variable("REKEY_CLOUD_CLOCK_OFFSET")).unwrap_or(Timestamp::MAX)
    }

    fn variable(name: &str) -> SignedDuration {
        let seconds = std::env::var(name).ok().and_then(|text| text.parse().ok());
        SignedDuration::from_secs(seconds.unwrap_or_default())
    }
}
