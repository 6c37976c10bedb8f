//! The controller's queue: each name once, those that wait for their time apart, the back-off of those that failed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::world::locked;

/// Namespace and name of a `CredentialsRequest`.
pub(super) type Key = (String, String);

#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    wake: Notify,
}

#[derive(Default)]
struct Inner {
    /// All that there are, for events that concern all.
    known: Vec<Key>,
    ready: VecDeque<Key>,
    later: BTreeMap<Key, Timestamp>,
    failures: BTreeMap<Key, i32>,
}

impl Queue {
    /// As a new leader begins.
    pub(super) fn forget(&self) {
        *locked(&self.inner) = Inner::default();
    }

    /// That there is such a one.
    pub(super) fn know(&self, key: &Key) {
        let mut inner = locked(&self.inner);
        if !inner.known.contains(key) {
            inner.known.push(key.clone());
        }
    }

    pub(super) fn unknow(&self, key: &Key) {
        locked(&self.inner).known.retain(|known| known != key);
    }

    pub(super) fn add(&self, key: &Key) {
        locked(&self.inner).add(key);
        self.wake.notify_one();
    }

    pub(super) fn add_all(&self) {
        let mut inner = locked(&self.inner);
        for key in inner.known.clone() {
            inner.add(&key);
        }
        drop(inner);
        self.wake.notify_one();
    }

    /// The next one, once it is its turn. An event that comes while it is worked on puts it in again.
    pub(super) async fn next(&self, clock: &Clock) -> Key {
        loop {
            let first = {
                let mut inner = locked(&self.inner);
                let now = clock.now();
                let due: Vec<Key> = inner
                    .later
                    .iter()
                    .filter(|(_, at)| **at <= now)
                    .map(|(k, _)| k.clone())
                    .collect();
                for key in due {
                    inner.later.remove(&key);
                    inner.add(&key);
                }
                if let Some(key) = inner.ready.pop_front() {
                    return key;
                }
                inner.later.values().min().copied()
            };
            match first {
                None => self.wake.notified().await,
                Some(at) => tokio::select! {
                    () = self.wake.notified() => {}
                    () = clock.reaches(at) => {}
                },
            }
        }
    }

    /// It went well: looked at again after so long.
    pub(super) fn rests(&self, key: Key, until: Timestamp) {
        let mut inner = locked(&self.inner);
        inner.failures.remove(&key);
        inner.later.insert(key, until);
    }

    /// It went well, and nothing is to be looked at again.
    pub(super) fn ends(&self, key: &Key) {
        let mut inner = locked(&self.inner);
        inner.failures.remove(key);
        inner.later.remove(key);
    }

    /// It failed: tried again after 2 s, 4 s, 8 s, up to 1,000 s.
    pub(super) fn failed(&self, key: Key, now: Timestamp) {
        let mut inner = locked(&self.inner);
        let count = inner.failures.entry(key.clone()).or_default();
        let wait = backoff(SignedDuration::from_secs(2), *count);
        *count += 1;
        inner.later.insert(key, now.saturating_add(wait).unwrap_or(Timestamp::MAX));
    }
}

impl Inner {
    fn add(&mut self, key: &Key) {
        if !self.ready.contains(key) {
            self.ready.push_back(key.clone());
        }
    }
}

/// Doubled with each failure, up to 1,000 seconds.
pub(super) fn backoff(first: SignedDuration, failures: i32) -> SignedDuration {
    let longest = SignedDuration::from_secs(1000);
    let factor =
        1_i32.checked_shl(u32::try_from(failures).unwrap_or(u32::MAX).min(30)).unwrap_or(i32::MAX);
    first.checked_mul(factor).map_or(longest, |wait| wait.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        (String::new(), name.to_owned())
    }

    #[tokio::test]
    async fn a_name_is_in_it_once_and_what_failed_waits_longer_each_time() {
        let (queue, clock) = (Queue::default(), Clock::default());
        queue.add(&key("a"));
        queue.add(&key("b"));
        queue.add(&key("a"));
        assert_eq!(queue.next(&clock).await, key("a"));
        assert_eq!(queue.next(&clock).await, key("b"));
        for seconds in [2, 4, 8] {
            queue.failed(key("a"), clock.now());
            let waits = *locked(&queue.inner).later.values().next().unwrap_or(&Timestamp::MIN);
            let left = waits.duration_since(clock.now());
            assert!(left > SignedDuration::from_secs(seconds - 1), "{left}");
            assert!(left <= SignedDuration::from_secs(seconds), "{left}");
            clock.advance(SignedDuration::from_secs(seconds));
            assert_eq!(queue.next(&clock).await, key("a"));
        }
        assert_eq!(backoff(SignedDuration::from_secs(2), 40), SignedDuration::from_secs(1000));
        queue.rests(key("a"), clock.now());
        assert!(locked(&queue.inner).failures.is_empty());
    }
}
