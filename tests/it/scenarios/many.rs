//! Many at once: resources of one state rotated in parallel, and states that share a name prefix.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::Value;

use super::{ADDRESS, Current, days_later, issued, resource, through_proxy};
use crate::support::openstack::{Keystone, User};
use crate::support::proxy::Proxy;
use crate::support::terraform::Workspace;
use crate::support::tools::{Cli, figure};

const FIFTY: usize = 50;

const CONFIGURATION: &str = r#"
variable "n" { type = string }

resource "rekey_application_credential" "ci" {
  count       = 50
  name_prefix = "fifty-"
  overlap     = "P7D"
  triggers    = { n = var.n }
}
"#;

/// How many calls of each kind came through since the last time.
fn counted(proxy: &Proxy, before: &mut usize) -> BTreeMap<String, usize> {
    let calls = proxy.calls();
    let mut counts = BTreeMap::new();
    for call in &calls[*before..] {
        let kind = if call.path.contains("/auth/tokens") {
            "login"
        } else if call.method == Method::POST {
            "issue"
        } else if call.method == Method::DELETE {
            "revoke"
        } else {
            "look"
        };
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    *before = calls.len();
    counts
}

/// Ids and secrets of the fifty.
async fn all(workspace: &mut Workspace) -> Vec<(String, String, Value)> {
    let state = workspace.state().await;
    let resources = state["values"]["root_module"]["resources"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    resources
        .into_iter()
        .map(|it| (text(&it["values"]["id"]), text(&it["values"]["secret"]), it["values"].clone()))
        .collect()
}

#[tokio::test]
async fn fifty_rotate_at_once_with_as_few_calls_as_can_be() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice: User = keystone.user(&["member"]).await;
        let (proxy, clouds) = through_proxy(&alice).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.clouds_yaml(&clouds);
        workspace.write("main.tf", CONFIGURATION);
        workspace.env("TF_VAR_n", "1");
        workspace.apply(&["-parallelism=10"]).await.ok();
        let old = all(&mut workspace).await;
        assert_eq!(old.len(), FIFTY);

        let mut seen = proxy.calls().len();
        workspace.env("TF_VAR_n", "2");
        workspace.plan(&["-parallelism=10"]).await.ok();
        let counts = counted(&proxy, &mut seen);
        figure(&format!("{}: calls of a plan of 50 rotations: {counts:?}", cli.name()));
        // One login and one list, however many there are.
        assert!(counts["login"] == 1 && counts["look"] <= 2, "{counts:?}");
        assert_eq!(counts.len(), 2, "a plan does nothing: {counts:?}");

        workspace.apply(&["-parallelism=10", "tfplan"]).await.ok();
        let counts = counted(&proxy, &mut seen);
        figure(&format!("{}: calls of an apply of 50 rotations: {counts:?}", cli.name()));
        // Each is issued once and proven by one login; the rest is the provider's own.
        assert_eq!(counts["issue"], FIFTY, "{counts:?}");
        assert_eq!(counts["login"], FIFTY + 1, "{counts:?}");
        assert!(!counts.contains_key("revoke"), "{counts:?}");
        assert!(counts.get("look").copied().unwrap_or_default() <= 2, "{counts:?}");

        let new = all(&mut workspace).await;
        let ids: BTreeSet<&String> = old.iter().chain(&new).map(|(id, ..)| id).collect();
        assert_eq!(ids.len(), 2 * FIFTY, "every one has a successor of its own");
        let listed = keystone.credentials(&alice).await;
        assert!(listed.iter().all(|it| ids.contains(&it["id"].as_str().unwrap().to_owned())));
        assert_eq!(listed.len(), 2 * FIFTY);
        for ((id, secret, state), (before, ..)) in new.iter().zip(&old) {
            assert_eq!(state["generation"], 2);
            assert_eq!(state["previous_generations"]["1"]["id"], before.as_str());
            alice.credential_login(id, secret).await.unwrap();
        }
        for (id, secret, _) in &old {
            alice.credential_login(id, secret).await.unwrap();
        }
        workspace.plan(&[]).await.empty();

        let _ = counted(&proxy, &mut seen);
        workspace.destroy(&["-parallelism=10"]).await.ok();
        let counts = counted(&proxy, &mut seen);
        assert_eq!(counts["revoke"], 2 * FIFTY, "{counts:?}");
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
    }
}

/// Two pipelines with the same configuration, the same login and the same prefix, and a state of their own.
#[tokio::test]
async fn two_states_on_one_prefix_never_revoke_each_others() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let arguments = |n: u32| {
            format!("name_prefix = \"ci-\"\noverlap = \"P7D\"\ntriggers = {{ n = \"{n}\" }}")
        };
        let first = arguments(1);
        let (mut one, mut two) =
            tokio::join!(issued(cli, &alice, &first), issued(cli, &alice, &first));
        let mut generations = vec![vec![], vec![]];
        for n in 2..4 {
            for (workspace, known) in [&mut one, &mut two].into_iter().zip(&mut generations) {
                known.push(Current::of(workspace).await);
                workspace.write("main.tf", &resource(&arguments(n)));
            }
            let (first, second) = tokio::join!(one.apply(&[]), two.apply(&[]));
            first.ok();
            second.ok();
        }
        for (workspace, known) in [&mut one, &mut two].into_iter().zip(&mut generations) {
            known.push(Current::of(workspace).await);
            assert_eq!(workspace.resource(ADDRESS).await["strays"], serde_json::json!(null));
        }
        for generation in generations.iter().flatten() {
            generation.works_for(&alice).await;
        }
        assert_eq!(keystone.credentials(&alice).await.len(), 6);

        // One after the other each ends its own two, and nothing else.
        for (index, left) in [(0, 4), (1, 2)] {
            let workspace = if index == 0 { &mut one } else { &mut two };
            days_later(workspace, 8);
            workspace.apply(&[]).await.ok();
            workspace.plan(&[]).await.empty();
            assert_eq!(keystone.credentials(&alice).await.len(), left);
            for old in &generations[index][..2] {
                old.is_gone_for(&alice).await;
            }
            for current in generations.iter().filter_map(|known| known.last()) {
                current.works_for(&alice).await;
            }
            if index == 0 {
                for old in &generations[1][..2] {
                    old.works_for(&alice).await;
                }
            }
        }
        // Both at once, to the end.
        let (first, second) = tokio::join!(one.destroy(&[]), two.destroy(&[]));
        first.ok();
        second.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 0);
    }
}
