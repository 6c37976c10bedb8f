//! Which files count, and what of them does.

use serde_json::json;

use super::*;

#[test]
fn the_nearest_file_counts_and_only_it() {
    let all = [
        ("chosen.yaml", "chosen"),
        ("here/clouds.yaml", "work-yaml"),
        ("here/clouds.yml", "work-yml"),
        ("here/clouds.json", "work-json"),
        ("xdg/openstack/clouds.yaml", "xdg"),
        ("home/.config/openstack/clouds.yaml", "home"),
        ("etc/xdg/openstack/clouds.yaml", "site"),
        ("etc/openstack/clouds.yaml", "etc"),
    ];
    let variables =
        [("OS_CLIENT_CONFIG_FILE", "ROOT/chosen.yaml"), ("XDG_CONFIG_HOME", "ROOT/xdg")];
    for first in 0..all.len() {
        let texts: Vec<_> = all[first..]
            .iter()
            .map(|(path, name)| {
                let json = path.ends_with("json").then(|| {
                    json!({ "clouds": { *name: { "auth": {
                        "auth_url": "https://x", "user_id": *name, "password": "pw",
                    }}}})
                    .to_string()
                });
                (*path, json.unwrap_or_else(|| clouds(&[name])))
            })
            .collect();
        let files: Vec<_> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
        // A file that is named must be there: without it, the variable is not set.
        let set = if first == 0 { &variables[..] } else { &variables[1..] };
        let cloud = Place::new(&files, set).resolve(&Settings::default()).unwrap();
        assert_eq!(cloud.name.as_deref(), Some(all[first].1));
        assert_eq!(user(&cloud), all[first].1);
    }
}

#[test]
fn a_brace_that_names_nothing_is_itself() {
    let values = [("a".to_owned(), "A".to_owned())].into();
    for (text, expected) in [
        ("p}w", "p}w"),
        ("a}b{a}", "a}bA"),
        ("${a}", "$A"),
        ("{{a}}", "{a}"),
        ("{}}x}", "{}x}"),
        ("{", "{"),
    ] {
        assert_eq!(super::layers::formatted(text, &values), expected, "{text}");
    }
    // In any variable, be it of ours or not.
    let variables = [
        ("OS_AUTH_URL", "https://k/v3"),
        ("OS_USER_ID", "u"),
        ("OS_PASSWORD", "p}w"),
        ("OS_PROJECT_ID", "p"),
        ("OS_UNUSED", "{}}x}"),
    ];
    let cloud = Place::new(&[], &variables).resolve(&Settings::default()).unwrap();
    let secrets: Vec<_> = cloud.authentication.secrets().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["p}w"]);
}

#[test]
fn secure_yaml_completes_and_a_profile_precedes() {
    let files = [
        (
            "here/clouds.yaml",
            "clouds:\n  mine:\n    profile: vendor\n    auth: {user_id: u, project-id: p}\n",
        ),
        ("etc/openstack/secure.yaml", "clouds: {mine: {auth: {password: hidden}}}"),
        (
            "home/.config/openstack/clouds-public.yaml",
            "public-clouds:\n  vendor:\n    auth: {auth_url: 'https://{region_name}.vendor'}\n    \
             region_name: r1\n    interface: internalURL\n    api_timeout: 7\n",
        ),
    ];
    let cloud = Place::new(&files, &[]).resolve(&Settings::default()).unwrap();
    assert_eq!(cloud.auth_url, "https://r1.vendor/v3");
    assert_eq!(cloud.region_name.as_deref(), Some("r1"));
    assert_eq!(cloud.interfaces, ["internal"]);
    assert_eq!(cloud.timeout, Duration::from_secs(7));
    let secrets: Vec<_> = cloud.authentication.secrets().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["hidden"]);
    assert!(!format!("{cloud:?}").contains("hidden"));

    let place = Place::new(&files[..2], &[]);
    let (setting, message) = place.error(&Settings::default());
    assert_eq!(setting, Some("cloud"));
    assert!(message.starts_with(
        "cloud \"mine\" has the profile \"vendor\", which is expected in a clouds-public.yaml"
    ));
    // with an address of its own it does without, and says so
    let cloud =
        place.resolve(&Settings { auth_url: some("https://own"), ..named("mine") }).unwrap();
    assert!(
        matches!(cloud.warnings.as_slice(), [Caveat::ProfileNotUsed { profile, .. }] if profile == "vendor")
    );
}

#[test]
fn trust_is_collected_from_settings_and_files() {
    let text = "clouds:\n  c:\n    auth: {auth_url: 'https://x', user_id: u, password: p}\n    \
                cacert: ~/ca.pem\n    cert: client.pem\n    key: /k.pem\n    verify: no\n";
    let place = Place::new(&[("here/clouds.yaml", text)], &[]);
    let cloud = place.resolve(&Settings::default()).unwrap();
    let file = |pem: Option<Pem>| match pem {
        Some(Pem::File(path)) => {
            path.to_str().unwrap().replace(place.root.path().to_str().unwrap(), "ROOT")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(file(cloud.trust.cacert), "ROOT/home/ca.pem");
    assert_eq!(file(cloud.trust.cert), "ROOT/here/client.pem");
    assert_eq!(file(cloud.trust.key), "/k.pem");
    assert!(!cloud.trust.verify);
    assert_eq!(cloud.warnings, [Caveat::NotVerified]);
    let explicit = Settings {
        verify: Some(true),
        cacert: some("-----BEGIN CERTIFICATE-----\n"),
        timeout: Some(Duration::from_secs(3)),
        ..Settings::default()
    };
    let cloud = place.resolve(&explicit).unwrap();
    assert!(cloud.trust.verify && matches!(cloud.trust.cacert, Some(Pem::Text(_))));
    assert_eq!((cloud.timeout, cloud.warnings.len()), (Duration::from_secs(3), 0));
    let verify = |variable: (&'static str, &'static str)| {
        let mut variables = OS_LOGIN.to_vec();
        variables.push(variable);
        Place::new(&[], &variables).resolve(&Settings::default()).unwrap().trust
    };
    assert!(!verify(("OS_INSECURE", "true")).verify);
    assert!(verify(("OS_INSECURE", "False")).verify);
    assert!(!verify(("OS_VERIFY", "false")).verify);
    assert_eq!(file(verify(("OS_CACERT", "/ca.pem")).cacert), "/ca.pem");
    assert_eq!(file(verify(("OS_VERIFY", "/bundle.pem")).cacert), "/bundle.pem");
}

#[test]
fn files_that_cannot_be_used_are_named_and_not_quoted() {
    let check = |path: &str, text: &str, expected: &str| {
        let (_, message) = Place::new(&[(path, text)], &[]).error(&Settings::default());
        assert_eq!(message, format!("ROOT/{path} cannot be used: {expected}"));
    };
    check("here/clouds.yaml", "clouds:\n  a: [secret\n", "it is not YAML (line 2, column 6)");
    check("here/clouds.json", "{\"clouds\": secret}", "it is not JSON (line 1, column 12)");
    check("here/clouds.yaml", "- secret\n", "it is not a mapping with a key clouds");
    let vault = "clouds:\n  a:\n    auth: {password: !vault secret}\n";
    check(
        "here/clouds.yaml",
        vault,
        "it has a tag near line 3, a word that begins with !, which means nothing here: quote a text that begins so, and \
         write out what another program would fill in (!vault, !ENV)",
    );
    let spelled_twice =
        "clouds: {a: {auth: {auth-url: https://secret, auth_url: https://secret.example}}}";
    check("here/clouds.yaml", spelled_twice, "auth-url and auth_url are the same key; keep one");
    check(
        "here/clouds.yaml",
        "clouds: {a: {<<: secret}}",
        "it merges (<<) something that is no mapping",
    );
    check("here/secure.yaml", "clouds: 'secret", "it is not YAML (line 1, column 9)");
    let place = Place::new(&[("here/clouds.yaml", "clouds: {a: secret}")], &[]);
    let (_, message) = place.error(&named("a"));
    assert_eq!(message, "the cloud \"a\" in clouds.yaml is not a mapping");
    let place = Place::new(&[("here/clouds.yaml", &clouds(&["envvars"]))], &[]);
    assert!(place.error(&Settings::default()).1.contains("OS_CLOUD_NAME"));
    let empty = Place::new(&[("here/clouds.yaml", "")], &[]);
    assert!(empty.error(&Settings::default()).1.contains("ROOT/here/clouds.yaml has no clouds"));
}

#[test]
fn a_file_that_is_named_is_the_one() {
    let one = clouds(&["only"]);
    let files = [("here/clouds.yaml", one.as_str())];
    for variable in ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"] {
        let (_, message) =
            Place::new(&files, &[(variable, "ROOT/typo.yaml")]).error(&Settings::default());
        assert_eq!(
            message,
            format!(
                "{variable} names ROOT/typo.yaml, which cannot be used: it is not there; correct or \
                 unset it"
            )
        );
        let (_, message) =
            Place::new(&files, &[(variable, "~/clouds.yaml")]).error(&Settings::default());
        assert!(message.contains("nobody has expanded its ~"), "{message}");
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    for device in ["/dev/zero", "ROOT/here"] {
        let place = Place::new(&[("here/x", "")], &[("OS_CLIENT_CONFIG_FILE", device)]);
        let (_, message) = place.error(&Settings::default());
        assert!(message.contains("it is not a regular file"), "{message}");
    }
    let large = format!("clouds: {{}} # {}", "x".repeat(5 * 1024 * 1024));
    let (_, message) = Place::new(&[("here/clouds.yaml", &large)], &[]).error(&Settings::default());
    assert!(message.starts_with("ROOT/here/clouds.yaml cannot be used: it is larger"), "{message}");
}

#[test]
fn what_stands_in_the_wrong_place_is_refused() {
    let check = |auth: &str, expected: &str| {
        let text = format!("clouds:\n  c:\n    auth: {{auth_url: 'https://x', {auth}}}\n");
        let place = Place::new(&[("home/.config/openstack/clouds.yaml", &text)], &[]);
        let (_, message) = place.error(&Settings::default());
        let whose = "the cloud \"c\" (~/.config/openstack/clouds.yaml)";
        assert!(message.starts_with(&format!("{whose} {expected}")), "{message}");
    };
    check(
        "user_id: u, password: p, verify: false",
        "has verify inside auth, where it has no effect",
    );
    check("user_id: u, password: p, cacert: /x", "has cacert inside auth");
    check("user_id: u, password: [a, b]", "gives a list for password, which must be a text");
    check("user_id: u, password: {a: b}", "gives a mapping for password");
}

#[test]
fn what_can_be_read_on_the_way_is_warned_of() {
    let warned = |url: &str, service: Option<(&'static str, &'static str)>| {
        let mut variables = OS_LOGIN.to_vec();
        variables[0].1 = url;
        variables.extend(service);
        let cloud = Place::new(&[], &variables).resolve(&Settings::default()).unwrap();
        let settings = cloud.warnings.into_iter().map(|caveat| match caveat {
            Caveat::PlainText { setting, .. } => setting,
            other => panic!("{other:?}"),
        });
        settings.collect::<Vec<_>>()
    };
    assert_eq!(warned("http://keystone:5000", None), ["auth_url"]);
    for harmless in
        ["https://keystone", "http://127.0.0.1:5000", "http://[::1]", "http://localhost"]
    {
        assert!(warned(harmless, None).is_empty(), "{harmless}");
    }
    let magnum = ("OS_CONTAINER_INFRA_ENDPOINT_OVERRIDE", "http://magnum/v1");
    assert_eq!(warned("https://keystone", Some(magnum)), ["container_infra_endpoint_override"]);
}

#[test]
fn a_key_that_is_no_path_is_not_quoted_as_one() {
    let mut variables = OS_LOGIN.to_vec();
    variables.push(("OS_KEY", "MIIEvQIBADANBgkqhki\nG9w0BAQEFAASC"));
    let (setting, message) = Place::new(&[], &variables).error(&Settings::default());
    assert_eq!(setting, Some("key"));
    assert!(message.starts_with("key is neither a path nor PEM"), "{message}");
    assert!(!message.contains("MIIE"), "{message}");
}
