//! How fast this process calls one server. As fast as it likes, until that server says 429: from then on all
//! calls wait as told, and go out one by one at the pace at which the server had let them through.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

use crate::clock;

/// What rate limits are mostly counted by.
const MINUTE: Duration = Duration::from_mins(1);
/// Between two calls at least, once a limit was met, and at most.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// The pace of all calls to one server, shared by the whole process.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When the calls of the last minute went out.
    recent: VecDeque<Instant>,
    /// Nothing goes out before.
    not_before: Option<Instant>,
    /// Between two calls; none as long as no limit was met.
    interval: Duration,
    /// When the limit was met last.
    limited: Option<Instant>,
}

impl Pace {
    /// That of the server of this address.
    pub(super) fn of(url: &Url) -> Self {
        static ALL: Mutex<BTreeMap<String, Pace>> = Mutex::new(BTreeMap::new());
        let server = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or_default()
        );
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(server).or_insert_with(|| Self(Arc::default())).clone()
    }

    /// Waits until it is this call's turn.
    pub(super) async fn turn(&self) {
        while let Some(at) = self.next(Instant::now()) {
            tokio::time::sleep_until(at).await;
        }
    }

    /// The server said 429: everybody waits so long.
    pub(super) fn limited(&self, wait: Duration) {
        let now = Instant::now();
        let minute = clock::wait(MINUTE);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now, minute);
        // of the calls that wait behind a limit only the first one tells how much was let through
        if state.limited.is_none_or(|at| now.duration_since(at) > minute)
            || state.interval.is_zero()
        {
            let through = u32::try_from(state.recent.len()).unwrap_or(u32::MAX).max(1);
            state.interval = (minute / through).clamp(clock::wait(SHORTEST), clock::wait(LONGEST));
        }
        state.limited = Some(now);
        state.not_before = state.not_before.max(Some(now + wait));
    }

    /// None: now, and it is taken note of. Else when to ask again.
    fn next(&self, now: Instant) -> Option<Instant> {
        let minute = clock::wait(MINUTE);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now, minute);
        if let Some(at) = state.not_before.filter(|at| *at > now) {
            return Some(at);
        }
        // a quiet minute, and it may go faster
        if let Some(limited) = state.limited
            && now.duration_since(limited) > minute
        {
            state.limited = Some(now);
            state.interval /= 2;
            if state.interval < clock::wait(SHORTEST) {
                (state.interval, state.limited) = (Duration::ZERO, None);
            }
        }
        state.recent.push_back(now);
        state.not_before = (!state.interval.is_zero()).then(|| now + state.interval);
        None
    }
}

impl State {
    fn forget(&mut self, now: Instant, minute: Duration) {
        while self.recent.front().is_some_and(|sent| now.duration_since(*sent) > minute) {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace(Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_before_a_limit_is_met() {
        let (pace, begun) = (pace(), Instant::now());
        for _ in 0..1000 {
            pace.turn().await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_limit_all_wait_and_go_at_the_pace_that_was_let_through() {
        let (pace, begun) = (pace(), Instant::now());
        for _ in 0..60 {
            pace.turn().await;
        }
        pace.limited(Duration::from_secs(20));
        let calls = (0..10).map(|_| {
            let pace = pace.clone();
            tokio::spawn(async move { pace.turn().await })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        // the first after what was told, and one each second
        let whole = begun.elapsed();
        assert!((29..31).contains(&whole.as_secs()), "{whole:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_time_ends_the_restraint() {
        let pace = pace();
        pace.turn().await;
        pace.limited(Duration::ZERO);
        for _ in 0..10 {
            tokio::time::sleep(2 * MINUTE).await;
            pace.turn().await;
        }
        let begun = Instant::now();
        for _ in 0..10 {
            pace.turn().await;
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[test]
    fn each_server_has_its_own() {
        let of = |url: &str| Pace::of(&Url::parse(url).unwrap());
        let same = |one: &str, other: &str| Arc::ptr_eq(&of(one).0, &of(other).0);
        assert!(same("https://pace-a.test/v3", "https://pace-a.test:443/v1"));
        assert!(!same("https://pace-a.test", "https://pace-b.test"));
        assert!(!same("https://pace-a.test:5000", "https://pace-a.test"));
    }
}
