//! Runs that are killed, and answers that are lost, in the middle of a rotation: it is never made a second time.

use reqwest::Method;

use super::{ADDRESS, is_rotated, is_untouched, rotated, rotation, says, through_proxy, trigger};
use crate::support::magnum::{Cluster, Held, Magnum};
use crate::support::openstack::User;
use crate::support::proxy::{Fate, Proxy};
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

const CREDENTIALS: &str = "/credentials/";

/// A cluster that was rotated once and is to be rotated again, through a proxy that can lose and hold answers.
struct Due {
    magnum: Magnum,
    alice: User,
    cluster: Cluster,
    /// What the cluster has before the second rotation.
    held: Held,
    proxy: Proxy,
    workspace: Workspace,
}

impl Due {
    async fn new() -> Self {
        let magnum = Magnum::get().await;
        let alice = magnum.user("alice");
        let (cluster, mut workspace) = rotated(&magnum, Cli::any(), &alice).await;
        let held = magnum.held(&cluster);
        let (proxy, clouds) = through_proxy(&magnum, &alice).await;
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", &rotation(&cluster.name, &trigger(2)));
        Self { magnum, alice, cluster, held, proxy, workspace }
    }
}

#[tokio::test]
async fn a_rotation_whose_run_was_killed_is_taken_up_and_not_made_again() {
    let Due { magnum, alice, cluster, held, proxy, mut workspace } = Due::new().await;
    proxy.rule(Method::PATCH, CREDENTIALS, Fate::HoldReply, 1);
    let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
    proxy.struck(1).await;
    running.signal_providers("KILL");
    let run = running.end().await.fails();
    workspace.search(&run);
    let held = is_rotated(&magnum, &alice, &cluster, &held).await;
    says(&workspace.resource(ADDRESS).await, 1, "completed");

    let plan = workspace.plan(&[]).await.ok().says("takes this one as made");
    plan.says("generation 2: triggers");
    workspace.apply(&["tfplan"]).await.ok();
    is_untouched(&magnum, &alice, &cluster, &held).await;
    assert_eq!(proxy.count(&Method::PATCH, CREDENTIALS), 1);
    says(&workspace.resource(ADDRESS).await, 2, "completed");
    workspace.plan(&[]).await.empty().says_not("outside");
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    let Due { magnum, alice, cluster, held, proxy, mut workspace } = Due::new().await;
    proxy.rule(Method::PATCH, CREDENTIALS, Fate::LoseReply, 1);
    workspace.apply(&[]).await.ok();
    is_rotated(&magnum, &alice, &cluster, &held).await;
    assert_eq!(proxy.count(&Method::PATCH, CREDENTIALS), 1);
    says(&workspace.resource(ADDRESS).await, 2, "completed");
}

#[tokio::test]
async fn an_interrupt_while_the_answer_is_awaited_loses_nothing() {
    let Due { magnum, alice, cluster, held, proxy, mut workspace } = Due::new().await;
    proxy.rule(Method::PATCH, CREDENTIALS, Fate::HoldReply, 1);
    let running = workspace.start(&["apply", "-input=false", "-auto-approve"]);
    proxy.struck(1).await;
    running.signal_all("INT");
    running.is_told_to_stop().await;
    proxy.release();
    let run = running.end().await;
    workspace.search(&run);
    workspace.apply(&[]).await.ok();
    is_rotated(&magnum, &alice, &cluster, &held).await;
    assert_eq!(proxy.count(&Method::PATCH, CREDENTIALS), 1);
    says(&workspace.resource(ADDRESS).await, 2, "completed");
    workspace.plan(&[]).await.empty();
}
