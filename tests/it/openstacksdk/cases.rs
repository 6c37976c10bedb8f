//! The configurations that are compared.

use std::time::Duration;

use rekey::cloud::openstack::config::Settings;
use serde_json::{Value, json};

/// One configuration: files, variables, explicit settings.
#[derive(Clone, Default)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) files: Vec<(&'static str, &'static str)>,
    pub(super) variables: Vec<(&'static str, &'static str)>,
    pub(super) settings: Settings,
    /// Of openstacksdk's `get_one`, where settings do not say it.
    pub(super) also: Value,
}

fn case(name: &'static str) -> Case {
    Case { name, ..Case::default() }
}

impl Case {
    fn file(mut self, path: &'static str, text: &'static str) -> Self {
        self.files.push((path, text));
        self
    }

    fn env(mut self, variables: &[(&'static str, &'static str)]) -> Self {
        self.variables.extend(variables);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn cloud(self, name: &str) -> Self {
        self.set(|settings| settings.cloud = Some(name.to_owned()))
    }

    fn also(mut self, also: Value) -> Self {
        self.also = also;
        self
    }
}

const URL: (&str, &str) = ("OS_AUTH_URL", "https://keystone.example.com:5000/v3");

/// Somebody by name, with a password, in a project by name.
const NAMES: &[(&str, &str)] = &[
    URL,
    ("OS_USERNAME", "alice"),
    ("OS_PASSWORD", "pass word"),
    ("OS_PROJECT_NAME", "demo"),
    ("OS_USER_DOMAIN_NAME", "Users"),
    ("OS_PROJECT_DOMAIN_NAME", "Projects"),
];

/// The same by ids, without a project.
const IDS: &[(&str, &str)] = &[URL, ("OS_USER_ID", "u1"), ("OS_PASSWORD", "pw")];

const CLOUDS: &str = "clouds:
  one:
    auth:
      auth_url: https://one.example.com/identity
      username: alice
      password: pw
      project_name: demo
      user_domain_id: default
      project_domain_id: default
    region_name: r1
  two:
    auth: {auth_url: 'https://two.example.com', user_id: u2, password: pw, project_id: p2}
    interface: internal
    verify: false
";

/// Both sides must agree on these.
pub(super) fn agreed() -> Vec<Case> {
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

/// Both sides must refuse these.
pub(super) fn refused() -> Vec<Case> {
    vec![
        case("nothing at all"),
        case("an unknown cloud").file("work/clouds.yaml", CLOUDS).cloud("three"),
        case("an unknown cloud by variable").file("work/clouds.yaml", CLOUDS).env(&[("OS_CLOUD", "three")]),
        case("two clouds and no choice").file("work/clouds.yaml", CLOUDS),
        case("an unknown region")
            .file("work/clouds.yaml", CLOUDS)
            .cloud("one")
            .set(|settings| settings.region_name = Some("r9".to_owned())),
        case("no password").env(&[URL, ("OS_USER_ID", "u")]),
        case("a key in the wrong place").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p, verify: false}}}",
        ),
        case("an access token without its provider").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3oidcaccesstoken"),
            ("OS_ACCESS_TOKEN", "t"),
        ]),
        case("a client without an endpoint").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3oidcclientcredentials"),
            ("OS_IDENTITY_PROVIDER", "i"),
            ("OS_PROTOCOL", "p"),
            ("OS_CLIENT_ID", "c"),
        ]),
        case("an unknown method").env(IDS).env(&[("OS_AUTH_TYPE", "v3magic")]),
        case("a project without domain").env(IDS).env(&[("OS_PROJECT_NAME", "demo"), ("OS_AUTH_TYPE", "v3password")]),
        case("two scopes").env(IDS).env(&[("OS_PROJECT_ID", "p"), ("OS_SYSTEM_SCOPE", "all")]),
        case("part of a system").env(IDS).env(&[("OS_SYSTEM_SCOPE", "half")]),
        case("an application credential without secret").env(&[
            URL,
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
        ]),
        case("the name of the variables taken")
            .file("work/clouds.yaml", "clouds: {envvars: {}}")
            .env(IDS),
        case("a region that is none")
            .file("work/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, regions: [{nom: x}]}}"),
        case("clouds that are a list").file("work/clouds.yaml", "- a\n- b\n"),
        case("a password for Ansible").file(
            "work/clouds.yaml",
            "clouds:\n  a:\n    auth:\n      auth_url: https://a\n      user_id: u\n      password: !vault |\n        \
             $ANSIBLE_VAULT;1.1;AES256\n        3132\n",
        ),
        case("a password in base64").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: !!binary cHc=}}}",
        ),
        case("a merge of no mapping").file(
            "work/clouds.yaml",
            "clouds: {a: {auth: {<<: 5, auth_url: 'https://a', user_id: u, password: p}}}",
        ),
        case("auth that is no mapping").file("work/clouds.yaml", "clouds: {a: {auth: hello}}"),
    ]
}

/// What openstacksdk does, and what we do: a text that each outcome holds.
pub(super) fn differing() -> Vec<(Case, &'static str, &'static str)> {
    let only = "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}}}";
    vec![
        (
            // it exchanges the token for one without a scope, which can do nothing; and Keystone lets not
            // every token be exchanged
            case("a token and no scope").env(&[
                URL,
                ("OS_AUTH_TYPE", "token"),
                ("OS_TOKEN", "given-token"),
            ]),
            r#""methods":["token"]"#,
            "the token as it is",
        ),
        (
            // it passes over a file that is not there, though somebody named it
            case("a chosen file that is missing")
                .env(&[("OS_CLIENT_CONFIG_FILE", "ROOT/missing.yaml")])
                .file("work/clouds.yaml", only),
            "https://a/v3/auth/tokens",
            "missing.yaml, which cannot be used: it is not there",
        ),
        (
            // it goes on to the next file; another login than the one meant is worse than none
            case("a file that is not YAML")
                .file("work/clouds.yaml", "clouds: {a: [")
                .file("home/.config/openstack/clouds.yaml", only),
            "https://a/v3/auth/tokens",
            "is not YAML",
        ),
        (
            // it asks for a scope, which Keystone refuses to application credentials
            case("an application credential and a project").env(&[
                URL,
                ("OS_AUTH_TYPE", "v3applicationcredential"),
                ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
                ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
                ("OS_PROJECT_ID", "p"),
            ]),
            r#""scope":{"project":{"id":"p"}}"#,
            r#"{"auth":{"identity":{"application_credential":{"id":"c1","secret":"s"},"methods":["application_credential"]}}}"#,
        ),
        (
            // it sends a password of nobody
            case("a method that is not said").env(&[
                URL,
                ("OS_APPLICATION_CREDENTIAL_ID", "c1"),
                ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
            ]),
            "password is a required attribute",
            r#""methods":["application_credential"]"#,
        ),
        (
            // it takes any variable for a login
            case("a variable of the operating system").env(&[("OS_VERSION", "12")]).file("work/clouds.yaml", only),
            "not given: auth_url",
            "https://a/v3/auth/tokens",
        ),
        (
            // it makes a project named None of it
            case("null").file(
                "work/clouds.yaml",
                "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p, project_id: null}}}",
            ),
            r#"{"id":"None"}"#,
            r#""methods":["password"],"password":{"user":{"id":"u","password":"p"}}}}"#,
        ),
        (
            // it leaves the domain out, and Keystone refuses
            case("a user without domain").env(&[URL, ("OS_USERNAME", "u"), ("OS_PASSWORD", "p")]),
            r#"{"user":{"name":"u","password":"p"}}"#,
            "user_domain_name",
        ),
        (
            // it ignores the variable; the openstack command does not
            case("a region by variable")
                .file("work/clouds.yaml", "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: p}, regions: [r1, r2]}}")
                .env(&[("OS_CLOUD", "a"), ("OS_REGION_NAME", "r2")]),
            r#""region":"r1""#,
            r#""region":"r2""#,
        ),
        (
            // a variable comes before an argument where it is about the project
            case("a project of the settings and one of the variables")
                .env(NAMES)
                .set(|settings| settings.project_name = Some("mine".to_owned())),
            r#""name":"demo""#,
            r#""name":"mine""#,
        ),
        (
            // it takes the last one; nobody means that
            case("a key in two spellings").file(
                "work/clouds.yaml",
                "clouds: {a: {auth: {auth_url: 'https://one', auth-url: 'https://two', user_id: u, password: p}}}",
            ),
            "https://two/v3/auth/tokens",
            "auth-url and auth_url are the same key",
        ),
        (
            // it mixes them
            case("settings and an only cloud").file("work/clouds.yaml", only).set(|settings| {
                settings.auth_url = Some("https://mine".to_owned());
            }),
            "https://mine/v3/auth/tokens",
            "incomplete",
        ),
    ]
}
