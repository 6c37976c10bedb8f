//! Which login follows from what was said, and what is no login.

use serde_json::{Value, json};

use super::*;

#[test]
fn two_logins_at_once_are_refused_by_name() {
    let credential = Settings { application_credential_id: some("c"), ..Settings::default() };
    let table = [
        (Settings { password: Some("p".into()), ..credential.clone() }, "password"),
        (Settings { passcode: Some("p".into()), ..credential.clone() }, "passcode"),
        (Settings { token: Some("t".into()), ..credential }, "token"),
        (
            Settings { token: Some("t".into()), password: Some("p".into()), ..Settings::default() },
            "token",
        ),
    ];
    for (settings, blamed) in table {
        let (setting, message) = Place::new(&[], OS_LOGIN).error(&settings);
        assert_eq!(setting, Some(blamed));
        assert!(message.starts_with("two logins at once: "), "{message}");
        assert!(message.contains(&format!(" and {blamed};")), "{message}");
    }
}

#[test]
fn a_method_that_is_not_said_is_seen_from_what_there_is() {
    let url = ("OS_AUTH_URL", "https://x");
    let methods = |variables: &[(&str, &str)]| {
        let mut all = vec![url];
        all.extend(variables);
        let cloud = Place::new(&[], &all).resolve(&Settings::default()).unwrap();
        body(&cloud)["identity"]["methods"].clone()
    };
    let credential =
        [("OS_APPLICATION_CREDENTIAL_ID", "c"), ("OS_APPLICATION_CREDENTIAL_SECRET", "s")];
    assert_eq!(methods(&credential), json!(["application_credential"]));
    assert_eq!(methods(&[("OS_TOKEN", "t")]), json!(["token"]));
    let user = [("OS_USER_ID", "u"), ("OS_PASSWORD", "p"), ("OS_TOKEN", "t")];
    assert_eq!(methods(&user), json!(["password"]));
    assert_eq!(methods(&[("OS_USER_ID", "u"), ("OS_PASSCODE", "1")]), json!(["totp"]));
    let several = [
        ("OS_AUTH_TYPE", "v3multifactor"),
        ("OS_AUTH_METHODS", "v3password,v3totp"),
        ("OS_USER_ID", "u"),
        ("OS_PASSWORD", "p"),
        ("OS_PASSCODE", "1"),
    ];
    assert_eq!(methods(&several), json!(["password", "totp"]));
    assert_eq!(
        methods(&several[..1].iter().chain(&several[2..]).copied().collect::<Vec<_>>()),
        json!(["password", "totp"])
    );
}

#[test]
fn methods_that_are_not_supported_are_told_with_those_that_are() {
    let check = |kind: &str, methods: &str, expected: &str| {
        let place = Place::new(&[], &[("OS_AUTH_TYPE", kind), ("OS_AUTH_METHODS", methods)]);
        let (_, message) = place.error(&Settings::default());
        assert_eq!(message, expected);
    };
    let factors = "password, v3password, token, v3token, v3applicationcredential, v3totp";
    let known = format!(
        "{factors}, v3multifactor, v3oidcaccesstoken, v3oidcclientcredentials, v3oidcpassword"
    );
    check("v3magic", "", &format!("auth_type v3magic is not supported; supported are: {known}"));
    check(
        "v2password",
        "",
        "auth_type v2password is of Identity API v2, which is no more; use v3password",
    );
    check(
        "v3multifactor",
        "v3password,magic",
        &format!("auth_methods may name: {factors}, not v3password, magic"),
    );
}

#[test]
fn a_login_that_cannot_work_here_is_refused_with_the_one_that_does() {
    for (kind, why) in [
        ("v3websso", "a person at a browser"),
        ("v3oidcauthcode", "a person at a browser"),
        ("v3oidcdeviceauthz", "a person at a browser"),
        ("v3samlpassword", "SAML"),
        ("v3adfspassword", "SAML"),
        ("v3kerberos", "Kerberos"),
        ("v3oauth1", "nobody may issue application credentials"),
        ("v3tokenlessauth", "gives no token"),
    ] {
        let (_, message) = Place::new(&[], &[("OS_AUTH_TYPE", kind)]).error(&Settings::default());
        assert!(message.starts_with(&format!("auth_type {kind} ")), "{message}");
        for part in [why, "OS_TOKEN", "--unrestricted", "v3oidcaccesstoken"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[test]
fn what_is_missing_is_named_with_the_three_ways_to_give_it() {
    let (setting, message) = Place::new(&[], &[]).error(&Settings::default());
    assert_eq!(setting, Some("auth_url"));
    assert_eq!(
        message,
        "the OpenStack login is incomplete: the settings lack auth_url, username (or user_id), password. Give it in one of three ways: \
         as settings of these names, as a cloud of clouds.yaml chosen by cloud or OS_CLOUD; there is \
         no clouds.yaml (looked for ROOT/here/clouds.yaml, ROOT/home/.config/openstack/clouds.yaml, \
         ROOT/etc/xdg/openstack/clouds.yaml, ROOT/etc/openstack/clouds.yaml), or as variables \
         (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD)"
    );
    let lacks = |variables: &[(&str, &str)], expected: &str| {
        let (_, message) = Place::new(&[], variables).error(&Settings::default());
        assert!(
            message.contains(&format!("the OS_* variables lack {expected}. Give")),
            "{message}"
        );
    };
    let url = ("OS_AUTH_URL", "https://x");
    lacks(&[url], "username (or user_id), password");
    lacks(&[url, ("OS_PASSWORD", "p")], "username (or user_id)");
    lacks(
        &[url, ("OS_USERNAME", "u"), ("OS_PROJECT_NAME", "p")],
        "user_domain_name (or user_domain_id), password, project_domain_name (or project_domain_id)",
    );
    lacks(
        &[url, ("OS_AUTH_TYPE", "v3applicationcredential")],
        "application_credential_secret, application_credential_id (or application_credential_name and its user)",
    );
    lacks(
        &[url, ("OS_APPLICATION_CREDENTIAL_NAME", "n"), ("OS_APPLICATION_CREDENTIAL_SECRET", "s")],
        "username (or user_id)",
    );
    let two = clouds(&["a", "b"]);
    let place = Place::new(&[("here/clouds.yaml", &two)], &[]);
    let (_, message) = place.error(&Settings::default());
    assert!(message.contains("ROOT/here/clouds.yaml has: a, b"), "{message}");
    let (setting, message) = place.error(&named("c"));
    assert_eq!(setting, Some("cloud"));
    assert_eq!(
        message,
        "cloud names the cloud \"c\", which is not there; ROOT/here/clouds.yaml has: a, b"
    );
    let place = Place::new(&[], &[("OS_CLOUD", "c")]);
    let (_, message) = place.error(&Settings::default());
    assert!(message.starts_with(
        "OS_CLOUD names the cloud \"c\", which is not there; there is no clouds.yaml"
    ));
}

#[test]
fn who_logs_in_is_told_with_the_place() {
    let one = clouds(&["mine"]);
    let place = Place::new(&[("home/.config/openstack/clouds.yaml", &one)], &[]);
    assert_eq!(
        place.resolve(&Settings::default()).unwrap().whom(),
        "the user mine at https://mine/v3 (cloud mine, from ~/.config/openstack/clouds.yaml)"
    );
    assert_eq!(
        Place::new(&[], OS_LOGIN).resolve(&Settings::default()).unwrap().whom(),
        "env at https://env:5000/v3 (from OS_AUTH_URL, OS_PASSWORD, OS_PROJECT_NAME, OS_USERNAME)"
    );
}

#[test]
fn an_identity_provider_may_vouch() {
    let common = [
        ("OS_AUTH_URL", "https://k"),
        ("OS_IDENTITY_PROVIDER", "gitlab"),
        ("OS_PROTOCOL", "openid"),
        ("OS_PROJECT_ID", "p1"),
    ];
    let resolved = |more: &[(&str, &str)], settings: &Settings| {
        let variables: Vec<_> = common.iter().chain(more).copied().collect();
        Place::new(&[], &variables).resolve(settings).map(|cloud| {
            let Proof::Federated(federation) = cloud.authentication.proof else { panic!() };
            assert_eq!(federation.identity_provider, "gitlab");
            assert_eq!(federation.protocol, "openid");
            assert_eq!(cloud.authentication.scope, Scope::ProjectId("p1".to_owned()));
            federation.grant
        })
    };
    let none = Settings::default();
    for kind in [&[("OS_AUTH_TYPE", "v3oidcaccesstoken")][..], &[]] {
        let more = [kind, &[("OS_ACCESS_TOKEN", "eyJ.config-tests")]].concat();
        let Grant::AccessToken(token) = resolved(&more, &none).unwrap() else { panic!() };
        assert_eq!(token.expose_secret(), "eyJ.config-tests");
    }
    let client = [
        ("OS_CLIENT_ID", "ci"),
        ("OS_CLIENT_SECRET", "config-tests-cs"),
        ("OS_DISCOVERY_ENDPOINT", "https://i/.well-known/openid-configuration"),
    ];
    let Grant::ClientCredentials(of_client) = resolved(&client, &none).unwrap() else { panic!() };
    assert_eq!((of_client.id.as_str(), of_client.scope.as_str()), ("ci", "openid profile"));
    assert!(matches!(of_client.endpoint, TokenEndpoint::DiscoveredBy(_)));
    let user = [
        ("OS_AUTH_TYPE", "v3oidcpassword"),
        ("OS_CLIENT_ID", "ci"),
        ("OS_ACCESS_TOKEN_ENDPOINT", "https://i/token"),
        ("OS_USERNAME", "alice"),
        ("OS_OPENID_SCOPE", "openid"),
        ("OS_ACCESS_TOKEN_TYPE", "id_token"),
    ];
    let password = Settings { password: Some("config-tests-pw".into()), ..Settings::default() };
    let Grant::Password { client, username, .. } = resolved(&user, &password).unwrap() else {
        panic!()
    };
    assert_eq!((username.as_str(), client.secret.is_none()), ("alice", true));
    assert_eq!(client.endpoint, TokenEndpoint::At("https://i/token".to_owned()));
    assert_eq!((client.scope.as_str(), client.token_type.as_str()), ("openid", "id_token"));

    let lacks = |more: &[(&str, &str)], expected: &str| {
        let message = resolved(more, &none).unwrap_err().message;
        assert!(message.contains(&format!("lack {expected}. Give")), "{message}");
    };
    lacks(&[("OS_AUTH_TYPE", "v3oidcaccesstoken")], "access_token");
    lacks(
        &[("OS_AUTH_TYPE", "v3oidcclientcredentials"), ("OS_CLIENT_ID", "ci")],
        "client_secret, discovery_endpoint (or access_token_endpoint)",
    );
    let (_, message) =
        Place::new(&[], &[("OS_AUTH_URL", "https://k"), ("OS_ACCESS_TOKEN", "eyJ.x")]).error(&none);
    assert!(message.contains("lack identity_provider, protocol. Give"), "{message}");
}

#[test]
fn a_token_without_a_scope_is_used_as_it_is() {
    let login = |more: &[(&str, &str)]| {
        let mut variables = vec![("OS_AUTH_URL", "https://k"), ("OS_TOKEN", "config-tests-token")];
        variables.extend(more);
        Place::new(&[], &variables).resolve(&Settings::default()).unwrap().authentication
    };
    assert!(login(&[]).token_as_it_is().is_some());
    assert!(login(&[]).only_once().is_some());
    assert!(login(&[("OS_PROJECT_ID", "p")]).token_as_it_is().is_none());
    assert!(login(&[("OS_SYSTEM_SCOPE", "all")]).token_as_it_is().is_none());
    // from a file, which ends with a line end
    for token in ["config-tests-token\n", " config-tests-token\r\n"] {
        let given = login(&[("OS_TOKEN", token)]);
        assert_eq!(given.token_as_it_is().unwrap().expose_secret(), "config-tests-token");
    }
    let blank = [("OS_AUTH_URL", "https://k"), ("OS_TOKEN", " \n"), ("OS_PROJECT_ID", "p")];
    let (_, message) = Place::new(&[], &blank).error(&Settings::default());
    assert!(message.contains("lack token"), "{message}");
}

#[test]
fn a_token_is_for_one_thing() {
    let scope = |variables: &[(&str, &str)]| {
        let mut all = vec![("OS_AUTH_URL", "https://x"), ("OS_USER_ID", "u"), ("OS_PASSWORD", "p")];
        all.extend(variables);
        let cloud = Place::new(&[], &all).resolve(&Settings::default());
        cloud.map(|cloud| body(&cloud)["scope"].clone())
    };
    assert_eq!(scope(&[]).unwrap(), Value::Null);
    assert_eq!(scope(&[("OS_DOMAIN_ID", "d")]).unwrap(), json!({ "domain": { "id": "d" } }));
    let system = ("OS_SYSTEM_SCOPE", "all");
    assert_eq!(scope(&[system]).unwrap(), json!({ "system": { "all": true } }));
    assert_eq!(scope(&[("OS_TRUST_ID", "t")]).unwrap(), json!({ "OS-TRUST:trust": { "id": "t" } }));
    let error = scope(&[system, ("OS_PROJECT_ID", "p")]).unwrap_err();
    assert_eq!(error.message, "a token cannot be for a project and a system at once; keep one");
    assert!(scope(&[("OS_SYSTEM_SCOPE", "some")]).is_err());
}
