//! The only wall clock of the house. Not for waiting: waits use tokio's timers.

use jiff::Timestamp;

/// The present time. With the cargo feature `test-clock` (tests and the demo, never a release) the
/// environment variable `REKEY_CLOCK_OFFSET`, whole seconds, is added to it.
pub fn now() -> Timestamp {
    #[cfg(feature = "test-clock")]
    if let Some(offset) =
        std::env::var("REKEY_CLOCK_OFFSET").ok().and_then(|text| text.parse::<i64>().ok())
    {
        return Timestamp::now() + jiff::SignedDuration::from_secs(offset);
    }
    Timestamp::now()
}
