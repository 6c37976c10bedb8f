//! The operator as it runs: its loops, one leader after the other, and what a test does to it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::api::Api;
use super::cloud::Cloud;
use super::queue::Queue;
use super::shared::Shared;
use super::{annotator, reconcile, redeployment, summary, triggers};
use crate::clock::Clock;
use crate::world::locked;

/// After a kill, the next one leads once the lease has run out.
const LEADER_GAP: SignedDuration = SignedDuration::from_secs(390);

/// A running operator; ends when dropped.
pub struct Operator {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Operator {
    /// Starts on the current runtime, and works through what is there.
    pub fn start(api: Api, cloud: Cloud) -> Self {
        Self::start_with(api, cloud, Arc::default())
    }

    pub(crate) fn start_with(api: Api, cloud: Cloud, clock: Arc<Clock>) -> Self {
        let shared = Arc::new(Shared {
            api,
            clock,
            cloud,
            look: Notify::new(),
            queue: Queue::default(),
            sum_up: Notify::new(),
            redeployment_fails: AtomicBool::new(false),
            thinks_for: Mutex::default(),
            leads: watch::Sender::new(Some(Timestamp::MIN)),
            leading: watch::Sender::new(false),
        });
        let task = tokio::spawn(run(Arc::clone(&shared)));
        Self { shared, task }
    }

    /// The keys that live, for platforms on which the operator asks a cloud.
    pub fn cloud(&self) -> &Cloud {
        &self.shared.cloud
    }

    /// Moves its clock on, and with it every retry and resync.
    pub fn advance(&self, by: SignedDuration) {
        self.shared.clock.advance(by);
    }

    /// How long the annotator takes from now on until it has judged a root secret.
    pub fn think_for(&self, delay: Duration) {
        *locked(&self.shared.thinks_for) = delay;
    }

    /// A redeployment of the kube controller manager fails on its first node from now on; or works.
    pub fn fail_redeployments(&self, fail: bool) {
        self.shared.redeployment_fails.store(fail, Ordering::SeqCst);
    }

    /// SIGKILL, in the middle of whatever it does: nobody leads for six and a half minutes by its clock.
    pub async fn kill(&self) {
        let next = self.shared.clock.now().saturating_add(LEADER_GAP).unwrap_or(Timestamp::MAX);
        self.shared.leads.send_replace(Some(next));
        self.ends().await;
    }

    /// Scaled down: nobody leads until [`Operator::resume`].
    pub async fn stop(&self) {
        self.shared.leads.send_replace(None);
        self.ends().await;
    }

    /// Once this returns, what was being done is not done any more.
    async fn ends(&self) {
        // Refused only where the task has ended, and then nobody leads either.
        let _ = self.shared.leading.subscribe().wait_for(|leading| !leading).await;
    }

    /// Leads again, at once, and catches up.
    pub fn resume(&self) {
        self.shared.leads.send_replace(Some(Timestamp::MIN));
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("api", &self.shared.api).finish_non_exhaustive()
    }
}

async fn run(shared: Arc<Shared>) {
    tokio::select! {
        () = leaders(&shared) => {}
        () = redeployment::run(&shared) => {}
    }
}

/// One leader after the other.
async fn leaders(shared: &Shared) {
    let mut orders = shared.leads.subscribe();
    loop {
        let from = *orders.borrow_and_update();
        let Some(from) = from else {
            if orders.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            () = async { shared.clock.reaches(from).await; lead(shared).await; } => return,
            changed = orders.changed() => if changed.is_err() { return },
        }
    }
}

/// Returns when the API server is gone for good.
async fn lead(shared: &Shared) {
    let _led = Led(&shared.leading);
    shared.leading.send_replace(true);
    shared.queue.forget();
    tokio::select! {
        () = triggers::follow(shared) => {}
        () = annotator::run(shared) => {}
        () = reconcile::run(shared) => {}
        () = summary::run(shared) => {}
    }
}

/// Says that nobody leads any more, however that came.
struct Led<'a>(&'a watch::Sender<bool>);

impl Drop for Led<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}
