//! Runs one after the other, and runs at the same time: what is due is done once.

use reqwest::Method;

use super::{ADDRESS, Place, days_later, ids};
use crate::scenarios::through_proxy;
use crate::support::openstack::Keystone;
use crate::support::proxy::Fate;
use crate::support::tools::Cli;

const CREDENTIALS: &str = "/application_credentials";
const ROTATE: (&str, &str) = ("TF_VAR_reissue", "2");
const APPLY: [&str; 3] = ["apply", "-input=false", "-auto-approve"];

#[tokio::test]
async fn each_run_does_what_is_due_and_nothing_else() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let place = Place::new(&alice.clouds_yaml()).await;
        place.run(cli, &[]).await.ok().says("2 added");
        let first = place.handed_over().await;
        assert_eq!(ids(&keystone, &alice).await, [&*first]);
        place.run(cli, &[]).await.ok().says("No changes").says_not("Apply complete");

        place.run(cli, &[ROTATE]).await.ok().says("1 changed");
        let second = place.handed_over().await;
        assert_ne!(first, second);
        assert_eq!(ids(&keystone, &alice).await.len(), 2, "the overlap has begun");

        let later = days_later(8);
        let mut variables = vec![ROTATE];
        variables.extend(later.iter().map(|(name, value)| (*name, &**value)));
        place.run(cli, &variables).await.ok().says("1 changed");
        assert_eq!(ids(&keystone, &alice).await, [&*second]);
        assert_eq!(place.handed_over().await, second);
        place.run(cli, &variables).await.ok().says("No changes");
    }
}

/// A run waits for the one before it, or is told of the lock; then nothing is left to do.
#[tokio::test]
async fn two_runs_at_once_rotate_once() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let place = Place::new(&clouds).await;
        place.run(cli, &[]).await.ok();
        let [mut one, mut two, mut three] = [
            place.initialized(cli).await,
            place.initialized(cli).await,
            place.initialized(cli).await,
        ];
        for workspace in [&mut one, &mut two, &mut three] {
            place.credential(workspace).await;
            workspace.env(ROTATE.0, ROTATE.1);
        }

        proxy.rule(Method::POST, CREDENTIALS, Fate::HoldReply, 1);
        let first = one.start(&APPLY);
        proxy.struck(1).await;
        let second = two.start(&["apply", "-input=false", "-auto-approve", "-lock-timeout=2m"]);
        second.asks_for_the_lock().await;
        three.apply(&[]).await.fails().says("the state is already locked");
        proxy.release();
        let (first, second) = (first.end().await.ok(), second.end().await.ok());
        one.search(&first);
        two.search(&second);
        first.says("1 changed");
        second.says("Acquiring state lock").says("No changes");

        three.apply(&[]).await.ok().says("No changes");
        assert_eq!(place.credential(&mut three).await["generation"], 2);
        let all = ids(&keystone, &alice).await;
        assert_eq!(all.len(), 2, "one before and one after: {all:?}");
        assert_eq!(
            place.handed_over().await,
            three.resource(ADDRESS).await["id"].as_str().unwrap()
        );
    }
}

/// Where both have planned before either applies, the lock alone would not be enough.
#[tokio::test]
async fn a_plan_that_another_run_has_overtaken_is_refused() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let place = Place::new(&alice.clouds_yaml()).await;
        place.run(cli, &[]).await.ok();
        let [mut one, mut two] = [place.initialized(cli).await, place.initialized(cli).await];
        for workspace in [&mut one, &mut two] {
            place.credential(workspace).await;
            workspace.env(ROTATE.0, ROTATE.1);
            workspace.plan(&[]).await.ok().says("generation 2: triggers");
        }
        one.apply(&["tfplan"]).await.ok();
        two.apply(&["tfplan"]).await.fails().says("Saved plan is stale");
        two.plan(&[]).await.empty();
        assert_eq!(ids(&keystone, &alice).await.len(), 2);
    }
}
