//! The workloads in a cluster that a platform's block names, and the restart of those that are left.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::clock;
use crate::cloud::Surroundings;
use crate::cloud::http::{Patience, Url};
use crate::cloud::kubernetes::workload::NameError;
use crate::cloud::kubernetes::{Client, Error, Kind, Rollout, Verdict, Workload};
use crate::provider::kubernetes::Shared;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic};
use crate::tfplugin::model::{Attr, Model};

/// The summary of the warning that names what a planned rotation restarts.
pub const WILL_RESTART: &str = "Workloads will be restarted";

/// A workload to restart.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Named {
    /// `Deployment`, `DaemonSet` or `StatefulSet`.
    #[attr(required, validate(one_of(&["Deployment", "DaemonSet", "StatefulSet"])))]
    pub kind: Attr<String>,
    /// Its name.
    #[attr(required)]
    pub name: Attr<String>,
    /// Its namespace.
    #[attr(required)]
    pub namespace: Attr<String>,
}

/// Those that are named.
pub fn wanted(named: &[Named]) -> Result<Vec<Workload>, NameError> {
    let one = |named: &Named| {
        let text = |attr: &Attr<String>| attr.known().cloned().unwrap_or_default();
        let kind = text(&named.kind).parse().unwrap_or(Kind::Deployment);
        Workload::new(&text(&named.namespace), kind, &text(&named.name))
    };
    named.iter().map(one).collect()
}

/// How the state names those of a block that has no default.
pub fn named_in_state(named: &Attr<Vec<Named>>) -> Attr<Vec<String>> {
    match named.known() {
        Some(all) if are_known(named) => {
            let wanted = wanted(all).unwrap_or_default();
            Attr::Known(wanted.iter().map(ToString::to_string).collect())
        }
        None if named.is_null() => Attr::Null,
        _ => Attr::Unknown,
    }
}

/// A name that none can have. `argument` is where it stands.
pub fn no_name(error: &NameError, argument: AttributePath) -> Diagnostic {
    Diagnostic::error("That is not the name of a workload", error.to_string()).at(argument)
}

/// Whether it is known by now which are meant.
pub fn are_known(named: &Attr<Vec<Named>>) -> bool {
    let known =
        |one: &Named| one.kind.is_known() && one.name.is_known() && one.namespace.is_known();
    !named.is_unknown() && named.known().into_iter().flatten().all(known)
}

/// The way of the provider's `kubernetes` block, seen to lead to the cluster that is at this address, or behind a
/// tunnel shows a certificate of these authorities (PEM; None where the login cannot see them). None: there is no block.
pub async fn configured(
    kubernetes: &Shared,
    called: &str,
    server: &str,
    authorities: impl Future<Output = Option<String>>,
    patience: &Patience,
) -> Option<Result<Client, Diagnostic>> {
    let access = match kubernetes.configured()?.resolve(&Surroundings::of_process()) {
        Ok(access) => access,
        Err(error) => {
            return Some(Err(Diagnostic::error("Kubernetes is not configured", error.message)));
        }
    };
    let client = Client::new(access);
    if same_server(&client.server(), server) {
        return Some(Ok(client));
    }
    if let Some(authorities) = authorities.await
        && let Ok(chain) = client.served_chain(patience).await
        && chain.verify(&authorities, clock::now()) == Verdict::Trusted
    {
        return Some(Ok(client));
    }
    Some(Err(Diagnostic::error(
        "The kubernetes block does not lead to this cluster",
        format!(
            "It leads to {}, and {called} is at {}; what answers there does not show a certificate of the cluster's CA either, as far as this \
             login can see that. Workloads of another cluster would restart.\n\nTake the kubernetes block out, so that the cloud's own way \
             into the cluster is used, or give each cluster a provider of its own (alias).",
            client.origin(),
            if server.is_empty() { "no known address" } else { server },
        ),
    )))
}

/// Host and port are the same.
fn same_server(one: &str, other: &str) -> bool {
    let place = |text: &str| {
        let url = Url::parse(text).ok()?;
        Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()))
    };
    place(one).is_some() && place(one) == place(other)
}

/// What has been asked for, and what is left of it: kept from one apply to the next.
#[derive(Debug)]
pub struct Restarts<'r> {
    pub left: &'r mut BTreeSet<String>,
    /// By the cluster's own clock, as its pods' ages are.
    pub asked_at: &'r mut Option<Timestamp>,
}

impl Restarts<'_> {
    /// Restarts those that are left, and waits for each; one that cannot be restarted keeps no other from it. Returned
    /// are those that have not come back. An error: none was asked.
    pub async fn carry_out(
        self,
        client: &Client,
        wanted: &[Workload],
        patience: &Patience,
        mut came_back: impl FnMut(&Workload, &Rollout),
    ) -> Result<Vec<(Workload, Error)>, Error> {
        let Self { left, asked_at } = self;
        // Those that the block does not name any more are nobody's business.
        left.retain(|name| wanted.iter().any(|workload| workload.to_string() == *name));
        let stamp = match *asked_at {
            Some(stamp) => stamp,
            None => client.version(patience).await?.1,
        };
        *asked_at = Some(stamp);
        let asked: Vec<_> =
            wanted.iter().filter(|workload| left.contains(&workload.to_string())).collect();
        let done = |workload: &Workload, rollout: &Rollout| {
            came_back(workload, rollout);
            left.remove(&workload.to_string());
        };
        Ok(client.restart_all(&asked, stamp, patience, done).await)
    }
}

/// Nothing could be asked of the cluster.
pub fn unreachable(error: &Error) -> Diagnostic {
    let summary = match error {
        Error::Unreachable { .. } => "The cluster's API server cannot be reached",
        _ => "The cluster's API server cannot be asked",
    };
    Diagnostic::error(summary, with_advice(&error.to_string(), error))
}

/// Why a workload has not come back.
pub fn not_restarted(workload: &Workload, error: &Error) -> Diagnostic {
    let (summary, story) = match error {
        Error::Stuck(stuck) => ("A workload does not come back", stuck.report()),
        Error::Forbidden(_) => {
            ("The workloads may not be restarted by this login", error.to_string())
        }
        Error::WorkloadNotFound { .. } => ("A workload is missing", error.to_string()),
        Error::Unreachable { .. } => return unreachable(error),
        _ => ("A workload could not be restarted", format!("{workload}: {error}")),
    };
    Diagnostic::error(summary, with_advice(&story, error))
}

fn with_advice(story: &str, error: &Error) -> String {
    let advice = error.advice().map_or(String::new(), |advice| format!("\n\n{advice}"));
    format!("{story}{advice}")
}
