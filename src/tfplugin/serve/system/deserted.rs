//! How a provider knows that its host is gone, on a system that does not tell who started a process.
#![cfg_attr(all(unix, not(test)), allow(dead_code))]

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// A host keeps its connection as long as it lives; this is for one that loses it for a moment.
const ALONE: Duration = Duration::from_secs(30);

/// Comes back when a host was there and is no more, on a system that does not tell who started a process.
pub(super) async fn deserted(mut open: watch::Receiver<usize>) {
    loop {
        let came = open.wait_for(|count| *count > 0).await.is_ok();
        let went = came && open.wait_for(|count| *count == 0).await.is_ok();
        if !went {
            // Nobody counts any more: the process is ending already.
            std::future::pending::<()>().await;
        }
        if timeout(ALONE, open.wait_for(|count| *count > 0)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_host_that_comes_back_in_time_is_not_gone() {
        let (count, open) = watch::channel(0);
        let mut gone = tokio::spawn(deserted(open));
        // Nobody has come yet: a host may take its time.
        assert!(timeout(ALONE * 10, &mut gone).await.is_err());
        count.send(1).unwrap();
        assert!(timeout(ALONE * 10, &mut gone).await.is_err());
        count.send(0).unwrap();
        assert!(timeout(ALONE / 2, &mut gone).await.is_err());
        count.send(1).unwrap();
        assert!(timeout(ALONE * 10, &mut gone).await.is_err());
        count.send(0).unwrap();
        gone.await.unwrap();
    }
}
