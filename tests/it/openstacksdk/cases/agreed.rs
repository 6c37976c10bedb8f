//! What both sides must read alike.

use std::time::Duration;

use rekey::cloud::openstack::config::Settings;
use serde_json::json;

use super::{CLOUDS, Case, IDS, NAMES, URL, case};

/// Both sides must agree on these.
pub(in super::super) fn agreed() -> Vec<Case> {
    let mut cases = of_the_environment();
    cases.extend(of_identity_providers());
    cases.extend(of_files());
    cases.extend(of_values_in_files());
    cases.extend(of_regions());
    cases.extend(of_settings());
    cases
}

// A list, however long it is.
#[allow(clippy::too_many_lines)]
fn of_the_environment() -> Vec<Case> {
    let without =
        |name: &str| NAMES.iter().copied().filter(|(key, _)| *key != name).collect::<Vec<_>>();
    let nameless = [("OS_USERNAME", "alice"), ("OS_PASSWORD", "pw"), ("OS_PROJECT_NAME", "demo")];
    vec![
        case("names").env(NAMES),
        case("without version")
            .env(&without("OS_AUTH_URL"))
            .env(&[("OS_AUTH_URL", "https://k:5000")]),
        case("trailing slash")
            .env(&without("OS_AUTH_URL"))
            .env(&[("OS_AUTH_URL", "https://k/v3/")]),
        case("under a path")
            .env(&without("OS_AUTH_URL"))
            .env(&[("OS_AUTH_URL", "https://k/identity")]),
        case("with a query")
            .env(&without("OS_AUTH_URL"))
            .env(&[("OS_AUTH_URL", "https://k/v3?x=1")]),
        case("tenant").env(&without("OS_PROJECT_NAME")).env(&[("OS_TENANT_NAME", "old")]),
        case("tenant and project").env(NAMES).env(&[("OS_TENANT_NAME", "old")]),
        case("project id and name").env(NAMES).env(&[("OS_PROJECT_ID", "p1")]),
        case("ids").env(IDS).env(&[("OS_PROJECT_ID", "p1")]),
        case("id and name of a user").env(NAMES).env(&[("OS_USER_ID", "u1")]),
        case("unscoped").env(IDS),
        case("user name").env(&without("OS_USERNAME")).env(&[("OS_USER_NAME", "bob")]),
        case("domain id before name").env(NAMES).env(&[("OS_USER_DOMAIN_ID", "d1")]),
        case("domain once").env(&[URL]).env(&nameless).env(&[("OS_DOMAIN_NAME", "D")]),
        case("domain by id once").env(&[URL]).env(&nameless).env(&[("OS_DOMAIN_ID", "d")]),
        case("default domain").env(&[URL]).env(&nameless).env(&[("OS_DEFAULT_DOMAIN_ID", "d")]),
        case("default domain name")
            .env(&[URL])
            .env(&nameless)
            .env(&[("OS_DEFAULT_DOMAIN_NAME", "D")]),
        case("default id before a name").env(NAMES).env(&[("OS_DEFAULT_DOMAIN_ID", "d")]),
        case("no default for v3password")
            .env(NAMES)
            .env(&[("OS_DEFAULT_DOMAIN_ID", "d"), ("OS_AUTH_TYPE", "v3password")]),
        case("domain scope").env(IDS).env(&[("OS_DOMAIN_ID", "d")]),
        case("system scope").env(IDS).env(&[("OS_SYSTEM_SCOPE", "all")]),
        case("trust").env(IDS).env(&[("OS_TRUST_ID", "t1")]),
        case("v3password").env(NAMES).env(&[("OS_AUTH_TYPE", "v3password")]),
        case("token").env(&[
            URL,
            ("OS_AUTH_TYPE", "token"),
            ("OS_TOKEN", "t"),
            ("OS_PROJECT_ID", "p"),
        ]),
        case("v3token").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3token"),
            ("OS_AUTH_TOKEN", "t"),
            ("OS_SYSTEM_SCOPE", "all"),
        ]),
        case("v3totp").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3totp"),
            ("OS_USERNAME", "alice"),
            ("OS_USER_DOMAIN_ID", "default"),
            ("OS_PASSCODE", "123456"),
        ]),
        case("v3multifactor").env(NAMES).env(&[
            ("OS_AUTH_TYPE", "v3multifactor"),
            ("OS_AUTH_METHODS", "v3password,v3totp"),
            ("OS_PASSCODE", "123456"),
        ]),
        case("application credential").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
        ]),
        case("application credential by name and user").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_NAME", "ci"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
            ("OS_USERNAME", "alice"),
            ("OS_USER_DOMAIN_NAME", "Default"),
        ]),
        case("application credential by name and user id").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_NAME", "ci"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
            ("OS_USER_ID", "u1"),
        ]),
        case("insecure").env(IDS).env(&[("OS_INSECURE", "True")]),
        case("not insecure").env(IDS).env(&[("OS_INSECURE", "false")]),
        case("cacert").env(IDS).env(&[("OS_CACERT", "/etc/ssl/ca.pem")]),
        case("cacert at home").env(IDS).env(&[("OS_CACERT", "~/ca.pem")]),
        case("client certificate").env(IDS).env(&[("OS_CERT", "/c.pem"), ("OS_KEY", "/k.pem")]),
        case("client certificate with key").env(IDS).env(&[("OS_CERT", "/both.pem")]),
        case("interface").env(IDS).env(&[("OS_INTERFACE", "internal")]),
        case("endpoint type").env(IDS).env(&[("OS_ENDPOINT_TYPE", "adminURL")]),
        case("region").env(IDS).env(&[("OS_REGION_NAME", "r1")]),
        case("time").env(IDS).env(&[("OS_API_TIMEOUT", "30")]),
        case("empty values").env(IDS).env(&[("OS_PROJECT_ID", ""), ("OS_PROJECT_NAME", "")]),
        case("variables before an only cloud")
            .env(IDS)
            .file("work/clouds.yaml", "clouds: {only: {auth: {auth_url: 'https://x'}}}"),
        case("another name for the variables")
            .env(IDS)
            .env(&[("OS_CLOUD_NAME", "mine")])
            .cloud("mine"),
        case("the variables by name").env(IDS).file("work/clouds.yaml", CLOUDS).cloud("envvars"),
    ]
}

fn of_identity_providers() -> Vec<Case> {
    const PROVIDER: &[(&str, &str)] = &[
        URL,
        ("OS_IDENTITY_PROVIDER", "gitlab"),
        ("OS_PROTOCOL", "openid"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_PROJECT_DOMAIN_NAME", "Projects"),
    ];
    const CLIENT: &[(&str, &str)] = &[("OS_CLIENT_ID", "ci"), ("OS_CLIENT_SECRET", "cs")];
    let discovery = ("OS_DISCOVERY_ENDPOINT", "https://i/.well-known/openid-configuration");
    let endpoint = ("OS_ACCESS_TOKEN_ENDPOINT", "https://i/token");
    vec![
        case("an access token")
            .env(PROVIDER)
            .env(&[("OS_AUTH_TYPE", "v3oidcaccesstoken"), ("OS_ACCESS_TOKEN", "eyJ.a.b")]),
        case("an access token by setting")
            .env(PROVIDER)
            .env(&[("OS_AUTH_TYPE", "v3oidcaccesstoken")])
            .set(|settings| settings.access_token = Some("eyJ.c.d".into())),
        case("an access token in a file").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth_type: v3oidcaccesstoken\n    identity_provider: outside\n    \
             auth: {auth_url: 'https://a', identity-provider: inside, protocol: mapped, \
             access_token: t, project_id: p}\n",
        ),
        case("a client")
            .env(PROVIDER)
            .env(CLIENT)
            .env(&[("OS_AUTH_TYPE", "v3oidcclientcredentials"), discovery]),
        case("a client with its endpoint")
            .env(PROVIDER)
            .env(CLIENT)
            .env(&[("OS_AUTH_TYPE", "v3oidcclientcredentials"), endpoint]),
        case("a user")
            .env(PROVIDER)
            .env(CLIENT)
            .env(&[
                ("OS_AUTH_TYPE", "v3oidcpassword"),
                ("OS_USERNAME", "olga"),
                ("OS_PASSWORD", "pw"),
                ("OS_OPENID_SCOPE", "openid email"),
                ("OS_ACCESS_TOKEN_TYPE", "id_token"),
                endpoint,
            ]),
        case("a user in a file").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth_type: v3oidcpassword\n    auth:\n      auth_url: https://a\n      \
             identity_provider: i\n      protocol: p\n      client_id: c\n      client_secret: s\n      \
             discovery_endpoint: https://d\n      username: u\n      password: w\n      openid_scope: openid x\n",
        ),
    ]
}

fn of_files() -> Vec<Case> {
    let secure = "clouds: {mine: {auth: {password: hidden}}}";
    let mine = "clouds: {mine: {auth: {auth_url: 'https://x', user_id: u, project-id: p}}}";
    let profile = "public-clouds:\n  vendor:\n    auth: {auth_url: 'https://v/v3', project_id: p}\n    \
                   region_name: rv\n    interface: internal\n";
    vec![
        case("by argument").file("work/clouds.yaml", CLOUDS).cloud("one"),
        case("by OS_CLOUD").file("work/clouds.yaml", CLOUDS).env(&[("OS_CLOUD", "two")]),
        case("argument before OS_CLOUD")
            .file("work/clouds.yaml", CLOUDS)
            .env(&[("OS_CLOUD", "two")])
            .cloud("one"),
        case("a named cloud ignores the variables")
            .file("work/clouds.yaml", CLOUDS)
            .env(NAMES)
            .env(&[("OS_CLOUD", "two"), ("OS_INTERFACE", "admin")]),
        case("the only one")
            .file("home/.config/openstack/clouds.yml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}}}"),
        case("json").file(
            "work/clouds.json",
            r#"{"clouds": {"a": {"auth": {"auth_url": "https://a", "user_id": "u", "password": 17}}}}"#,
        ),
        case("the nearest")
            .file("home/.config/openstack/clouds.yaml", CLOUDS)
            .file("work/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}}}"),
        case("XDG_CONFIG_HOME")
            .env(&[("XDG_CONFIG_HOME", "ROOT/xdg")])
            .file("xdg/openstack/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}}}")
            .file("home/.config/openstack/clouds.yaml", CLOUDS),
        case("a chosen file")
            .env(&[("OS_CLIENT_CONFIG_FILE", "ROOT/chosen.yaml"), ("OS_CLOUD", "two")])
            .file("chosen.yaml", CLOUDS)
            .file("work/clouds.yaml", "clouds: {a: {}}"),
        case("secure").file("work/clouds.yaml", mine).file("home/.config/openstack/secure.yaml", secure),
        case("a chosen secure file")
            .file("work/clouds.yaml", mine)
            .file("secret.yaml", secure)
            .file("work/secure.yaml", "clouds: {mine: {auth: {password: other}}}")
            .env(&[("OS_CLIENT_SECURE_FILE", "ROOT/secret.yaml")]),
        case("profile")
            .file("work/clouds.yaml", "clouds: {a: {profile: vendor, auth: {user_id: u, password: p}}}")
            .file("work/clouds-public.yaml", profile),
        case("profile by its old key, overlaid")
            .file("work/clouds.yaml", "clouds: {a: {cloud: vendor, region_name: own, auth: {user_id: u, password: p, project_id: q}}}")
            .file("home/.config/openstack/clouds-public.yaml", profile),
    ]
}

fn of_values_in_files() -> Vec<Case> {
    vec![
        case("outside auth").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth: {auth_url: 'https://in', username: in, password: in, project_name: in}\n    \
             auth_url: https://out\n    username: out\n    password: out\n    project_name: out\n    \
             user_domain_id: out\n    project_domain_id: out\n",
        ),
        case("hyphens").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth: {auth_url: 'https://a', username: u, password: p, project-name: n, \
             user-domain-id: d, project-domain-name: D}\n",
        ),
        case("a template").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth: {auth_url: 'https://{region_name}.k/v3', user_id: u, password: 'p{x}'}\n    \
             region_name: r7\n",
        ),
        case("numbers").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth:\n      auth_url: https://a\n      user_id: 12345678901234567890123456789012\n      \
             password: 12345\n      project_id: 12345e67\n    api_timeout: 30\n",
        ),
        case("leading zeros").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: 0098, password: '007', project_id: 00000089}}}",
        ),
        case("anchors").file(
            "work/clouds.yaml",
            "x: &login {auth_url: 'https://a', user_id: u, password: p}\nclouds:\n  a: {auth: {<<: *login, password: own}}\n",
        ),
        case("several merges").file(
            "work/clouds.yaml",
            "x: &x {user_id: u, password: p}\ny: &y {auth_url: 'https://y', user_id: v}\n\
             clouds: {a: {auth: {<<: *x, <<: *y}}}\n",
        ),
        case("a list of merges").file(
            "work/clouds.yaml",
            "x: &x {user_id: u, password: p}\ny: &y {auth_url: 'https://y', user_id: v}\n\
             clouds: {a: {auth: {<<: [*x, *y]}}}\n",
        ),
        case("tags of YAML").file(
            "work/clouds.yaml",
            "clouds: !!map {a: {auth: {auth_url: 'https://a', user_id: !!str 017, password: ! 17, project_id: !!int '5'}}}",
        ),
        case("verify").file("work/clouds.yaml", CLOUDS).cloud("two"),
        case("verify and cacert").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, verify: true, cacert: /ca.pem}}",
        ),
        case("verify is a path").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, verify: /bundle.pem}}",
        ),
        case("insecure wins").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, verify: yes, insecure: on}}",
        ),
        case("v3applicationcredential").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth_type: v3applicationcredential\n    auth: {auth_url: 'https://a', \
             application_credential_id: c, application_credential_secret: s}\n",
        ),
        case("v3multifactor in a file").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth_type: v3multifactor\n    auth_methods: [v3password, v3totp]\n    \
             auth: {auth_url: 'https://a', user_id: u, password: p, passcode: 99}\n",
        ),
        case("nothing but variables that choose")
            .env(&[("OS_REGION_NAME", "r1")])
            .file("work/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, region_name: r1}}"),
    ]
}

fn of_regions() -> Vec<Case> {
    let clouds = "clouds:\n  a:\n    auth: {auth_url: 'https://a', user_id: u, password: p}\n    regions:\n    \
                  - name: r1\n      values: {interface: admin, auth: {project_id: of-r1}}\n    - r2\n    - name: r3\n";
    let wish = |name: &str| {
        let name = name.to_owned();
        move |settings: &mut Settings| settings.region_name = Some(name)
    };
    vec![
        case("the first region").file("work/clouds.yaml", clouds),
        case("a region").file("work/clouds.yaml", clouds).set(wish("r2")),
        case("a region without values").file("work/clouds.yaml", clouds).set(wish("r3")),
        case("the cloud's own region, said again").file("work/clouds.yaml", CLOUDS).cloud("one").set(wish("r1")),
        case("a region for a cloud without any").file("work/clouds.yaml", CLOUDS).cloud("two").set(wish("r9")),
        case("regions with commas").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, region_name: 'r1,r2'}}",
        ),
        case("regions of a profile")
            .file("work/clouds.yaml", "clouds: {a: {profile: v, auth: {user_id: u, password: p}}}")
            .file("work/clouds-public.yaml", "public-clouds: {v: {auth: {auth_url: 'https://v'}, regions: [r5, r6]}}"),
        // the openstack command hands the variable on as an argument
        case("a region by variable, as the openstack command has it")
            .file("work/clouds.yaml", clouds)
            .env(&[("OS_CLOUD", "a"), ("OS_REGION_NAME", "r2")])
            .also(json!({ "region_name": "r2" })),
    ]
}

fn of_settings() -> Vec<Case> {
    let some = |text: &str| Some(text.to_owned());
    vec![
        case("all by settings").set(|s| {
            s.auth_url = some("https://k");
            s.username = some("u");
            s.password = Some("p".into());
            s.user_domain_name = some("D");
            s.project_name = some("n");
            s.project_domain_id = some("d");
            s.region_name = some("r");
            s.interface = some("internal");
            s.cacert = some("/ca.pem");
            s.cert = some("/c.pem");
            s.key = Some("/k.pem".into());
            s.timeout = Some(Duration::from_secs(9));
        }),
        case("settings over variables").env(NAMES).set(|s| {
            s.username = some("bob");
            s.password = Some("bobs".into());
        }),
        case("settings over a file").file("work/clouds.yaml", CLOUDS).cloud("one").set(|s| {
            s.password = Some("other".into());
            s.verify = Some(false);
        }),
        case("an id over a name").file("work/clouds.yaml", CLOUDS).cloud("one").set(|s| {
            s.project_id = some("p9");
            s.user_id = some("u9");
        }),
        case("a token over a password")
            .env(IDS)
            .set(|s| {
                s.token = Some("t".into());
                s.project_id = some("p9");
            })
            .also(json!({ "auth_type": "token" })),
        case("an application credential with everything said")
            .set(|s| {
                s.auth_url = some("https://k/v3");
                s.application_credential_id = some("c");
                s.application_credential_secret = Some("s".into());
            })
            .also(json!({ "auth_type": "v3applicationcredential" })),
        case("verification by settings")
            .file("work/clouds.yaml", CLOUDS)
            .cloud("two")
            .set(|s| s.verify = Some(true)),
    ]
}
