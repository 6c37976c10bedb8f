//! The real python-openstackclient against the sandbox.

use jiff::SignedDuration;
use rekey_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::openstack::Keystone;

/// A clouds.yaml with the clouds `alice`, `admin` and, if there is one, `app`.
fn clouds(sandbox: &Sandbox, credential: Option<(&str, &str)>) -> String {
    let by_password = |user: &str, project: &str| {
        let account = sandbox.user(user);
        json!({ "auth": {
            "auth_url": sandbox.auth_url(),
            "username": account.name,
            "password": account.password,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }, "region_name": "RegionOne" })
    };
    let mut clouds = json!({
        "admin": by_password("admin", "admin"),
        "alice": by_password("alice", "demo"),
    });
    if let Some((id, secret)) = credential {
        clouds["app"] = json!({
            "auth_type": "v3applicationcredential",
            "auth": {
                "auth_url": sandbox.auth_url(),
                "application_credential_id": id,
                "application_credential_secret": secret,
            },
            "region_name": "RegionOne",
        });
    }
    json!({ "clouds": clouds }).to_string()
}

async fn json_of(clouds: &str, cloud: &str, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["-f", "json"]].concat();
    let run = Keystone::openstack(clouds, cloud, &arguments).await.ok();
    serde_json::from_str(&run.stdout).unwrap()
}

#[tokio::test]
async fn issues_uses_and_deletes_a_credential() {
    let sandbox = Sandbox::start().await;
    let plain = clouds(&sandbox, None);
    let rules = r#"[{"service": "compute", "method": "GET", "path": "/v2.1/servers"}]"#;
    let create = ["application", "credential", "create"];
    let issued = json_of(
        &plain,
        "alice",
        &[&create[..], &["ci", "--role", "member", "--expiration", "2037-01-01T00:00:00"]].concat(),
    )
    .await;
    assert_eq!(issued["Project ID"], json!(sandbox.project("demo").id));
    let with_rules = [&create[..], &["ruled", "--unrestricted", "--access-rules", rules]].concat();
    assert_eq!(json_of(&plain, "alice", &with_rules).await["Unrestricted"], json!(true));

    let listed = json_of(&plain, "alice", &["application", "credential", "list"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let shown = json_of(&plain, "alice", &["application", "credential", "show", "ci"]).await;
    assert_eq!(shown["ID"], issued["ID"]);
    let rules = json_of(&plain, "alice", &["access", "rule", "list"]).await;
    assert_eq!(rules[0]["Path"], "/v2.1/servers");

    let id = issued["ID"].as_str().unwrap();
    let with_app = clouds(&sandbox, Some((id, issued["Secret"].as_str().unwrap())));
    let token = json_of(&with_app, "app", &["token", "issue"]).await;
    assert_eq!(token["user_id"], json!(sandbox.user("alice").id));
    assert_eq!(sandbox.logins(id), Some(1));

    let delete = ["application", "credential", "delete", "ci"];
    Keystone::openstack(&plain, "alice", &delete).await.ok();
    let refused = Keystone::openstack(&with_app, "app", &["token", "issue"]).await.fails();
    assert!(refused.stderr.contains("Could not find Application Credential"), "{}", refused.stderr);
}

#[tokio::test]
async fn sees_time_go_by_and_what_an_administrator_does() {
    let sandbox = Sandbox::start().await;
    let plain = clouds(&sandbox, None);
    let create = ["application", "credential", "create", "short"];
    let at = (sandbox.now() + SignedDuration::from_hours(24)).strftime("%Y-%m-%dT%H:%M:%S");
    let at = at.to_string();
    let expiring = [&create[..], &["--expiration", &at]].concat();
    let issued = json_of(&plain, "alice", &expiring).await;
    let (id, secret) = (issued["ID"].as_str().unwrap(), issued["Secret"].as_str().unwrap());
    let with_app = clouds(&sandbox, Some((id, secret)));
    json_of(&with_app, "app", &["token", "issue"]).await;
    sandbox.advance(SignedDuration::from_hours(25));
    let refused = Keystone::openstack(&with_app, "app", &["token", "issue"]).await.fails();
    assert!(refused.stderr.contains("HTTP 401"), "{}", refused.stderr);

    let disable = ["user", "set", "--disable", "alice"];
    Keystone::openstack(&plain, "admin", &disable).await.ok();
    let refused = Keystone::openstack(&plain, "alice", &["token", "issue"]).await.fails();
    assert!(refused.stderr.contains("HTTP 401"), "{}", refused.stderr);
}
