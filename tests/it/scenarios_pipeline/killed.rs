//! A run that is killed in the middle leaves its lock behind. Somebody takes the lock away, and the next run goes on.

use reqwest::Method;

use super::{ADDRESS, LOCK, Place, ids};
use crate::scenarios::through_proxy;
use crate::support::openstack::Keystone;
use crate::support::proxy::Fate;
use crate::support::tools::Cli;

const ROTATE: (&str, &str) = ("TF_VAR_reissue", "2");

#[tokio::test]
async fn the_run_after_a_killed_one_recovers_when_its_lock_is_taken_away() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let place = Place::new(&clouds).await;
        place.run(cli, &[]).await.ok();
        let first = place.handed_over().await;

        let mut pod = place.initialized(cli).await;
        place.credential(&mut pod).await;
        pod.env(ROTATE.0, ROTATE.1);
        proxy.rule(Method::POST, "/application_credentials", Fate::HoldReply, 1);
        let running = pod.start(&["apply", "-input=false", "-auto-approve"]);
        proxy.struck(1).await;
        // All of a pod's processes at once: the CLI must not live to see the end of its provider.
        running.signal("STOP");
        running.signal_providers("KILL");
        running.signal("KILL");
        let run = running.end().await;
        assert_eq!(run.code, None, "{run}");
        pod.search(&run);
        drop(pod);

        // Nobody has taken note of the new one, and nothing was handed over.
        assert_eq!(ids(&keystone, &alice).await.len(), 2);
        assert_eq!(place.handed_over().await, first);

        // The next run does nothing until somebody has looked.
        let mut next = place.initialized(cli).await;
        next.env(ROTATE.0, ROTATE.1);
        let secret = place.credential(&mut next).await["secret"].as_str().unwrap().to_owned();
        let refused = next.plan(&[]).await.fails().says("the state is already locked");
        let text = refused.text();
        let id = text.split("ID: ").nth(1).unwrap().split_whitespace().next().unwrap();
        let lease = place.plane.get(&place.state, LOCK).await;
        assert_eq!(lease["spec"]["holderIdentity"], id);
        next.run(&["force-unlock", "-force", id]).await.ok();

        // Its number was taken, and what nobody knows the secret of is listed.
        place.run(cli, &[ROTATE]).await.ok().says("1 changed");
        let state = place.credential(&mut next).await;
        assert_eq!(state["generation"], 3);
        let second = state["id"].as_str().unwrap();
        assert_eq!(place.handed_over().await, second);
        let all = ids(&keystone, &alice).await;
        assert_eq!(all.len(), 3, "{all:?}");
        let stray = all.iter().find(|id| **id != first && *id != second).unwrap();
        assert!(state["strays"][stray].is_object(), "{}", state["strays"]);
        alice.credential_login(&first, &secret).await.expect("the overlap has only begun");
        next.plan(&[]).await.empty().says(stray);

        // It goes when somebody says so.
        let named = format!("  overlap         = \"7d\"\n  revoke_strays   = [\"{stray}\"]");
        let text = place.file("main.tf").replace("  overlap         = \"7d\"", &named);
        next.write("main.tf", &text);
        next.apply(&[]).await.ok();
        assert!(!ids(&keystone, &alice).await.contains(stray));
        let strays = next.resource(ADDRESS).await["strays"].take();
        assert!(!strays[stray].is_object(), "{strays}");
    }
}
