//! What a user does with a cluster's credentials, with the real CLI, a real Magnum and a real Kubernetes: each
//! promise of the documentation that they can show. Magnum's driver is a stub, and the cluster's nodes are played.

mod ca;
mod driver;
mod interrupted;
mod life;
mod owners;
mod rollout;
mod workloads;

use serde_json::{Value, json};

use crate::support::magnum::{Cluster, Held, Magnum};
use crate::support::openstack::User;
use crate::support::proxy::Proxy;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

const ADDRESS: &str = "rekey_cluster_credential_rotation.prod";
/// Of a cluster that takes a new credential without a restart of anything.
const NEW: &str = "kubernetes-v1.34.2";
/// Of one whose workloads must restart.
const OLD: &str = "kubernetes-v1.33.8";

/// The resource `prod` for this cluster, with these arguments.
fn rotation(cluster: &str, arguments: &str) -> String {
    block(&format!("cluster = \"{cluster}\""), arguments)
}

/// The resource `prod` with this block and these arguments.
fn block(magnum: &str, arguments: &str) -> String {
    format!(
        "resource \"rekey_cluster_credential_rotation\" \"prod\" {{\n  magnum = {{\n{magnum}\n  }}\n{arguments}\n}}\n"
    )
}

fn trigger(value: u32) -> String {
    format!("triggers = {{ n = \"{value}\" }}")
}

/// A cluster of this user, and a workspace in which it has been rotated once.
async fn rotated(magnum: &Magnum, cli: &Cli, user: &User) -> (Cluster, Workspace) {
    let cluster = magnum.cluster(user, NEW, json!({})).await;
    let mut workspace = Workspace::with_login(cli, user);
    workspace.write("main.tf", &rotation(&cluster.name, &trigger(1)));
    workspace.apply(&[]).await.ok();
    (cluster, workspace)
}

/// It has been rotated since `before`, once: the former credential is refused, and there is one.
async fn is_rotated(magnum: &Magnum, user: &User, cluster: &Cluster, before: &Held) -> Held {
    let held = magnum.held(cluster);
    assert_ne!(held.id, before.id);
    held.works_for(user).await;
    before.is_gone_for(user).await;
    assert_eq!(magnum.credentials(user, cluster).await, [held.id.as_str()]);
    held
}

/// It is as it was.
async fn is_untouched(magnum: &Magnum, user: &User, cluster: &Cluster, before: &Held) {
    assert_eq!(magnum.held(cluster), *before);
    before.works_for(user).await;
    assert_eq!(magnum.credentials(user, cluster).await, [before.id.as_str()]);
}

/// What the state says of the last rotation.
#[track_caller]
fn says(state: &Value, generation: u32, phase: &str) {
    assert_eq!(state["generation"], generation, "{state}");
    assert_eq!(state["phase"], phase, "{state}");
}

/// A proxy before Magnum, and a clouds.yaml by which the user's calls go through it.
async fn through_proxy(magnum: &Magnum, user: &User) -> (Proxy, String) {
    let proxy = Proxy::before(magnum.url()).await;
    let mut clouds: Value = serde_json::from_str(&user.clouds_yaml()).unwrap();
    clouds["clouds"]["test"]["container_infra_endpoint_override"] = proxy.url.clone().into();
    (proxy, clouds.to_string())
}
