//! The workloads in a cluster that a platform's block names, and the restart of those that are left.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloud::http::Patience;
use crate::cloud::kubernetes::workload::NameError;
use crate::cloud::kubernetes::{Client, Error, Kind, Rollout, Workload};
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic};
use crate::tfplugin::model::{Attr, Model};

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
