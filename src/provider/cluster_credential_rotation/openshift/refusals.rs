//! What keeps this login from rotating, or makes it unwise: asked at plan as far as it can be known, and by apply
//! immediately before the first write, then with the new root credential used once.

use crate::cloud::Surroundings;
use crate::cloud::kubernetes::Permission;
use crate::cloud::openshift::permissions::to_rotate;
use crate::cloud::openshift::probe::{Probed, probe};
use crate::cloud::openshift::refusal::{Refusal, Route, Wish, refusals};
use crate::provider::cluster_credential_rotation::openshift::block::Given;
use crate::provider::cluster_credential_rotation::openshift::cluster::OpenshiftCluster;
use crate::provider::cluster_credential_rotation::openshift::{NAME, told, workloads};
use crate::provider::cluster_credential_rotation::platform::Cluster as _;
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Diagnostic;

/// Everything. `sends`: the first write comes next.
pub(super) async fn all(cluster: &OpenshiftCluster, cx: &Context, sends: bool) -> Vec<Diagnostic> {
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
    if sends && all.is_empty() {
        all.extend(unfit(cluster, cx).await);
    }
    all
}

/// Why the new root credential must not be written over the one that is there: its form, and a login with it.
pub(super) async fn unfit(cluster: &OpenshiftCluster, cx: &Context) -> Vec<Diagnostic> {
    let (Some(new), situation) = (cluster.given.root(), cluster.situation()) else {
        return Vec::new();
    };
    let called = cluster.called();
    let complaints = new.complaints(situation.root.as_ref());
    if !complaints.is_empty() {
        let refused = complaints.into_iter().map(|complaint| Refusal::Unusable { complaint });
        return refused.map(|it| told::refused(&called, &it).at_attribute(NAME)).collect();
    }
    match probe(new, &situation, &Surroundings::of_process(), &cluster.patience).await {
        Ok(Probed::NoAnswer(why)) => {
            cx.tell(told::not_tried(&called, &Probed::NoAnswer(why)));
            Vec::new()
        }
        Ok(_) => Vec::new(),
        Err(unfit) => vec![told::unfit(&called, &unfit).at_attribute(NAME)],
    }
}
