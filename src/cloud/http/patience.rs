//! How long somebody is willing to wait, and what ends the wait early.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a call may go on, and what ends its waiting early. Waits end at once; a request in
/// flight is always awaited.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    pub cancel: CancellationToken,
    pub deadline: Option<Instant>,
}

/// What ended a wait before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    Cancelled,
    /// The deadline is past.
    OutOfTime,
}

impl Patience {
    /// An error once nothing new should be begun.
    pub fn check(&self) -> Result<(), Interruption> {
        if self.cancel.is_cancelled() {
            return Err(Interruption::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Interruption::OutOfTime),
            _ => Ok(()),
        }
    }

    /// Whether there is time left for a wait of this length and something after it.
    pub fn allows(&self, wait: Duration) -> bool {
        self.deadline.is_none_or(|deadline| Instant::now() + wait < deadline)
    }

    /// Sleeps; cancellation and the deadline end it.
    pub async fn sleep(&self, length: Duration) -> Result<(), Interruption> {
        self.until(tokio::time::sleep(length)).await
    }

    /// Awaits something that may be abandoned: a wait, a lock. Never a request in flight.
    pub async fn until<T>(&self, wait: impl Future<Output = T>) -> Result<T, Interruption> {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Interruption::Cancelled),
            () = deadline => Err(Interruption::OutOfTime),
            value = wait => Ok(value),
        }
    }
}
