//! Logins that an identity provider vouches for, against a real Keystone: a pipeline's own token is its login, and
//! no secret is stored anywhere.

use rekey::cloud::Surroundings;
use rekey::cloud::openstack::config::{Settings, resolve};
use rekey::cloud::openstack::keystone::NewApplicationCredential;
use rekey::cloud::openstack::{Error, Meaning, Patience, Session};
use serde_json::json;

use crate::support::federation::{Federation, PROTOCOL};
use crate::support::openstack::{Keystone, unique};
use crate::support::terraform::REQUIRED;
use crate::support::terraform::Workspace;
use crate::support::tools::Cli;

fn settings(federation: &Federation) -> Settings {
    Settings {
        auth_url: Some(federation.facts.auth_url.clone()),
        identity_provider: Some(federation.provider.clone()),
        protocol: Some(PROTOCOL.to_owned()),
        project_name: Some(federation.project.clone()),
        project_domain_id: Some(federation.domain.clone()),
        ..Settings::default()
    }
}

fn session(settings: &Settings) -> Session {
    Session::new(resolve(settings, &Surroundings::default()).unwrap()).unwrap()
}

async fn refused(settings: &Settings) -> (u16, Meaning, String) {
    match session(settings).token(&Patience::default()).await {
        Err(Error::Login(answer)) => (answer.status, answer.meaning, answer.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grant_is_a_login_that_can_issue() {
    let keystone = Keystone::get().await;
    let federation = Federation::start(&keystone).await;
    let discovery = format!("{}/.well-known/openid-configuration", federation.facts.issuer);
    let token = federation.mint(&json!({ "sub": "project_path:infra/rotate:ref:main" })).await;
    let by_token = Settings { access_token: Some(token.as_str().into()), ..settings(&federation) };
    let secret = federation.facts.clients["ci-client"].as_deref().unwrap();
    let by_client = Settings {
        client_id: Some("ci-client".to_owned()),
        client_secret: Some(secret.into()),
        discovery_endpoint: Some(discovery),
        ..settings(&federation)
    };
    let by_user = Settings {
        access_token_endpoint: Some(format!("{}/token", federation.facts.issuer)),
        client_id: Some("public-client".to_owned()),
        password: Some(federation.facts.users["olga"].as_str().into()),
        username: Some("olga".to_owned()),
        ..settings(&federation)
    };
    for (settings, name) in [
        (by_token, "project_path:infra/rotate:ref:main"),
        (by_client, "ci-client"),
        (by_user, "olga"),
    ] {
        let (session, patience) = (session(&settings), Patience::default());
        let token = session.token(&patience).await.unwrap();
        assert_eq!(token.user.name, name);
        assert_eq!(token.project.unwrap().name, federation.project);
        let new = NewApplicationCredential {
            name: unique("federated"),
            secret: "a-secret-of-the-federation-tests".into(),
            description: None,
            roles: Vec::new(),
            expires_at: None,
            unrestricted: false,
            access_rules: Vec::new(),
        };
        let keystone = session.keystone();
        let made = keystone.create_application_credential(&token.user.id, &new, &patience).await;
        let made = made.unwrap();
        let user = &made.user_id;
        keystone.delete_application_credential(user, &made.id, &patience).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_believe_is_told() {
    let keystone = Keystone::get().await;
    let federation = Federation::start(&keystone).await;
    for claims in
        [json!({ "exp": 1 }), json!({ "aud": "elsewhere" }), json!({ "iss": "https://i" })]
    {
        let token = federation.mint(&claims).await;
        let by_token =
            Settings { access_token: Some(token.as_str().into()), ..settings(&federation) };
        let (status, meaning, message) = refused(&by_token).await;
        assert_eq!((status, meaning), (401, Meaning::Status), "{claims}: {message}");
        assert_eq!(
            message, "Unauthorized",
            "the page's title, without the status that stands beside it"
        );
    }
    let token = federation.mint(&json!({ "sub": "x" })).await;
    let elsewhere = Settings {
        access_token: Some(token.as_str().into()),
        identity_provider: Some("nobody".to_owned()),
        ..settings(&federation)
    };
    let (status, _, message) = refused(&elsewhere).await;
    assert_eq!(status, 404, "{message}");
    let client = Settings {
        access_token_endpoint: Some(format!("{}/token", federation.facts.issuer)),
        client_id: Some("ci-client".to_owned()),
        client_secret: Some("not-the-secret-of-the-client".into()),
        ..settings(&federation)
    };
    let (status, meaning, message) = refused(&client).await;
    assert_eq!((status, meaning), (401, Meaning::IdentityProvider));
    assert_eq!(message, "no client ci-client with this secret");
}

/// The guide's pipeline: nothing is configured but names, and the token is in the environment.
#[tokio::test]
async fn a_pipeline_rotates_without_a_stored_secret() {
    let keystone = Keystone::get().await;
    let federation = Federation::start(&keystone).await;
    let mut workspace = Workspace::new(Cli::any());
    workspace.write(
        "main.tf",
        &format!(
            "{REQUIRED}{}",
            r#"
provider "rekey" {}

variable "version_of_the_app" {}

resource "rekey_application_credential" "ci" {
  name_prefix = "pipeline-"
  triggers    = { app = var.version_of_the_app }
}
"#
        ),
    );
    for (name, value) in [
        ("OS_AUTH_TYPE", "v3oidcaccesstoken"),
        ("OS_AUTH_URL", &federation.facts.auth_url),
        ("OS_IDENTITY_PROVIDER", &federation.provider),
        ("OS_PROTOCOL", PROTOCOL),
        ("OS_PROJECT_NAME", &federation.project),
        ("OS_PROJECT_DOMAIN_ID", &federation.domain),
    ] {
        workspace.env(name, value);
    }
    let mut issued = Vec::new();
    for version in ["1", "2"] {
        // each run of the pipeline has a token of its own
        let token = federation.mint(&json!({ "sub": "repo:acme/infra:ref:refs/heads/main" })).await;
        workspace.watch("the pipeline's token", &token);
        workspace.env("OS_ACCESS_TOKEN", &token);
        workspace.env("TF_VAR_version_of_the_app", version);
        workspace.apply(&[]).await.ok();
        let state = workspace.resource("rekey_application_credential.ci").await;
        issued.push(state["id"].as_str().unwrap().to_owned());
    }
    assert_ne!(issued[0], issued[1]);
    let over = federation.mint(&json!({ "sub": "repo:acme/infra", "exp": 1 })).await;
    workspace.env("OS_ACCESS_TOKEN", &over);
    workspace.plan(&[]).await.fails().says("it may be over");
}
