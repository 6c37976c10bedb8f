//! Import and `moved`: the credential stays, and what Keystone cannot tell is written down.

use serde_json::json;

use super::{ADDRESS, Current, resource};
use crate::support::openstack::Keystone;
use crate::support::terraform::Workspace;
use crate::support::tools::{Cli, Feature};

/// Arguments that fit the credential `legacy`, with `triggers` at `n`.
fn arguments(n: u32) -> String {
    format!(
        r#"
        name_prefix = "ci-"
        description = "by hand"
        roles       = ["member"]
        overlap     = "P7D"
        triggers    = {{ n = "{n}" }}
        "#
    )
}

fn legacy() -> serde_json::Value {
    json!({ "name": "legacy", "description": "by hand", "roles": [{ "name": "member" }] })
}

#[tokio::test]
async fn an_imported_credential_stays_until_something_changes() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let made = alice.create_credential(legacy()).await;
        let id = made["id"].as_str().unwrap();
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.write("main.tf", &resource(&arguments(1)));
        workspace.import(ADDRESS, id).await.ok();
        let state = workspace.resource(ADDRESS).await;
        assert_eq!(state["id"], id);
        assert_eq!(state["name"], "legacy");
        assert_eq!(state["secret"], json!(null));
        assert_eq!(state["generation"], 1);

        // Written down, nothing issued.
        let plan = workspace.plan(&[]).await.ok();
        assert_eq!(plan.actions(ADDRESS), ["update"]);
        assert_eq!(plan.change(ADDRESS)["after"]["id"], id);
        workspace.apply(&["tfplan"]).await.ok();
        workspace.plan(&[]).await.empty();
        assert_eq!(keystone.only_credential(&alice).await["id"], id);

        // From now on it rotates; the one that was imported stays for the overlap.
        workspace.write("main.tf", &resource(&arguments(2)));
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        assert_eq!(new.state["generation"], 2);
        assert!(new.name.starts_with("ci-"), "{}", new.name);
        assert_eq!(new.state["previous_generations"]["1"]["name"], "legacy");
        new.works_for(&alice).await;
        alice.credential_login(id, made["secret"].as_str().unwrap()).await.unwrap();
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn an_administrator_imports_another_users_with_a_block() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let root = keystone.user(&["admin"]).await;
        let made = alice.create_credential(legacy()).await;
        let id = made["id"].as_str().unwrap();
        let mut workspace = Workspace::with_login(cli, &root);
        let import = format!("import {{\n  to = {ADDRESS}\n  id = \"{}/{id}\"\n}}\n", alice.id);
        workspace.write("main.tf", &(resource(&arguments(1)) + &import));
        workspace.apply(&[]).await.ok().says("1 imported").says("0 destroyed");
        let state = workspace.resource(ADDRESS).await;
        assert_eq!(state["id"], id);
        assert_eq!(state["user_id"], alice.id.as_str());
        assert_eq!(keystone.only_credential(&alice).await["id"], id);
        workspace.plan(&[]).await.empty();
    }
}

#[tokio::test]
async fn what_contradicts_keystone_is_an_ordinary_change() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member", "_member_"]).await;
        let made = alice.create_credential(legacy()).await;
        let id = made["id"].as_str().unwrap();
        let mut workspace = Workspace::with_login(cli, &alice);
        let other = resource("name = \"another\"\ndescription = \"by hand\"\nroles = [\"member\"]");
        workspace.write("main.tf", &other);
        workspace.import(ADDRESS, id).await.ok();
        let plan = workspace.plan(&[]).await.ok().says("forces replacement");
        assert_eq!(plan.actions(ADDRESS), ["delete", "create"]);
    }
}

#[tokio::test]
async fn an_unknown_id_cannot_be_imported() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.write("main.tf", &resource(r#"name_prefix = "ci-""#));
        let id = "0".repeat(32);
        workspace.import(ADDRESS, &id).await.fails().says(&id);
    }
}

#[tokio::test]
async fn a_credential_of_the_openstack_provider_moves_over() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let made = alice.create_credential(legacy()).await;
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.watch("the moved secret", secret);
        let host = if cli.is_tofu { "registry.opentofu.org" } else { "registry.terraform.io" };
        let state = json!({
            "version": 4,
            "terraform_version": cli.version,
            "serial": 1,
            "lineage": "00000000-0000-0000-0000-000000000000",
            "outputs": {},
            "resources": [{
                "mode": "managed",
                "type": "openstack_identity_application_credential_v3",
                "name": "ci",
                "provider":
                    format!("provider[\"{host}/terraform-provider-openstack/openstack\"]"),
                "instances": [{
                    "schema_version": 0,
                    "attributes": {
                        "access_rules": [],
                        "description": "by hand",
                        "expires_at": "",
                        "id": id,
                        "name": "legacy",
                        "project_id": alice.project_id,
                        "region": alice.region,
                        "roles": ["member"],
                        "secret": secret,
                        "unrestricted": false,
                    },
                    "sensitive_attributes": [],
                    "private": "bnVsbA==",
                }],
            }],
            "check_results": null,
        });
        workspace.write("terraform.tfstate", &state.to_string());
        let moved = format!(
            "moved {{\n  from = openstack_identity_application_credential_v3.ci\n  to = {ADDRESS}\n}}\n"
        );
        workspace.write("main.tf", &(resource(&arguments(1)) + &moved));
        if !cli.has(Feature::MovesFromOtherTypes) {
            workspace.plan(&[]).await.fails().says("moved");
            continue;
        }
        let plan = workspace.plan(&[]).await.ok();
        assert!(["update", "no-op"].contains(&plan.actions(ADDRESS)[0]), "{}", plan.run);
        assert_eq!(plan.change(ADDRESS)["after"]["id"], id);
        workspace.apply(&["tfplan"]).await.ok();
        let current = Current::of(&mut workspace).await;
        assert_eq!((current.id.as_str(), current.secret.as_str()), (id, secret));
        workspace.plan(&[]).await.empty();
        assert_eq!(keystone.only_credential(&alice).await["id"], id);

        workspace.write("main.tf", &resource(&arguments(2)));
        workspace.apply(&[]).await.ok();
        let new = Current::of(&mut workspace).await;
        new.works_for(&alice).await;
        current.works_for(&alice).await;
        assert_eq!(new.state["generation"], 2);
    }
}
