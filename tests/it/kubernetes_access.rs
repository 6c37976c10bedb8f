//! The ways into a real cluster, and what happens when it is not there: logins of every kind, a dead API server, a
//! cluster whose CA was rotated.

use std::time::Duration;

use jiff::Timestamp;
use rekey::cloud::Surroundings;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::{
    Access, Client, ClientKey, Error, Exec, Kind, Limits, Settings, Unreachable, Verdict, Workload,
};
use rekey::redaction::SecretString;
use serde_json::json;
use tokio::time::Instant;

use crate::support::kubernetes::{ControlPlane, client, other_pki};

fn patience() -> Patience {
    Patience { deadline: Some(Instant::now() + Duration::from_mins(5)), ..Patience::default() }
}

fn nowhere() -> Surroundings {
    Surroundings::default()
}

/// One attempt, with time enough for a server on a machine with other things to do.
fn hasty(access: Access) -> Client {
    let time = Duration::from_secs(10);
    Client::with_limits(access, Limits { connect: time, request: time, attempts: 1 })
}

async fn unreachable(client: &Client) -> Unreachable {
    match client.version(&patience()).await {
        Err(Error::Unreachable { cause, .. }) => cause,
        other => panic!("{other:?}"),
    }
}

async fn review(client: &Client) -> Result<serde_json::Value, Error> {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review, &patience()).await
}

/// Who the server takes this login for.
async fn who(client: &Client) -> (String, Vec<String>) {
    let answer = review(client).await.unwrap();
    let user = &answer["status"]["userInfo"];
    let groups = user["groups"].as_array().unwrap();
    let groups = groups.iter().map(|group| group.as_str().unwrap().to_owned()).collect();
    (user["username"].as_str().unwrap().to_owned(), groups)
}

#[tokio::test]
async fn a_signed_certificate_is_the_user_with_all_groups() {
    let plane = ControlPlane::shared().await;
    let client = plane.client_as("alice@example.com", &["one", "zwei:drei"]).await;
    let (user, groups) = who(&client).await;
    assert_eq!(user, "alice@example.com");
    assert_eq!(groups, ["one", "zwei:drei", "system:authenticated"]);
}

#[tokio::test]
async fn a_token_a_file_a_plugin_and_an_impersonation_log_in() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let token = plane.kubectl(&["create", "token", "default", "-n", &namespace]).await.ok().stdout;
    let token = token.trim().to_owned();
    let account = format!("system:serviceaccount:{namespace}:default");
    let base = Settings {
        host: Some(plane.facts().url),
        cluster_ca_certificate: Some(plane.ca()),
        ..Settings::default()
    };
    let by = async |settings: Settings| {
        who(&Client::new(Access::resolve(&settings, &nowhere()).unwrap())).await.0
    };
    let by_token = Settings { token: Some(SecretString::from(token.clone())), ..base.clone() };
    assert_eq!(by(by_token).await, account);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credential.json");
    let version = "client.authentication.k8s.io/v1";
    let credential =
        json!({ "apiVersion": version, "kind": "ExecCredential", "status": { "token": token } });
    std::fs::write(&file, credential.to_string()).unwrap();
    let plugin = Exec {
        api_version: version.to_owned(),
        command: "cat".to_owned(),
        args: vec![file.display().to_string()],
        ..Exec::default()
    };
    assert_eq!(by(Settings { exec: Some(plugin), ..base.clone() }).await, account);

    // A plugin that gives a certificate
    let key = ClientKey::generate().unwrap();
    let certificate = plane.sign(&key.signing_request("carol", &[]).unwrap()).await;
    let credential = json!({ "apiVersion": version, "status": {
        "clientCertificateData": certificate,
        "clientKeyData": rekey::redaction::ExposeSecret::expose_secret(&key.pem()),
    } });
    std::fs::write(&file, credential.to_string()).unwrap();
    let exec = json!({ "apiVersion": version, "command": "cat", "args": [file], "interactiveMode": "Never" });
    let with_user = |user: serde_json::Value| {
        let mut kubeconfig: serde_json::Value =
            serde_saphyr::from_str(&plane.kubeconfig()).unwrap();
        for (field, value) in user.as_object().unwrap() {
            kubeconfig["users"][0]["user"][field] = value.clone();
        }
        client(&kubeconfig.to_string())
    };
    let no_certificate = json!({
        "client-certificate-data": null, "client-key-data": null, "exec": exec
    });
    assert_eq!(who(&with_user(no_certificate)).await.0, "carol");

    let token_file = folder.path().join("token");
    std::fs::write(&token_file, format!("{token}\n")).unwrap();
    let by_file = json!({
        "client-certificate-data": null, "client-key-data": null, "tokenFile": token_file
    });
    assert_eq!(who(&with_user(by_file)).await.0, account);

    let as_other = json!({ "as": "dave", "as-groups": ["g"] });
    let (user, groups) = who(&with_user(as_other)).await;
    assert_eq!(
        (&*user, &*groups),
        ("dave", &["g".to_owned(), "system:authenticated".to_owned()][..])
    );
}

/// Kubeconfigs as people have them: whom kubectl lets in with one is let in with it here, and nobody else.
#[tokio::test]
async fn what_kubectl_takes_is_taken_and_nothing_else() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let token = plane.kubectl(&["create", "token", "default", "-n", &namespace]).await.ok().stdout;
    let token = token.trim();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("token"), format!("{token}\n")).unwrap();
    let credential = |version: &str| {
        format!(
            "\u{feff}apiVersion: {version}\nkind: ExecCredential\nstatus: {{token: {token:?}, clientCertificateData: \"\"}}\n"
        )
    };
    let version = "client.authentication.k8s.io/v1";
    std::fs::write(path("credential"), credential(version)).unwrap();
    let exec = json!({ "apiVersion": version, "command": "cat", "args": [path("credential")],
        "interactiveMode": "Never", "env": null, "provideClusterInfo": null });
    let admin: serde_json::Value = serde_saphyr::from_str(&plane.kubeconfig()).unwrap();
    let no_certificate = |user: serde_json::Value| {
        let mut config = admin.clone();
        config["users"][0]["user"] = user;
        config.to_string()
    };
    let with_cluster = |field: &str, value: serde_json::Value| {
        let mut config = admin.clone();
        config["clusters"][0]["cluster"][field] = value;
        config.to_string()
    };
    let mut unused = admin.clone();
    for (list, entry) in [
        (
            "users",
            json!({ "name": "gcp", "user": { "auth-provider": { "name": "gcp", "config": null } } }),
        ),
        ("contexts", json!({ "name": "empty", "context": null })),
        ("clusters", json!({ "name": "empty", "cluster": { "extensions": [{ "name": "e" }] } })),
    ] {
        unused[list].as_array_mut().unwrap().push(entry);
    }
    let doubled = format!("current-context: nowhere\n{}", plane.kubeconfig());
    let mut twice = admin.clone();
    let user = twice["users"][0].clone();
    twice["users"].as_array_mut().unwrap().push(user);
    let second = format!("{}\n---\n{{[\n", plane.kubeconfig());
    // the text of a kubeconfig, and whether it lets anybody in
    let cases = [
        ("as it is", plane.kubeconfig(), true),
        ("what nobody uses", unused.to_string(), true),
        ("a key given twice", doubled, true),
        ("two users of one name", twice.to_string(), false),
        ("a second document that is none", second, true),
        ("a token", no_certificate(json!({ "token": token })), true),
        (
            "a token and a password",
            no_certificate(json!({ "token": token, "username": "u", "password": "p" })),
            false,
        ),
        (
            "a token file",
            no_certificate(json!({ "tokenFile": path("token"), "token": "old" })),
            true,
        ),
        ("a plugin that prints YAML", no_certificate(json!({ "exec": exec })), true),
        (
            "a token file that is missing",
            no_certificate(json!({ "tokenFile": path("none") })),
            false,
        ),
        ("a proxy of no kind", with_cluster("proxy-url", json!("sock5://127.0.0.1:1")), false),
        (
            "a proxy that is not there",
            with_cluster("proxy-url", json!("http://127.0.0.1:1")),
            false,
        ),
        ("null", with_cluster("proxy-url", json!(null)), true),
        (
            "insecure together with a CA",
            with_cluster("insecure-skip-tls-verify", json!(true)),
            false,
        ),
        ("another name", with_cluster("tls-server-name", json!("kubernetes")), true),
        ("a wrong name", with_cluster("tls-server-name", json!("elsewhere.example")), false),
    ];
    for (what, text, lets_in) in cases {
        let file = path("kubeconfig");
        std::fs::write(&file, &text).unwrap();
        let kubectl = plane.kubectl_by(&file, &["auth", "whoami"]).await;
        assert_eq!(kubectl.code == Some(0), lets_in, "kubectl, {what}: {}", kubectl.stderr);
        let settings = Settings { config_path: Some(file), ..Settings::default() };
        let ours = match Access::resolve(&settings, &nowhere()) {
            Ok(access) => review(&hasty(access)).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(ours.is_ok(), lets_in, "{what}: {ours:?}");
    }
    let (missing, nothing) = (path("missing"), path("nothing"));
    std::fs::write(&nothing, "current-context: \"\"").unwrap();
    let all = [missing, nothing, plane.facts().kubeconfig.display().to_string()];
    plane.kubectl_by(&all.join(":"), &["auth", "whoami"]).await.ok();
    let several = Settings { config_paths: all.to_vec(), ..Settings::default() };
    review(&hasty(Access::resolve(&several, &nowhere()).unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_login_that_the_server_does_not_know_is_unauthorized() {
    let plane = ControlPlane::shared().await;
    let settings = Settings {
        host: Some(plane.facts().url),
        cluster_ca_certificate: Some(plane.ca()),
        token: Some("wrong".into()),
        ..Settings::default()
    };
    let client = Client::new(Access::resolve(&settings, &nowhere()).unwrap());
    let workload = Workload::new("default", Kind::Deployment, "d").unwrap();
    let error = client.workload(&workload, &patience()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(_)), "{error:?}");
    assert!(error.advice().unwrap().contains("does not know this login"));
}

#[tokio::test]
async fn a_hanging_api_server_is_a_time_out_and_a_dead_one_is_refused() {
    let plane = ControlPlane::own(None).await;
    let client = hasty(Access::from_kubeconfig(&plane.kubeconfig(), None, &nowhere()).unwrap());
    client.version(&patience()).await.unwrap();

    plane.signal_api_server("STOP");
    assert_eq!(unreachable(&client).await, Unreachable::TimedOut);
    // Also where no connection is open yet
    let fresh = hasty(Access::from_kubeconfig(&plane.kubeconfig(), None, &nowhere()).unwrap());
    assert_eq!(unreachable(&fresh).await, Unreachable::TimedOut);
    // Nobody says of a rollout that it is stuck when nobody can look at it.
    let workload = Workload::new("default", Kind::Deployment, "d").unwrap();
    let patience_of = |seconds| Patience {
        deadline: Some(Instant::now() + Duration::from_secs(seconds)),
        ..Patience::default()
    };
    let error = client.wait_for_rollout(&workload, Timestamp::MIN, &patience_of(5)).await;
    assert!(matches!(error, Err(Error::Unreachable { .. } | Error::TimedOut { .. })), "{error:?}");

    plane.signal_api_server("CONT");
    plane.client().version(&patience()).await.unwrap();

    plane.signal_api_server("KILL");
    let mut cause = unreachable(&client).await;
    if cause == Unreachable::Broken {
        // The connection that was open when it was killed
        cause = unreachable(&client).await;
    }
    assert_eq!(cause, Unreachable::Refused);
    let error = client.served_chain(&patience()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { cause: Unreachable::Refused, .. }), "{error:?}");
}

/// As the nodes of a control plane are replaced one after the other while a rollout goes on.
#[tokio::test]
async fn a_wait_outlives_a_restart_of_the_api_server() {
    let plane = ControlPlane::own(None).await;
    let workload = Workload::new("default", Kind::Deployment, "csi").unwrap();
    let labels = json!({ "app": "csi" });
    let deployment = |annotations| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "csi", "namespace": "default" },
            "spec": { "selector": { "matchLabels": labels }, "template": {
                "metadata": { "labels": labels, "annotations": annotations },
                "spec": { "containers": [{ "name": "main", "image": "i" }] },
            } },
        })
    };
    plane.apply(&deployment(json!({ "bed/trouble": "ImagePullBackOff" }))).await;
    let client = plane.client();
    let patience = patience();
    let waiting = client.wait_for_rollout(&workload, Timestamp::MIN, &patience);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        plane.serve_with(&plane.facts().pki).await;
        plane.apply(&deployment(json!({}))).await;
    };
    let (rollout, ()) = tokio::join!(waiting, meanwhile);
    assert_eq!(rollout.unwrap().pods.len(), 1);
}

#[tokio::test]
async fn after_a_rotation_of_the_ca_old_and_new_are_told_apart() {
    let plane = ControlPlane::own(None).await;
    let (old_ca, old_kubeconfig) = (plane.ca(), plane.kubeconfig());
    plane.kubectl(&["create", "namespace", "survives"]).await.ok();
    let other = other_pki();
    let now = rekey::clock::now();
    let served = async |client: &Client| client.served_chain(&patience()).await.unwrap();

    // Stored, but not in use yet: what a driver leaves that failed half-way.
    let new_ca = std::fs::read_to_string(other.path().join("ca.crt")).unwrap();
    let chain = served(&plane.client()).await;
    assert_eq!(chain.verify(&old_ca, now), Verdict::Trusted);
    assert_eq!(chain.verify(&new_ca, now), Verdict::UnknownIssuer);

    plane.serve_with(other.path()).await;
    // A look needs neither trust nor a login that is known.
    let old = client(&old_kubeconfig);
    let chain = served(&old).await;
    assert_eq!(chain.verify(&old_ca, now), Verdict::UnknownIssuer);
    assert_eq!(chain.verify(&new_ca, now), Verdict::Trusted);
    let certificates = chain.certificates().unwrap();
    assert_eq!(certificates[0].names, ["localhost", "kubernetes", "127.0.0.1"]);

    let error = old.version(&patience()).await.unwrap_err();
    let cause = Unreachable::Untrusted;
    assert!(
        matches!(&error, Error::Unreachable { cause: told, .. } if *told == cause),
        "{error:?}"
    );
    assert!(error.advice().unwrap().contains("fetch a new one"));
    // Who trusts the new CA and shows a certificate by the old one is not known any more.
    let mut mixed: serde_json::Value = serde_saphyr::from_str(&old_kubeconfig).unwrap();
    let cluster = &mut mixed["clusters"][0]["cluster"];
    cluster["certificate-authority-data"] = json!(null);
    cluster["certificate-authority"] = json!(other.path().join("ca.crt"));
    let mixed = client(&mixed.to_string());
    let workload = Workload::new("default", Kind::Deployment, "d").unwrap();
    let error = mixed.workload(&workload, &patience()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(_)), "{error:?}");

    plane.client().version(&patience()).await.unwrap();
    plane.kubectl(&["get", "namespace", "survives"]).await.ok();
}
