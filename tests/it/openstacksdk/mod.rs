//! Configurations resolved side by side: by us, and by openstacksdk with keystoneauth from `PyPI`. Both must come
//! to the same login, sent to the same place with the same trust.
//!
//! Where we differ on purpose, both sides are written down, so that it is seen when openstacksdk changes its mind.

mod cases;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rekey::cloud::Surroundings;
use rekey::cloud::http::{Pem, Trust};
use rekey::cloud::openstack::config::{
    Cloud, DomainRef, Federation, Grant, Proof, Scope, TokenEndpoint, resolve,
};
use rekey::redaction::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use self::cases::{Case, agreed, differing, refused};
use crate::support::openstack::Keystone;
use crate::support::tools::figure;

#[tokio::test(flavor = "multi_thread")]
async fn both_come_to_the_same_login() {
    let cases = agreed();
    let mut wrong = Vec::new();
    for (case, (ours, theirs)) in cases.iter().zip(both(&cases).await) {
        if ours.is_err() || theirs.get("error").is_some() || ours.as_ref().ok() != Some(&theirs) {
            wrong.push(format!("{}\n  ours:   {ours:?}\n  theirs: {theirs}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_refuse_the_same() {
    let cases = refused();
    for (case, (ours, theirs)) in cases.iter().zip(both(&cases).await) {
        assert!(theirs.get("error").is_some(), "{}: theirs: {theirs}", case.name);
        assert!(ours.is_err(), "{}: ours: {ours:?}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_we_differ_it_is_on_purpose() {
    let table = differing();
    let cases: Vec<_> = table.iter().map(|(case, ..)| case.clone()).collect();
    for ((case, theirs, ours), (we, they)) in table.iter().zip(both(&cases).await) {
        assert!(they.to_string().contains(theirs), "{}: theirs: {they}", case.name);
        let we = we.map_or_else(|message| message, |outcome| outcome.to_string());
        assert!(we.contains(ours), "{}: ours: {we}", case.name);
    }
}

/// What comes of each case: ours, or our error; and theirs.
async fn both(cases: &[Case]) -> Vec<(Result<Value, String>, Value)> {
    let roots: Vec<_> = cases.iter().map(laid_out).collect();
    let asked: Vec<_> = cases
        .iter()
        .zip(&roots)
        .map(|(case, root)| {
            json!({
                "name": case.name,
                "root": root.path(),
                "env": case.variables.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
                "kwargs": arguments(case),
            })
        })
        .collect();
    let asked = Value::from(asked).to_string();
    let theirs = tokio::task::spawn_blocking(move || ask_openstacksdk(&asked)).await.unwrap();
    figure(&format!("openstacksdk: {} configurations compared with it", cases.len()));
    assert_eq!(theirs.len(), cases.len());
    cases
        .iter()
        .zip(&roots)
        .zip(theirs)
        .map(|((case, root), theirs)| {
            let ours = ours(case, root.path());
            let timeout = ours.as_ref().ok().map(|ours| ours["login"]["timeout"].clone());
            (ours, comparable(theirs, timeout))
        })
        .collect()
}

fn ask_openstacksdk(cases: &str) -> Vec<Value> {
    let mut child = Command::new(Keystone::python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openstack/resolved.py"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(cases.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn laid_out(case: &Case) -> tempfile::TempDir {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for folder in ["work", "home"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    for (path, text) in &case.files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

/// The explicit settings as arguments of `get_one`.
fn arguments(case: &Case) -> Value {
    let s = &case.settings;
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let secret = |value: &Option<SecretString>| {
        value.as_ref().map(|secret| Value::from(secret.expose_secret()))
    };
    let present = |items: Vec<(&str, Option<Value>)>| {
        let items = items.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        items.collect::<serde_json::Map<_, _>>()
    };
    let auth = present(vec![
        ("access_token", secret(&s.access_token)),
        ("application_credential_id", text(&s.application_credential_id)),
        ("application_credential_secret", secret(&s.application_credential_secret)),
        ("auth_url", text(&s.auth_url)),
        ("password", secret(&s.password)),
        ("project_domain_id", text(&s.project_domain_id)),
        ("project_id", text(&s.project_id)),
        ("project_name", text(&s.project_name)),
        ("token", secret(&s.token)),
        ("user_domain_name", text(&s.user_domain_name)),
        ("user_id", text(&s.user_id)),
        ("username", text(&s.username)),
    ]);
    let mut arguments = present(vec![
        ("api_timeout", s.timeout.map(|timeout| timeout.as_secs().into())),
        ("cacert", text(&s.cacert)),
        ("cert", text(&s.cert)),
        ("cloud", text(&s.cloud)),
        ("interface", text(&s.interface)),
        ("key", secret(&s.key)),
        ("region_name", text(&s.region_name)),
        ("verify", s.verify.map(Value::from)),
    ]);
    if !auth.is_empty() {
        arguments.insert("auth".to_owned(), auth.into());
    }
    arguments.extend(case.also.as_object().cloned().unwrap_or_default());
    arguments.into()
}

fn ours(case: &Case, root: &Path) -> Result<Value, String> {
    let place = root.to_str().unwrap();
    let from = Surroundings {
        environment: case
            .variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.replace("ROOT", place)))
            .collect(),
        current_dir: root.join("work"),
        home_dir: Some(root.join("home")),
        system_dirs: Vec::new(),
    };
    let cloud = resolve(&case.settings, &from).map_err(|error| error.message)?;
    if let Proof::Federated(federation) = &cloud.authentication.proof {
        return Ok(federated(&cloud, federation));
    }
    if let Some(token) = cloud.authentication.token_as_it_is() {
        return Ok(json!({ "the token as it is": token.expose_secret() }));
    }
    Ok(json!({
        "login": {
            "url": format!("{}/auth/tokens", cloud.auth_url),
            "body": serde_json::to_value(cloud.authentication.request()).unwrap(),
            "timeout": cloud.timeout.as_secs_f64(),
            "verify": verify(&cloud.trust),
            "cert": certificate(&cloud.trust),
        },
        "region": cloud.region_name.unwrap_or_default(),
        "interface": cloud.interfaces.join(","),
    }))
}

/// A login by an identity provider, in the form in which the script shows openstacksdk's.
fn federated(cloud: &Cloud, federation: &Federation) -> Value {
    let Federation { identity_provider, protocol, grant } = federation;
    let mut said = json!({
        "url": format!(
            "{}/OS-FEDERATION/identity_providers/{identity_provider}/protocols/{protocol}/auth",
            cloud.auth_url
        ),
        "project": match &cloud.authentication.scope {
            Scope::ProjectId(id) => json!([id, null, null, null]),
            Scope::ProjectName { name, domain: DomainRef::Id(id) } => json!([null, name, id, null]),
            Scope::ProjectName { name, domain: DomainRef::Name(domain) } => {
                json!([null, name, null, domain])
            }
            _ => json!([null, null, null, null]),
        },
    });
    if let Grant::AccessToken(token) = grant {
        said["access_token"] = token.expose_secret().into();
    }
    if let Grant::Password { username, password, .. } = grant {
        said["username"] = username.as_str().into();
        said["password"] = password.expose_secret().into();
    }
    if let Some(client) = grant.client() {
        said["client_id"] = client.id.as_str().into();
        said["scope"] = client.scope.as_str().into();
        said["access_token_type"] = client.token_type.as_str().into();
        if let Some(secret) = &client.secret {
            said["client_secret"] = secret.expose_secret().into();
        }
        let (key, url) = match &client.endpoint {
            TokenEndpoint::At(url) => ("access_token_endpoint", url),
            TokenEndpoint::DiscoveredBy(url) => ("discovery_endpoint", url),
        };
        said[key] = url.as_str().into();
    }
    json!({
        "federation": said,
        "region": cloud.region_name.clone().unwrap_or_default(),
        "interface": cloud.interfaces.join(","),
    })
}

fn path(pem: &Pem) -> Value {
    match pem {
        Pem::File(path) => path.to_str().unwrap().into(),
        Pem::Text(_) => panic!("openstacksdk knows no PEM"),
    }
}

fn verify(trust: &Trust) -> Value {
    match &trust.cacert {
        _ if !trust.verify => false.into(),
        Some(cacert) => path(cacert),
        None => true.into(),
    }
}

fn certificate(trust: &Trust) -> Value {
    match (&trust.cert, &trust.key) {
        (Some(cert), Some(key)) => json!([path(cert), path(key)]),
        (Some(cert), None) => path(cert),
        (None, _) => Value::Null,
    }
}

/// Theirs in the form of ours: no time limit is our default, `publicURL` is `public`.
fn comparable(mut theirs: Value, default_timeout: Option<Value>) -> Value {
    if let Some(login) = theirs.get_mut("login") {
        let seconds = match &login["timeout"] {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        login["timeout"] = seconds.map_or(default_timeout.unwrap_or_default(), Value::from);
    }
    if theirs.get("region") == Some(&Value::Null) {
        theirs["region"] = "".into();
    }
    if let Some(interface) = theirs.get("interface").and_then(Value::as_str) {
        theirs["interface"] = interface.trim_end_matches("URL").into();
    }
    theirs
}
