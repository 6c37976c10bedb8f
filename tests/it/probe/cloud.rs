//! The probe's cloud: what exists, who is logged in, and what is to go wrong next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::thing::Thing;

/// What happens to a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// An error before anything was done.
    Fail,
    /// An error after the object was made and saved.
    FailAfterSave,
    /// An error after the object was made and saved, with parts of it not known yet.
    FailHalfway,
    /// A success without a saved state.
    Forget,
    /// Waits for something, for as long as it may; then says so.
    Linger,
    /// A success with something still unknown.
    LeaveUnknown,
    /// A panic before anything was done.
    Panic,
    /// A panic after the object was made and saved.
    PanicAfterSave,
    /// An effect that takes its time and must not be torn apart; the test lets it go on.
    Slow,
    /// A warning, and a success.
    Warn,
}

/// Cheap to clone; clones are the same cloud. A session is one process's view of it.
#[derive(Clone, Default)]
pub(crate) struct Cloud {
    inner: Arc<Inner>,
    login: Arc<Mutex<Option<String>>>,
}

#[derive(Default)]
struct Inner {
    things: Mutex<BTreeMap<String, Thing>>,
    passes: Mutex<BTreeMap<String, String>>,
    made: Mutex<u32>,
    moods: Mutex<BTreeMap<&'static str, Mood>>,
    calls: Mutex<Vec<String>>,
    entered: Notify,
    go_on: Notify,
}

impl Cloud {
    /// The same cloud, seen by a process that has not logged in.
    pub(crate) fn session(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), login: Arc::default() }
    }

    pub(super) fn log_in(&self, login: Option<String>) {
        *lock(&self.login) = login;
    }

    pub(super) fn login(&self) -> Option<String> {
        lock(&self.login).clone()
    }

    /// The next such call, and each after it, goes like this.
    pub(crate) fn mood(&self, call: &'static str, mood: Mood) {
        lock(&self.inner.moods).insert(call, mood);
    }

    /// All is well again.
    pub(crate) fn calm(&self) {
        lock(&self.inner.moods).clear();
    }

    /// Every call so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        lock(&self.inner.calls).clone()
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.inner.calls))
    }

    /// Notes a call, and tells how it is to go.
    pub(super) fn enter(&self, call: &'static str) -> Option<Mood> {
        lock(&self.inner.calls).push(call.to_owned());
        self.inner.entered.notify_one();
        let mood = lock(&self.inner.moods).get(call).copied();
        assert!(mood != Some(Mood::Panic), "in a mood to panic: hunter2-hunter2");
        mood
    }

    /// Comes back when a handler has been entered.
    pub(crate) async fn entered(&self) {
        self.inner.entered.notified().await;
    }

    /// Lets one slow effect go on.
    pub(crate) fn go_on(&self) {
        self.inner.go_on.notify_one();
    }

    pub(super) async fn until_told(&self) {
        self.inner.go_on.notified().await;
    }

    /// How many objects there are.
    pub(crate) fn count(&self) -> usize {
        lock(&self.inner.things).len()
    }

    pub(super) fn thing(&self, id: &str) -> Option<Thing> {
        lock(&self.inner.things).get(id).cloned()
    }

    pub(super) fn things(&self) -> Vec<Thing> {
        lock(&self.inner.things).values().cloned().collect()
    }

    pub(super) fn put(&self, id: &str, thing: Thing) {
        lock(&self.inner.things).insert(id.to_owned(), thing);
    }

    /// Takes an object away; somebody else may do that too.
    pub(crate) fn remove(&self, id: &str) -> bool {
        lock(&self.inner.things).remove(id).is_some()
    }

    /// Changes a label behind Terraform's back.
    pub(crate) fn relabel(&self, id: &str, label: &str) {
        lock(&self.inner.things).get_mut(id).expect("a thing").label = label.into();
    }

    pub(super) fn next_number(&self) -> u32 {
        let mut made = lock(&self.inner.made);
        *made += 1;
        *made
    }

    /// The passes that are open, by who has them.
    pub(crate) fn passes(&self) -> BTreeMap<String, String> {
        lock(&self.inner.passes).clone()
    }

    pub(super) fn give_pass(&self, user: &str, pass: &str) {
        lock(&self.inner.passes).insert(user.to_owned(), pass.to_owned());
    }

    pub(super) fn take_pass(&self, user: &str) {
        lock(&self.inner.passes).remove(user);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
