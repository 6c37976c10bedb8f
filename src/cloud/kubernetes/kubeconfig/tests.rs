use super::*;

const TWO: &str = r#"
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod-cluster
  cluster:
    server: https://prod.example:6443
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t
    tls-server-name: kubernetes
    proxy-url: http://proxy.example:3128
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: prod}
- name: test-cluster
  cluster: {server: "https://test.example", insecure-skip-tls-verify: true}
users:
- name: admin
  user: {client-certificate-data: Y2VydA==, client-key-data: a2V5, as: boss, as-groups: [a, b], as-user-extra: {Acme/Project: [x]}}
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: get-token
      args: [--for, prod]
      env: [{name: REGION, value: nz-por-1}]
      provideClusterInfo: true
      installHint: see the wiki
- name: file
  user: {tokenFile: /run/token}
- name: basic
  user: {username: u, password: p}
- name: half
  user: {client-certificate-data: Y2VydA==}
- name: legacy
  user: {auth-provider: {name: gcp}}
- name: nothing
contexts:
- {name: prod, context: {cluster: prod-cluster, user: admin}}
- {name: test, context: {cluster: test-cluster, user: missing}}
- {name: broken, context: {cluster: gone, user: admin}}
"#;

fn choose(choice: &Choice<'_>) -> Result<Access, AccessError> {
    parse(TWO)?.choose(choice, &Surroundings::default())
}

fn as_user(user: &str) -> Result<Access, AccessError> {
    choose(&Choice { user: Some(user), ..Choice::default() })
}

#[test]
fn the_current_context_is_taken() {
    let access = choose(&Choice::default()).unwrap();
    assert_eq!(access.server(), "https://prod.example:6443");
    assert_eq!(access.server_name.as_deref(), Some("kubernetes"));
    assert!(matches!(&access.trust, Trust::Certificates(pem) if pem.starts_with("-----BEGIN")));
    assert!(
        matches!(&access.proxy, Proxy::Url(url) if url.expose_secret() == "http://proxy.example:3128")
    );
    let identity = access.login.identity.unwrap();
    assert_eq!((&*identity.certificate, identity.key.expose_secret()), ("cert", "key"));
    let headers = [
        ("impersonate-user", "boss"),
        ("impersonate-group", "a"),
        ("impersonate-group", "b"),
        ("impersonate-extra-acme%2Fproject", "x"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(access.impersonation.0, headers);
}

#[test]
fn another_context_cluster_and_user_can_be_chosen() {
    let access = choose(&Choice { context: Some("test"), ..Choice::default() }).unwrap();
    assert_eq!(access.server(), "https://test.example");
    assert!(matches!(access.trust, Trust::Anybody));
    // A user that is not there is nobody.
    assert!(access.login.identity.is_none());
    let access = choose(&Choice { cluster: Some("test-cluster"), ..Choice::default() }).unwrap();
    assert_eq!(access.server(), "https://test.example");
    assert!(access.login.identity.is_some());
}

#[test]
fn every_kind_of_login_is_understood() {
    let authorization = |user| as_user(user).unwrap().login.authorization;
    assert!(
        matches!(authorization("file"), Authorization::TokenFile(path) if path.ends_with("token"))
    );
    assert!(
        matches!(authorization("basic"), Authorization::Basic { username, .. } if username == "u")
    );
    assert!(matches!(authorization("nothing"), Authorization::None));
    let Authorization::Exec(exec) = authorization("plugin") else { panic!("no plugin") };
    assert_eq!(exec.command, "get-token");
    assert_eq!(exec.args, ["--for", "prod"]);
    assert_eq!(exec.env["REGION"], "nz-por-1");
    assert_eq!(exec.install_hint.as_deref(), Some("see the wiki"));
    let cluster = exec.cluster.unwrap();
    assert_eq!(cluster["server"], "https://prod.example:6443");
    assert_eq!(cluster["config"]["audience"], "prod");
    assert_eq!(cluster["certificate-authority-data"], "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t");
    assert!(cluster.get("insecure-skip-tls-verify").is_none());
}

#[test]
fn logins_that_cannot_serve_are_refused() {
    assert!(as_user("half").unwrap_err().message.contains("not both"));
    assert!(as_user("legacy").unwrap_err().message.contains("auth-provider \"gcp\""));
}

#[test]
fn what_is_missing_is_named_with_what_is_there() {
    let error = choose(&Choice { context: Some("stage"), ..Choice::default() }).unwrap_err();
    let wanted = r#"the kubeconfig given has no context "stage"; it has: broken, prod, test"#;
    assert_eq!(error, blame("config_context", wanted.to_owned()));
    let error = choose(&Choice { context: Some("broken"), ..Choice::default() }).unwrap_err();
    assert!(error.message.contains("has no cluster \"gone\"; it has: prod-cluster, test-cluster"));
    let empty = parse("").unwrap().choose(&Choice::default(), &Surroundings::default());
    assert!(empty.unwrap_err().message.contains("has no current context"));
}

#[test]
fn an_address_from_elsewhere_needs_no_context() {
    let choice = Choice { server_is_known: true, ..Choice::default() };
    parse("{}").unwrap().choose(&choice, &Surroundings::default()).unwrap();
}

#[test]
fn files_are_merged_and_the_first_wins() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one", "two"].map(|name| folder.path().join(name));
    std::fs::write(
        &paths[0],
        "current-context: prod\nusers: [{name: admin, user: {token: first}}]",
    )
    .unwrap();
    std::fs::write(&paths[1], TWO).unwrap();
    let access =
        read(&paths).unwrap().choose(&Choice::default(), &Surroundings::default()).unwrap();
    assert!(
        matches!(&access.login.authorization, Authorization::Token(token) if token.expose_secret() == "first")
    );
    assert!(access.login.identity.is_none());
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let text = "clusters: [{name: c, cluster: {server: https://c, certificate-authority: ca.pem}}]\n\
        contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x";
    std::fs::write(&path, text).unwrap();
    let merged = read(std::slice::from_ref(&path)).unwrap();
    let missing = merged.choose(&Choice::default(), &Surroundings::default()).unwrap_err();
    assert!(missing.message.contains("ca.pem cannot be read"), "{missing}");
    std::fs::write(folder.path().join("ca.pem"), "the CA").unwrap();
    let access = merged.choose(&Choice::default(), &Surroundings::default()).unwrap();
    assert!(matches!(&access.trust, Trust::Certificates(pem) if pem == "the CA"));
}

#[test]
fn a_file_that_is_no_kubeconfig_is_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, "users:\n- name: me\n  user: {token: [hunter2]}\n").unwrap();
    let error = read(std::slice::from_ref(&path)).unwrap_err();
    assert!(error.message.contains("is no kubeconfig: see users[0].user.token"), "{error}");
    std::fs::write(&path, "users:\n- name: \"hunter2\n").unwrap();
    let broken = read(std::slice::from_ref(&path)).unwrap_err();
    assert!(broken.message.contains("is no kubeconfig: see line "), "{broken}");
    assert!(!format!("{broken:?}").contains("hunter2"), "{broken:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let missing = folder.path().join("missing");
    assert!(read(&[missing]).unwrap_err().message.contains("missing cannot be read"));
    let text = TWO.replace("Y2VydA==", "hunter2!");
    let error = parse(&text).unwrap().choose(&Choice::default(), &Surroundings::default());
    assert_eq!(
        error.unwrap_err().message,
        "the kubeconfig's client-certificate-data is not base64"
    );
}
