use super::*;
use crate::redaction::ExposeSecret;

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

fn choose(choice: &Overrides<'_>) -> Result<Access, AccessError> {
    parse(TWO)?.choose(choice, &Surroundings::default())
}

fn as_user(user: &str) -> Result<Access, AccessError> {
    choose(&Overrides { user: Some(user), ..Overrides::default() })
}

#[test]
fn the_current_context_is_taken() {
    let access = choose(&Overrides::default()).unwrap();
    assert_eq!(access.server(), "https://prod.example:6443");
    assert_eq!(access.server_name.as_deref(), Some("kubernetes"));
    assert!(
        matches!(&access.trust, Trust::Certificates(pem) if pem.expose_secret().starts_with("-----BEGIN"))
    );
    assert_eq!(access.proxies.given().unwrap().expose_secret(), "http://proxy.example:3128");
    let identity = access.login.identity.unwrap();
    assert_eq!(identity.certificate.expose_secret(), "cert");
    assert_eq!(identity.key.expose_secret(), "key");
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
    let test = Overrides { context: Some("test"), user: Some("basic"), ..Overrides::default() };
    let access = choose(&test).unwrap();
    assert_eq!(access.server(), "https://test.example");
    assert!(matches!(access.trust, Trust::Anybody));
    assert!(access.login.identity.is_none());
    let access =
        choose(&Overrides { cluster: Some("test-cluster"), ..Overrides::default() }).unwrap();
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
    assert_eq!(exec.cluster.unwrap()["audience"], "prod");
}

#[test]
fn logins_that_cannot_serve_are_refused() {
    assert!(as_user("half").unwrap_err().message.contains("not both"));
    assert!(as_user("legacy").unwrap_err().message.contains("auth-provider \"gcp\""));
}

#[test]
fn what_is_missing_is_named_with_what_is_there() {
    let error = choose(&Overrides { context: Some("stage"), ..Overrides::default() }).unwrap_err();
    let wanted = r#"the kubeconfig given has no context "stage"; it has: broken, prod, test"#;
    assert_eq!(error, blame("config_context", wanted.to_owned()));
    let error = choose(&Overrides { context: Some("broken"), ..Overrides::default() }).unwrap_err();
    assert!(error.message.contains("has no cluster \"gone\"; it has: prod-cluster, test-cluster"));
    let empty = parse("").unwrap().choose(&Overrides::default(), &Surroundings::default());
    assert!(empty.unwrap_err().message.contains("has no current context"));
}

#[test]
fn an_address_from_elsewhere_needs_no_context() {
    let choice = Overrides { server_is_known: true, ..Overrides::default() };
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
        read(&paths).unwrap().choose(&Overrides::default(), &Surroundings::default()).unwrap();
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
    let missing = merged.choose(&Overrides::default(), &Surroundings::default()).unwrap_err();
    assert!(missing.message.contains("ca.pem cannot be read"), "{missing}");
    std::fs::write(folder.path().join("ca.pem"), "the CA").unwrap();
    let access = merged.choose(&Overrides::default(), &Surroundings::default()).unwrap();
    assert!(matches!(&access.trust, Trust::Certificates(pem) if pem.expose_secret() == "the CA"));
}

#[test]
fn a_file_that_is_no_kubeconfig_is_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, "users:\n- name: me\n  user: {token: [hunter2]}\n").unwrap();
    let read_user = |path: &PathBuf| {
        let chosen = Overrides { user: Some("me"), server_is_known: true, ..Overrides::default() };
        read(std::slice::from_ref(path)).unwrap().choose(&chosen, &Surroundings::default())
    };
    let error = read_user(&path).unwrap_err();
    assert!(error.message.contains("is no kubeconfig: see users[0].user.token"), "{error}");
    std::fs::write(&path, "users:\n- name: \"hunter2\n").unwrap();
    let broken = read(std::slice::from_ref(&path)).unwrap_err();
    assert!(broken.message.contains("is no kubeconfig: see line "), "{broken}");
    assert!(!format!("{broken:?}").contains("hunter2"), "{broken:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let missing = folder.path().join("missing");
    assert!(read(&[missing]).unwrap_err().message.contains("missing cannot be read"));
    let text = TWO.replace("Y2VydA==", "hunter2!");
    let error = parse(&text).unwrap().choose(&Overrides::default(), &Surroundings::default());
    assert_eq!(
        error.unwrap_err().message,
        "the kubeconfig's client-certificate-data is not base64"
    );
}

/// Entries that the chosen context does not use, and nulls for what is empty: as people have them.
#[test]
fn what_nobody_uses_may_be_of_any_shape() {
    let text = r#"
current-context: x
current-context: prod
preferences: null
clusters:
- {name: prod, cluster: {server: "https://prod.example", certificate-authority: null, proxy-url: null, extensions: [{name: e}]}}
- {name: odd, cluster: {server: [1]}}
- {cluster: {}}
- 7
users:
- {name: me, user: {token: t, exec: null, as-groups: null, auth-provider: null, password: null}}
- {name: gcp, user: {auth-provider: {name: gcp, config: null}}}
- {name: plugin, user: {exec: {command: c, args: null, env: [{name: A, value: null}, {value: x}],
    provideClusterInfo: null, interactiveMode: "", installHint: null}}}
contexts:
- {name: prod, context: {cluster: prod, user: me, namespace: null}}
- {name: empty, context: null}
- {context: {}}
"#;
    let merged = parse(text).unwrap();
    let with = |overrides: &Overrides<'_>| merged.choose(overrides, &Surroundings::default());
    assert_eq!(with(&Overrides::default()).unwrap().server(), "https://prod.example");
    let plugin = with(&Overrides { user: Some("plugin"), ..Overrides::default() }).unwrap();
    let Authorization::Exec(plugin) = plugin.login.authorization else { panic!("no plugin") };
    assert_eq!(plugin.env, [("A".to_owned(), String::new())].into());
    let odd = with(&Overrides { cluster: Some("odd"), ..Overrides::default() }).unwrap_err();
    assert_eq!(
        odd.message,
        "the kubeconfig given is no kubeconfig: see clusters[1].cluster.server"
    );
    let empty = with(&Overrides { context: Some("empty"), ..Overrides::default() }).unwrap_err();
    assert_eq!(empty.message, "the cluster \"\" of the kubeconfig given has no server");
}

#[test]
fn of_several_files_some_may_be_missing_or_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("one"), "current-context: \"\"").unwrap();
    std::fs::write(path("two"), TWO).unwrap();
    let paths = [path("missing"), path("one"), path("two")];
    let access = read(&paths).unwrap().choose(&Overrides::default(), &Surroundings::default());
    assert_eq!(access.unwrap().server(), "https://prod.example:6443");
    let error = read(&[path("missing"), path("also")]).unwrap_err();
    assert!(error.message.ends_with("also are not there"), "{error}");
}

#[test]
fn a_user_that_is_named_and_not_there_is_not_nobody() {
    let error = as_user("noboby").unwrap_err();
    assert_eq!(error.setting, Some("config_context_auth_info"));
    assert!(error.message.contains("has no user \"noboby\"; it has: admin, basic"), "{error}");
    let test = Overrides { context: Some("test"), ..Overrides::default() };
    assert!(choose(&test).unwrap_err().message.contains("has no user \"missing\""));
    let access = choose(&Overrides { login_is_known: true, ..test }).unwrap();
    assert!(matches!(access.login.authorization, Authorization::None));
}

/// kubectl refuses the whole file; which of two is meant is not to be guessed.
#[test]
fn of_two_entries_with_one_name_none_is_taken() {
    let doubled = |list: &str, entry: &str| {
        let text = TWO.replace(&format!("{list}:\n"), &format!("{list}:\n- {entry}\n"));
        let access = parse(&text).unwrap().choose(&Overrides::default(), &Surroundings::default());
        access.map(|_| ()).map_err(|error| error.message)
    };
    for (list, entry) in [
        ("users", "{name: admin, user: {token: hunter2}}"),
        ("clusters", "{name: prod-cluster, cluster: {server: https://elsewhere}}"),
        ("contexts", "{name: prod, context: {cluster: test-cluster}}"),
    ] {
        let error = doubled(list, entry).unwrap_err();
        let wanted = format!("the kubeconfig given has two {list} that are named ");
        assert!(error.starts_with(&wanted) && !error.contains("hunter2"), "{error}");
    }
    assert_eq!(doubled("users", "{name: basic}"), Ok(()), "nobody uses it");
}

#[test]
fn only_the_first_document_is_read() {
    let other =
        "current-context: other\ncontexts: [{name: other, context: {cluster: test-cluster}}]";
    let access =
        |text: String| parse(&text)?.choose(&Overrides::default(), &Surroundings::default());
    for rest in [other, "{[", "7"] {
        let access = access(format!("---\n{TWO}\n---\n{rest}\n")).unwrap();
        assert_eq!(access.server(), "https://prod.example:6443", "{rest}");
    }
    assert!(access(format!("apiVersion: v1\n---\n{TWO}")).is_err());
}

#[test]
fn the_token_file_wins_over_the_token() {
    let text = "users: [{name: me, user: {token: old, tokenFile: /run/token}}]";
    let me = Overrides { user: Some("me"), server_is_known: true, ..Overrides::default() };
    let access = parse(text).unwrap().choose(&me, &Surroundings::default()).unwrap();
    assert!(matches!(access.login.authorization, Authorization::TokenFile(_)));
}

#[test]
fn what_cannot_go_together_or_be_sent_is_refused() {
    let of = |cluster: &str, user: &str| {
        let text = format!(
            "clusters: [{{name: c, cluster: {{server: https://c{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n\
             contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x"
        );
        let access = parse(&text).unwrap().choose(&Overrides::default(), &Surroundings::default());
        access.map_err(|error| error.message)
    };
    assert!(of("", "token: t").is_ok());
    let both = ", insecure-skip-tls-verify: true, certificate-authority-data: Y2E=";
    assert!(of(both, "").unwrap_err().contains("one of them has to go"));
    let proxy = of(", proxy-url: \"sock5://u:hunter2@p\"", "").unwrap_err();
    assert!(proxy.contains("the kubeconfig's proxy-url: the scheme sock5"), "{proxy}");
    assert!(!proxy.contains("hunter2"));
    for user in [r#"as: "a\nb""#, r#"as: a, as-groups: ["\t\u0007"]"#, "as-groups: [a]"] {
        assert!(of("", user).is_err(), "{user}");
    }
    assert!(of("", "as: jürgen").is_ok());
    let two_logins = "one login has to go";
    assert!(of("", "token: t, username: u").unwrap_err().contains(two_logins));
    assert!(of("", "tokenFile: /run/token, password: p").unwrap_err().contains(two_logins));
    // never nobody instead
    assert!(
        of("", "token: \" \\n\"").unwrap_err().ends_with("a token that is nothing but white space")
    );
    let broken = of("", "token: \"hunter2\\nhunter3\"").unwrap_err();
    assert!(
        broken.contains("a token that has a line break") && !broken.contains("hunter"),
        "{broken}"
    );
    assert!(of("", "token: \" t\\r\\n\"").is_ok());
    let address = of("/?token=hunter2", "").unwrap_err();
    assert!(address.contains("query") && !address.contains("hunter2"), "{address}");
}

#[test]
fn a_file_from_another_system_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        mark.into_iter().chain(TWO.encode_utf16().flat_map(unit)).collect::<Vec<_>>()
    };
    let texts = [
        utf16(u16::to_le_bytes, [0xff, 0xfe]),
        utf16(u16::to_be_bytes, [0xfe, 0xff]),
        [&[0xef, 0xbb, 0xbf], TWO.as_bytes()].concat(),
    ];
    for text in texts {
        std::fs::write(&path, text).unwrap();
        let merged = read(std::slice::from_ref(&path)).unwrap();
        let access = merged.choose(&Overrides::default(), &Surroundings::default()).unwrap();
        assert_eq!(access.server(), "https://prod.example:6443");
    }
    // A CA whose comments are in an old encoding
    let ca = [b"# f\xfcr \n", "-----BEGIN CERTIFICATE-----".as_bytes()].concat();
    std::fs::write(folder.path().join("ca"), ca).unwrap();
    std::fs::write(
        &path,
        "clusters: [{name: c, cluster: {server: https://c, certificate-authority: ca}}]\n\
         contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x",
    )
    .unwrap();
    let merged = read(std::slice::from_ref(&path)).unwrap();
    let access = merged.choose(&Overrides::default(), &Surroundings::default()).unwrap();
    assert!(
        matches!(&access.trust, Trust::Certificates(pem) if pem.expose_secret().contains("BEGIN"))
    );
}

#[test]
fn a_bomb_is_refused() {
    let mut text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text = format!("{text}a{level}: &a{level} [{aliases}]\n");
    }
    let error = parse(&text).unwrap_err();
    assert!(error.message.contains("is no kubeconfig"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let endless = read(&[PathBuf::from("/dev/zero")]).unwrap_err();
    assert!(
        endless.message.contains("/dev/zero cannot be read: it is not a regular file"),
        "{endless}"
    );
    let large = folder.path().join("large");
    std::fs::write(&large, vec![b' '; 5 * 1024 * 1024]).unwrap();
    assert!(read(&[large]).unwrap_err().message.contains("larger than"));
}
