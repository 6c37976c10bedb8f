//! Runs handlers so that neither a panic nor a host that hangs up costs anything: each runs in a
//! task of its own, a panic becomes one diagnostic, and who hangs up only ends the handler's waits.

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::{self, JoinError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::tfplugin::context::{ClientCapabilities, Context};
use crate::tfplugin::diagnostics::{Diagnostic, Result};
use crate::tfplugin::log;

/// The calls in flight.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    tasks: TaskTracker,
    stop: Mutex<CancellationToken>,
}

impl Calls {
    /// Runs `work`, and gives what it answered and what it told on its way. The caller may be
    /// dropped at any time: the work is then told to stop waiting, and ends by itself.
    pub(crate) async fn run<T, F>(
        &self,
        operation: &str,
        capabilities: ClientCapabilities,
        work: impl FnOnce(Arc<Context>) -> F,
    ) -> (Result<T>, Vec<Diagnostic>)
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let cancel = lock(&self.stop).child_token();
        let context = Arc::new(Context::new(capabilities, cancel.clone(), None));
        let _hang_up = cancel.drop_guard();
        let answer = self.tasks.spawn(work(Arc::clone(&context))).await;
        let answer = answer.unwrap_or_else(|error| Err(bug(operation, &error, "").into()));
        (answer, context.take())
    }

    /// Ends the waits of all calls in flight. Later calls are not concerned.
    pub(crate) fn stop(&self) {
        std::mem::take(&mut *lock(&self.stop)).cancel();
    }

    /// Comes back when nothing is in flight any more.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Runs one effect inside a call, so that the call outlives its panic. `kept` says what becomes of
/// what it had done.
pub(super) async fn effect<F>(operation: &str, kept: &str, work: F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let answer = task::spawn(work).await;
    answer.unwrap_or_else(|error| Err(bug(operation, &error, kept).into()))
}

/// Makes a panic inside a task one log line: it is caught there, and Terraform, which takes
/// `panic: ` on stderr for the death of the process, must not be told of one. Any other panic is
/// that death, and is told.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let (site, message) = describe(info);
        let Some(task) = task::try_id() else {
            log::last_words(&format!(
                "panic: {message}\n\nat {site}\n{}",
                Backtrace::force_capture()
            ));
            return;
        };
        lock(&SITES).get_or_insert_default().insert(task, site.clone());
        tracing::error!(site, "a handler panicked: {message}");
    }));
}

/// Where tasks panicked, until their diagnostic is written.
static SITES: Mutex<Option<HashMap<task::Id, String>>> = Mutex::new(None);

fn describe(info: &PanicHookInfo<'_>) -> (String, String) {
    let site = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let message = info.payload_as_str().unwrap_or("no message").to_owned();
    (site, message)
}

// The panic's own message stays in the log, behind its redaction: it may quote any value.
fn bug(operation: &str, error: &JoinError, kept: &str) -> Diagnostic {
    let site = lock(&SITES).as_mut().and_then(|sites| sites.remove(&error.id()));
    let site = site.map(|site| format!(" at {site}")).unwrap_or_default();
    let kept = if kept.is_empty() { String::new() } else { format!(" {kept}") };
    tracing::error!(operation, "did not end: {error}");
    Diagnostic::error(
        "Provider bug",
        format!(
            "{operation} stopped halfway{site}.{kept} This is a bug in the provider: please report \
             it with this message"
        ),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
