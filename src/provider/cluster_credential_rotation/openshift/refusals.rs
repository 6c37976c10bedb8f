//! What keeps this login from rotating, or makes it unwise: asked at plan as far as it can be known, and by apply
//! immediately before the first write, then with the new root credential used once.

use crate::cloud::Surroundings;
use crate::cloud::kubernetes::Permission;
use crate::cloud::openshift::permissions::to_rotate;
use crate::cloud::openshift::probe::probe;
use crate::cloud::openshift::refusal::{Route, Wish, refusals};
use crate::provider::cluster_credential_rotation::openshift::block::Given;
use crate::provider::cluster_credential_rotation::openshift::cluster::OpenshiftCluster;
use crate::provider::cluster_credential_rotation::openshift::{NAME, told, workloads};
use crate::provider::cluster_credential_rotation::platform::Cluster as _;
use crate::tfplugin::diagnostics::Diagnostic;

/// Everything. `sends`: the first write comes next.
pub(super) async fn all(cluster: &OpenshiftCluster, sends: bool) -> Vec<Diagnostic> {
    if sends && let Err(error) = cluster.look_again().await {
        return vec![told::not_sent(&error)];
    }
    let situation = cluster.situation();
    let block = &cluster.block;
    let wish = Wish {
        platform: block.platform.known().and_then(|name| name.parse().ok()),
        route: match block.mode.known().map(String::as_str) {
            Some("mint") => Some(Route::Mint),
            Some("passthrough") => Some(Route::Passthrough),
            _ => None,
        },
        new_root: cluster.given.root(),
        gives_root: !matches!(cluster.given, Given::Nothing),
        remove_root_after: block.remove_root_after.known().copied(),
    };
    let called = cluster.called();
    let mut all: Vec<_> = refusals(&situation, &wish)
        .iter()
        .map(|refusal| told::refused(&called, refusal).at_attribute(NAME))
        .collect();
    if !all.is_empty() {
        return all;
    }
    let (Some(platform), Some(route)) = (situation.platform, cluster.route(&situation)) else {
        return all;
    };
    let removes = wish.remove_root_after == Some(true);
    let mut wanted: Vec<Permission> =
        to_rotate(platform, &situation, route == Route::Mint, removes);
    match workloads::wanted(block) {
        Ok(workloads) => {
            wanted
                .extend(workloads.iter().flat_map(crate::cloud::kubernetes::Workload::permissions));
        }
        Err(why) => all.push(why),
    }
    let client = cluster.client.kubernetes();
    match client.missing_permissions(&wanted, &cluster.patience).await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => all.push(told::may_not(&called, &missing)),
        Err(error) => all.push(told::not_sent(&error.into())),
    }
    if let (true, true, Some(new)) = (sends, all.is_empty(), cluster.given.root()) {
        let from = Surroundings::of_process();
        if let Err(unfit) = probe(new, &situation, &from, &cluster.patience).await {
            all.push(told::unfit(&called, &unfit).at_attribute(NAME));
        }
    }
    all
}
