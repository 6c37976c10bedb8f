//! After a rotation: the workloads that hold the old credential are restarted, and every pod of them is seen
//! to be new.

use std::collections::BTreeSet;

use crate::cloud::Surroundings;
use crate::cloud::kubernetes::{self, Access, Client, ClientKey, Kind, Workload};
use crate::cloud::openstack::magnum::Cluster;
use crate::cloud::openstack::{Patience, Session};
use crate::provider::cluster_rotation::checks::{inside, unreadable};
use crate::provider::cluster_rotation::model::Magnum;
use crate::provider::cluster_rotation::private::UnderWay;
use crate::provider::cluster_rotation::told::called;
use crate::provider::errors;
use crate::provider::kubernetes::KubernetesAccess;
use crate::tfplugin::diagnostics::Diagnostic;

/// What Catalyst Cloud's page tells an operator to restart.
const DEFAULT: [(Kind, &str); 3] = [
    (Kind::Deployment, "openstack-cinder-csi-controllerplugin"),
    (Kind::DaemonSet, "openstack-cinder-csi-nodeplugin"),
    (Kind::DaemonSet, "openstack-cloud-controller-manager"),
];
const NAMESPACE: &str = "openstack-system";

/// The workloads that the block names, or the default ones.
pub fn wanted(magnum: &Magnum) -> Result<Vec<Workload>, Diagnostic> {
    let wrong = |error: kubernetes::workload::NameError| {
        Diagnostic::error("That is not the name of a workload", error.to_string())
            .at(inside("workloads"))
    };
    let Some(named) = magnum.workloads.known() else {
        let all = DEFAULT.iter().map(|(kind, name)| Workload::new(NAMESPACE, *kind, name));
        return all.collect::<Result<_, _>>().map_err(wrong);
    };
    let one = |named: &super::model::Workload| {
        let text =
            |attr: &crate::tfplugin::model::Attr<String>| attr.known().cloned().unwrap_or_default();
        let kind = text(&named.kind).parse().unwrap_or(Kind::Deployment);
        Workload::new(&text(&named.namespace), kind, &text(&named.name))
    };
    named.iter().map(one).collect::<Result<_, _>>().map_err(wrong)
}

/// The way into the cluster: the provider's own, or a certificate that Magnum signs for a key in memory.
pub async fn enter(
    configured: Option<&KubernetesAccess>,
    session: &Session,
    cluster: &Cluster,
    magnum: &Magnum,
    patience: &Patience,
) -> Result<Client, Diagnostic> {
    let from = Surroundings::of_process();
    if let Some(configured) = configured {
        let access = configured
            .resolve(&from)
            .map_err(|error| Diagnostic::error("Kubernetes is not configured", error.message))?;
        return Ok(Client::new(access));
    }
    let server = cluster.api_address.as_deref().unwrap_or_default();
    if server.is_empty() {
        return Err(Diagnostic::error(
            "The cluster has no address",
            format!(
                "Magnum does not tell the API address of the cluster {}. Give the provider a kubernetes block.",
                called(cluster)
            ),
        ));
    }
    let groups = magnum.kubernetes_groups.known().map(|groups| groups.0.clone());
    let groups = groups.unwrap_or_else(|| vec!["system:masters".to_owned()]);
    let certificate = signed(session, cluster, "rekey", &groups, patience).await?;
    let access =
        Access::with_certificate(server, &certificate.ca, &certificate.pem, certificate.key, &from);
    access.map(Client::new).map_err(|error| {
        Diagnostic::error("The cluster's address or certificates cannot be used", error.message)
    })
}

/// A client certificate with its key and the CA that signed it.
#[derive(Debug)]
pub struct Signed {
    pub ca: String,
    pub key: secrecy::SecretString,
    pub pem: String,
}

/// Has the cluster's CA sign a new key for that user and those groups.
pub async fn signed(
    session: &Session,
    cluster: &Cluster,
    user: &str,
    groups: &[String],
    patience: &Patience,
) -> Result<Signed, Diagnostic> {
    let broken = |error: kubernetes::identity::KeyError| {
        Diagnostic::error("No client certificate", error.to_string())
    };
    let key = ClientKey::generate().map_err(broken)?;
    let csr = key.signing_request(user, groups).map_err(broken)?;
    let what = |doing: &str| format!("{doing} of the cluster {}", called(cluster));
    let ca = session.magnum().ca(&cluster.uuid, patience).await;
    let ca = ca.map_err(|error| hidden(cluster, &what("read the CA"), &error))?;
    let pem = session.magnum().sign(&cluster.uuid, &csr, patience).await;
    let pem =
        pem.map_err(|error| hidden(cluster, &what("get a certificate from the CA"), &error))?;
    Ok(Signed { ca, key: key.pem(), pem })
}

fn hidden(cluster: &Cluster, doing: &str, error: &crate::cloud::openstack::Error) -> Diagnostic {
    if error.status() != Some(403) {
        return unreadable(doing, error);
    }
    let owner = cluster.user_id.as_deref().unwrap_or("unknown");
    errors::call(
        "Only the owner of a cluster gets its certificates",
        doing,
        error,
        "Nothing was changed.",
        &format!(
            "Magnum gives them to user {owner}, who created the cluster or rotated its credential last, and to nobody else of the \
             project. Log in as that user, or become the owner by rotating the cluster's application credential."
        ),
    )
}

/// Restarts what is left and waits for it; `under_way.workloads` shrinks by each that is done. Which of them
/// have no pods.
pub async fn restart(
    client: &Client,
    workloads: &[Workload],
    under_way: &mut UnderWay,
    patience: &Patience,
    mut done: impl FnMut(&UnderWay),
) -> Result<Vec<String>, Diagnostic> {
    let trouble = |error: kubernetes::Error| refused(&error);
    let stamp = match under_way.restart {
        Some(stamp) => stamp,
        // By the cluster's own clock, as its pods' ages are.
        None => client.version(patience).await.map_err(trouble)?.1,
    };
    under_way.restart = Some(stamp);
    let left = under_way.workloads.clone().unwrap_or_default();
    let left: Vec<&Workload> =
        workloads.iter().filter(|workload| left.contains(&workload.to_string())).collect();
    done(under_way);
    for workload in &left {
        client.restart(workload, stamp, patience).await.map_err(trouble)?;
    }
    let mut without_pods = Vec::new();
    for workload in left {
        let rollout = client.wait_for_rollout(workload, stamp, patience).await.map_err(trouble)?;
        if rollout.pods.is_empty() {
            without_pods.push(workload.to_string());
        }
        if let Some(left) = &mut under_way.workloads {
            left.remove(&workload.to_string());
        }
        done(under_way);
    }
    Ok(without_pods)
}

/// How the workloads are named in the private data.
pub fn names(workloads: &[Workload]) -> BTreeSet<String> {
    workloads.iter().map(ToString::to_string).collect()
}

fn refused(error: &kubernetes::Error) -> Diagnostic {
    let (summary, story) = match error {
        kubernetes::Error::Stuck(stuck) => ("A workload does not come back", stuck.report()),
        kubernetes::Error::Forbidden(_) => {
            ("The workloads may not be restarted by this login", error.to_string())
        }
        kubernetes::Error::WorkloadNotFound { .. } => ("A workload is missing", error.to_string()),
        kubernetes::Error::Unreachable { .. } => {
            ("The cluster's API server cannot be reached", error.to_string())
        }
        _ => ("The workloads could not be restarted", error.to_string()),
    };
    let advice = error.advice().map_or(String::new(), |advice| format!("\n\n{advice}"));
    Diagnostic::error(
        summary,
        format!(
            "{story}{advice}\n\nThe cluster's credential is rotated, and what has been restarted stays restarted; pods from before go \
             on with a credential that is revoked. The next apply takes up the workloads that are left and does not rotate again."
        ),
    )
}
