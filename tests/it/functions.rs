//! The files that the functions write, given to those who read such files: shells, `PyYAML`,
//! openstacksdk, the `openstack` command, and the functions themselves through the real CLI.

use std::path::Path;
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rekey::provider::functions::{CloudsYaml, Openrc};
use rekey::tfplugin::cty::Value;
use rekey::tfplugin::traits::Function;
use serde_json::json;
use tempfile::TempDir;

use crate::support::openstack::Keystone;
use crate::support::terraform::{REQUIRED, Workspace};
use crate::support::tools::{Cli, Feature};

/// Texts that some reader of YAML or shell takes for something else.
const AWKWARD: &[&str] = &[
    "",
    " ",
    "'",
    "\"",
    "\\",
    "\\n",
    "$HOME `id` $(id) !! * ? ~ # & ; | < > ( ) { } [ ]",
    "it's \"quoted\" \\ twice''",
    "a\nb\r\nc\td\n",
    "\n",
    "null",
    "~",
    "yes",
    "0x10",
    "1e3",
    "2026-01-01",
    "- a: b",
    "a: b # c",
    "%YAML 1.1",
    "--- |",
    "&a *a !!str",
    "{{ template }}",
    "\u{1}\u{7}\u{8}\u{1b}[31m\u{7f}",
    "\u{80}\u{85}\u{9f}\u{a0}\u{ad}",
    "\u{2028}\u{2029}\u{feff}\u{fffd}\u{fffe}\u{ffff}",
    "pässwörd ключ 鍵 \u{1f511} \u{10ffff}",
];

/// The awkward ones and some hundred random ones, the same in each run.
fn secrets() -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let mut all: Vec<String> = AWKWARD.iter().map(|&text| text.to_owned()).collect();
    for pattern in ["[^\0]{1,40}", "[ -~]{1,72}", "[\u{1}-\u{ff}]{1,40}"] {
        let strategy = proptest::string::string_regex(pattern).unwrap();
        all.extend((0..100).map(|_| strategy.new_tree(&mut runner).unwrap().current()));
    }
    all.push("long ".repeat(20_000));
    all
}

fn settings<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::object(entries).into_dynamic()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn clouds_yaml(name: &str, settings: &Value) -> String {
    text(&CloudsYaml.call(vec![name.into(), settings.clone()]).unwrap())
}

fn openrc(settings: &Value) -> String {
    text(&Openrc.call(vec![settings.clone()]).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What a program writes that gets nothing of this process's environment.
#[track_caller]
fn output(command: &mut Command, home: &Path) -> String {
    let output = command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LC_ALL", "C")
        .env("PYTHONWARNINGS", "ignore")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!("{} does not run: {error}", command.get_program().display())
        });
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    assert_eq!(complaint, "");
    String::from_utf8(output.stdout).unwrap()
}

/// The virtual environment of the test bed; starts it where it is not.
async fn python() -> std::path::PathBuf {
    let _ = Keystone::get().await;
    Keystone::python()
}

#[test]
fn any_secret_survives_every_shell() {
    let folder = folder();
    let secrets = secrets();
    for (number, secret) in secrets.iter().enumerate() {
        let rc = openrc(&settings([("password", secret.as_str().into())]));
        std::fs::write(folder.path().join(number.to_string()), rc).unwrap();
    }
    // What stood there before must not matter; what is exported must reach a child.
    let script = format!(
        "set -eu; OS_PASSWORD=before; i=0; while [ $i -lt {} ]; do . ./$i; \
         printf '%s\\0' \"$OS_PASSWORD\"; i=$((i + 1)); done; env | grep -c '^OS_AUTH_TYPE=password$'",
        secrets.len()
    );
    for shell in ["bash", "sh"] {
        let read = output(Command::new(shell).args(["-c", &script]), folder.path());
        let read: Vec<&str> = read.split('\0').collect();
        assert_eq!(read.len(), secrets.len() + 1, "{shell}");
        for (read, secret) in read.iter().zip(&secrets) {
            assert_eq!(read, secret, "{shell}");
        }
        assert_eq!(read[secrets.len()], "1\n", "{shell}: not exported");
    }
}

#[tokio::test]
async fn any_secret_survives_openstacksdk() {
    let folder = folder();
    let secrets = secrets();
    let python = python().await;
    for (number, secret) in secrets.iter().enumerate() {
        let given = settings([
            ("auth_url", "https://keystone.example/v3".into()),
            ("application_credential_id", "id".into()),
            ("application_credential_secret", secret.as_str().into()),
        ]);
        let file = folder.path().join(format!("{number}.yaml"));
        std::fs::write(file, clouds_yaml("a: \"cloud\" # é", &given)).unwrap();
    }
    let script = format!(
        r"
import json, yaml
from openstack.config import OpenStackConfig
secrets = []
for number in range({}):
    name, cloud = f'{{number}}.yaml', 'a: \x22cloud\x22 # \xe9'
    plain = yaml.safe_load(open(name))['clouds'][cloud]['auth']['application_credential_secret']
    if plain and number < 40:  # openstacksdk takes long for each file, and no empty secret
        config = OpenStackConfig(config_files=[name], load_envvars=False).get_one(cloud).config
        assert config['auth_type'] == 'v3applicationcredential', config['auth_type']
        assert config['auth']['application_credential_secret'] == plain, number
    secrets.append(plain)
print(json.dumps(secrets))
",
        secrets.len()
    );
    let read = output(Command::new(python).args(["-c", &script]), folder.path());
    let read: Vec<String> = serde_json::from_str(&read).unwrap();
    assert_eq!(read, secrets);
}

/// What openstacksdk makes of a file or of variables: everything a connection is made of.
const RESOLVE: &str = r"
import json, sys
from openstack.config import OpenStackConfig
def show(region):
    auth = region.get_auth()
    verify, cert = region.get_requests_verify_args()
    print(json.dumps({
        'plugin': f'{type(auth).__module__}.{type(auth).__name__}',
        'methods': [type(method).__name__ for method in getattr(auth, 'auth_methods', [])],
        'auth': region.config['auth'],
        'region': region.region_name,
        'interface': region.get_interface('identity'),
        'endpoint': region.get_endpoint('identity'),
        'version': str(region.config.get('identity_api_version')),
        'timeout': str(region.config.get('api_timeout')),
        'verify': verify,
        'cert': cert,
    }, sort_keys=True))
for file in sys.argv[1:]:
    show(OpenStackConfig(config_files=[file]).get_one('one'))
if not sys.argv[1:]:
    show(OpenStackConfig().get_one())
";

#[tokio::test]
async fn both_files_say_the_same_to_openstacksdk() {
    let folder = folder();
    let python = python().await;
    let person: &[(&str, Value)] = &[
        ("auth_url", "https://keystone.example/v3".into()),
        ("username", "u".into()),
        ("user_domain_name", "D".into()),
        ("project_id", "p".into()),
    ];
    let with = |more: &[(&'static str, Value)]| settings([person, more].concat());
    let cases = [
        (with(&[("password", "s".into())]), "generic.password.Password"),
        (with(&[("password", "s".into()), ("passcode", 123_456.into())]), "MultiFactor"),
        (with(&[("passcode", "123456".into())]), "v3.totp.TOTP"),
        (
            settings([
                ("auth_url", "https://keystone.example/v3".into()),
                ("token", "t".into()),
                ("project_id", "p".into()),
            ]),
            "v3.token.Token",
        ),
        (
            settings([
                ("auth_url", "https://keystone.example/v3".into()),
                ("application_credential_name", "n".into()),
                ("application_credential_secret", "s".into()),
                ("user_id", "u".into()),
            ]),
            "ApplicationCredential",
        ),
        (
            with(&[
                ("auth_type", "v3password".into()),
                ("password", "s".into()),
                ("region_name", "R".into()),
                ("interface", "internal".into()),
                ("identity_endpoint_override", "https://other.example/v3".into()),
                ("identity_api_version", 3.into()),
                ("api_timeout", 30.into()),
                ("verify", Value::Bool(true)),
                ("cacert", "/ca.pem".into()),
                ("cert", "/cert.pem".into()),
                ("key", "/key.pem".into()),
            ]),
            "v3.password.Password",
        ),
        (with(&[("password", "s".into()), ("verify", Value::Bool(false))]), "Password"),
    ];
    let resolver = folder.path().join("resolve.py");
    std::fs::write(&resolver, RESOLVE).unwrap();
    let mut by_file = Command::new(&python);
    by_file.arg(&resolver);
    for (number, (settings, _)) in cases.iter().enumerate() {
        let file = format!("{number}.yaml");
        std::fs::write(folder.path().join(&file), clouds_yaml("one", settings)).unwrap();
        by_file.arg(file);
    }
    let by_file = output(&mut by_file, folder.path());
    assert_eq!(by_file.lines().count(), cases.len());
    for ((settings, plugin), by_file) in cases.iter().zip(by_file.lines()) {
        std::fs::write(folder.path().join("openrc"), openrc(settings)).unwrap();
        // An earlier login in the same shell must not shine through.
        let script = "export OS_CLOUD=gone OS_PROJECT_NAME=old OS_TOKEN=old OS_PASSWORD=old \
                      OS_INSECURE=true OS_VERIFY=x OS_TENANT_ID=old OS_TRUST_ID=old; \
                      . ./openrc; exec \"$0\" \"$1\"";
        let by_shell = output(
            Command::new("bash").args(["-c", script]).arg(&python).arg(&resolver),
            folder.path(),
        );
        assert_eq!(by_shell.trim_end(), by_file);
        let facts: serde_json::Value = serde_json::from_str(by_file).unwrap();
        let taken = facts["plugin"].as_str().unwrap();
        assert!(taken.contains(plugin), "{taken} is not {plugin}");
    }
}

#[tokio::test]
async fn what_both_files_hold_logs_in() {
    let keystone = Keystone::get().await;
    let alice = keystone.user(&["member"]).await;
    // 72 bytes are the most that Keystone takes; these are as awkward as it lets them be.
    let secret = "it's \"a\" $ecret: # \\ `x` é\u{1f511}\n\ttwo lines";
    let made = alice.create_credential(json!({ "name": "by hand", "secret": secret })).await;
    let given = settings([
        ("auth_url", alice.auth_url.as_str().into()),
        ("region_name", alice.region.as_str().into()),
        ("application_credential_id", made["id"].as_str().unwrap().into()),
        ("application_credential_secret", secret.into()),
    ]);
    let arguments = ["token", "issue", "-f", "json"];
    Keystone::openstack(&clouds_yaml("mine", &given), "mine", &arguments)
        .await
        .ok()
        .says(&alice.project_id);

    let folder = folder();
    std::fs::write(folder.path().join("openrc"), openrc(&given)).unwrap();
    let openstack = Keystone::python().with_file_name("openstack");
    let script = ". ./openrc; exec \"$0\" token issue -f json";
    let issued = output(Command::new("bash").args(["-c", script]).arg(openstack), folder.path());
    assert!(issued.contains(&alice.project_id), "{issued}");
}

#[tokio::test]
async fn the_real_cli_calls_them() {
    for cli in Cli::all() {
        assert!(cli.has(Feature::Functions), "{} is older than any that is supported", cli.version);
        let mut workspace = Workspace::new(cli);
        workspace.watch("the password", "canary's \"password\"");
        workspace.write(
            "main.tf",
            &format!(
                r#"{REQUIRED}
variable "password" {{
  default   = "canary's \"password\""
  sensitive = true
}}
locals {{
  settings = {{ auth_url = "https://k/v3", user_id = "u", password = var.password, project_id = null }}
}}
output "yaml" {{
  value     = provider::rekey::clouds_yaml("c", local.settings)
  sensitive = true
}}
output "rc" {{
  value     = provider::rekey::openrc(merge(local.settings, {{ verify = false, api_timeout = 2.5 }}))
  sensitive = true
}}
output "week" {{
  value = provider::rekey::duration_seconds("P7D") / 7 + provider::rekey::duration_seconds("12h")
}}
"#
            ),
        );
        workspace.apply(&[]).await.ok();
        assert_eq!(
            workspace.output("yaml").await,
            "clouds:\n  \"c\":\n    auth_type: \"password\"\n    auth:\n      \
             auth_url: \"https://k/v3\"\n      user_id: \"u\"\n      \
             password: \"canary's \\\"password\\\"\"\n"
        );
        let rc = workspace.output("rc").await;
        let exports = rc.split_once('\n').unwrap().1;
        assert_eq!(
            exports,
            "export OS_AUTH_TYPE='password'\nexport OS_INSECURE='true'\nexport OS_API_TIMEOUT='2.5'\n\
             export OS_AUTH_URL='https://k/v3'\nexport OS_USER_ID='u'\n\
             export OS_PASSWORD='canary'\\''s \"password\"'\n"
        );
        assert_eq!(workspace.output("week").await, "129600");
    }
}

#[tokio::test]
async fn the_real_cli_shows_what_is_wrong_and_no_value() {
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        workspace.watch("the value", "canary-value");
        let mut check = async |expression: &str, says: &[&str]| {
            let body = format!(
                "{REQUIRED}\nvariable \"v\" {{\n  default = \"canary-value\"\n  sensitive = true\n}}\n"
            );
            let main = format!(
                "{body}output \"o\" {{\n  value     = {expression}\n  sensitive = true\n}}\n"
            );
            workspace.write("main.tf", &main);
            let run = workspace.plan(&[]).await.run;
            assert_ne!(run.code, Some(0), "{expression} was taken");
            let shown = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            for says in says {
                assert!(shown.contains(says), "{shown}");
            }
        };
        check(
            "provider::rekey::clouds_yaml(\"c\", { regionname = var.v })",
            &["Invalid value for \"settings\"", "no key \"regionname\"; did you mean region_name"],
        )
        .await;
        check(
            "provider::rekey::openrc({ verify = var.v })",
            &["Invalid value for \"settings\"", "`verify` must be true or false"],
        )
        .await;
        check(
            "provider::rekey::duration_seconds(\"P1Y\")",
            &["Invalid value for \"duration\"", "years and months have no fixed length"],
        )
        .await;
    }
}
