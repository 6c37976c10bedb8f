use std::collections::BTreeMap;
use std::path::Path;

use crate::redaction::ExposeSecret as _;
use tempfile::TempDir;

use super::*;
use crate::cloud::oci::fixtures::pem;

const TENANCY: &str = "ocid1.tenancy.oc1..t";
const USER: &str = "ocid1.user.oc1..u";

/// A home directory with a key, a session's token and a configuration.
struct Home(TempDir);

impl Home {
    fn with(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(".oci/config", config);
        home.write(".oci/key.pem", &format!("{}OCI_API_KEY\n", pem("private_key_pkcs8_pem")));
        home.write(".oci/locked.pem", &pem("private_key_pkcs1_encrypted_pem"));
        home.write(".oci/token", "the-session-token\n");
        home
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn resolve(
        &self,
        settings: &Settings,
        environment: &[(&str, &str)],
    ) -> Result<Account, ConfigError> {
        let environment: BTreeMap<_, _> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let from = Surroundings {
            environment,
            home_dir: Some(self.path().to_owned()),
            current_dir: self.path().to_owned(),
            ..Surroundings::default()
        };
        resolve(settings, &from)
    }

    fn refusal(&self, settings: &Settings, environment: &[(&str, &str)]) -> String {
        self.resolve(settings, environment).unwrap_err().message
    }
}

fn default_profile() -> String {
    format!(
        "[DEFAULT]\nuser={USER}\nfingerprint={}\ntenancy={TENANCY}\nregion=eu-frankfurt-1\nkey_file=~/.oci/key.pem\n",
        pem("fingerprint")
    )
}

fn profile(name: &str) -> Settings {
    Settings { profile: Some(name.to_owned()), ..Settings::default() }
}

fn key_id(account: &Account) -> String {
    let Login::ApiKey(signatory) = &account.login else { panic!("{:?}", account.login) };
    signatory.key_id.expose_secret().to_owned()
}

#[test]
fn the_default_profile_is_enough() {
    let home = Home::with(&default_profile());
    let account = home.resolve(&Settings::default(), &[]).unwrap();
    assert_eq!(key_id(&account), format!("{TENANCY}/{USER}/{}", pem("fingerprint")));
    assert_eq!(account.region.unwrap().name, "eu-frankfurt-1");
    assert_eq!(account.whose, format!("the user {USER}"));
    assert!(account.endpoint.is_none());
}

#[test]
fn the_block_wins_over_the_environment_and_that_over_the_file_setting_by_setting() {
    let home = Home::with(&default_profile());
    let region = |settings: &Settings, environment: &[(&str, &str)]| {
        home.resolve(settings, environment).unwrap().region.unwrap().name
    };
    let block = Settings { region: Some("phx".into()), ..Settings::default() };
    let all = [
        ("TF_VAR_region", "uk-london-1"),
        ("OCI_REGION", "us-ashburn-1"),
        ("OCI_CLI_REGION", "ap-tokyo-1"),
    ];
    assert_eq!(region(&block, &all), "us-phoenix-1");
    assert_eq!(region(&Settings::default(), &all), "uk-london-1");
    assert_eq!(region(&Settings::default(), &all[1..]), "us-ashburn-1");
    assert_eq!(region(&Settings::default(), &all[2..]), "ap-tokyo-1");
    assert_eq!(region(&Settings::default(), &[]), "eu-frankfurt-1");
    // An empty text is no setting, at every place.
    let empty =
        Settings { region: Some(String::new()), profile: Some(" ".into()), ..Settings::default() };
    assert_eq!(region(&empty, &[("TF_VAR_region", ""), ("OCI_REGION", " ")]), "eu-frankfurt-1");
}

#[test]
fn the_variables_alone_are_enough_those_of_the_provider_and_those_of_the_cli() {
    let home = Home::with("");
    let key = pem("private_key_pkcs8_pem").replace('\n', "\\n");
    let fingerprint = pem("fingerprint");
    let provider = [
        ("OCI_TENANCY_OCID", TENANCY),
        ("TF_VAR_user_ocid", USER),
        ("OCI_FINGERPRINT", &fingerprint),
        ("OCI_PRIVATE_KEY", &key),
        ("OCI_REGION", "iad"),
    ];
    let cli = [
        ("OCI_CLI_TENANCY", TENANCY),
        ("OCI_CLI_USER", USER),
        ("OCI_CLI_FINGERPRINT", &fingerprint),
        ("OCI_CLI_KEY_FILE", "~/.oci/locked.pem"),
        ("OCI_CLI_PASSPHRASE", "correct horse"),
        ("OCI_CLI_REGION", "iad"),
        ("OCI_CLI_ENDPOINT", "http://127.0.0.1:18080"),
    ];
    let expected = format!("{TENANCY}/{USER}/{fingerprint}");
    assert_eq!(key_id(&home.resolve(&Settings::default(), &provider).unwrap()), expected);
    let account = home.resolve(&Settings::default(), &cli).unwrap();
    assert_eq!(key_id(&account), expected);
    assert_eq!(account.endpoint.unwrap().as_str(), "http://127.0.0.1:18080/");
}

#[test]
fn a_nearer_key_wins_also_as_a_path() {
    let home = Home::with(&default_profile());
    let block = Settings { private_key_path: Some("~/.oci/key.pem".into()), ..Settings::default() };
    let garbage = [("OCI_PRIVATE_KEY", "garbage")];
    assert!(home.resolve(&block, &garbage).is_ok());
    let said = home.refusal(&Settings::default(), &garbage);
    assert!(said.contains("the private key (the text given) is no private key"), "{said}");
}

#[test]
fn profiles_have_what_the_default_has_and_they_do_not_say() {
    let config =
        format!("{}\n; a comment\n[OTHER]\nregion : us-ashburn-1\nuser =\n", default_profile());
    let home = Home::with(&config);
    let account = home.resolve(&profile("OTHER"), &[]).unwrap();
    assert_eq!(account.region.as_ref().unwrap().name, "us-ashburn-1");
    assert!(key_id(&account).contains(USER));
    for name in ["OCI_CLI_PROFILE", "OCI_CONFIG_FILE_PROFILE", "TF_VAR_config_file_profile"] {
        let account = home.resolve(&Settings::default(), &[(name, "OTHER")]).unwrap();
        assert_eq!(account.region.unwrap().name, "us-ashburn-1", "{name}");
    }
}

#[test]
fn the_file_is_found_as_oracles_tools_find_it() {
    let home = Home::with(&default_profile());
    home.write("elsewhere", &default_profile().replace("eu-frankfurt-1", "us-phoenix-1"));
    let region = |settings: &Settings, environment: &[(&str, &str)]| {
        home.resolve(settings, environment).unwrap().region.unwrap().name
    };
    let elsewhere = Settings { config_file: Some("~/elsewhere".into()), ..Settings::default() };
    assert_eq!(region(&elsewhere, &[]), "us-phoenix-1");
    assert_eq!(
        region(&Settings::default(), &[("OCI_CLI_CONFIG_FILE", "elsewhere")]),
        "us-phoenix-1"
    );
    // The default place wins over this one.
    assert_eq!(region(&Settings::default(), &[("OCI_CONFIG_FILE", "elsewhere")]), "eu-frankfurt-1");
    std::fs::remove_file(home.path().join(".oci/config")).unwrap();
    assert_eq!(region(&Settings::default(), &[("OCI_CONFIG_FILE", "elsewhere")]), "us-phoenix-1");
    home.write(".oraclebmc/config", &default_profile());
    assert_eq!(region(&Settings::default(), &[]), "eu-frankfurt-1");
}

#[test]
fn what_is_missing_is_named_with_the_places_that_were_looked_at() {
    let home = Home::with("[DEFAULT]\nregion=iad\n");
    let said = home.refusal(&Settings::default(), &[]);
    assert!(said.starts_with("there is no tenancy_ocid, no user_ocid, no private_key."), "{said}");
    assert!(said.contains("OCI_TENANCY_OCID") && said.contains(".oci/config"), "{said}");
    std::fs::remove_file(home.path().join(".oci/config")).unwrap();
    let said = home.refusal(&Settings::default(), &[]);
    assert!(said.contains("~/.oci/config (which is not there)"), "{said}");
    let said = home.refusal(&profile("PROD"), &[]);
    assert!(said.contains("the profile \"PROD\" of ~/.oci/config cannot be read"), "{said}");
    let nowhere = Settings { config_file: Some("nowhere".into()), ..Settings::default() };
    assert!(home.refusal(&nowhere, &[]).contains("there is no file"));
}

#[test]
fn what_would_log_in_elsewhere_than_meant_is_refused() {
    let config = default_profile();
    let home = Home::with(&config);
    let check = |config: &str, settings: &Settings, expected: &str| {
        home.write(".oci/config", config);
        let said = home.refusal(settings, &[]);
        assert!(said.contains(expected), "{said}");
    };
    let none = Settings::default();
    check(&config, &profile("PROD"), "has no profile \"PROD\"; it has: DEFAULT");
    check(&config.replace("eu-frankfurt-1", "eu-nowhere-1"), &none, "the region \"eu-nowhere-1\"");
    check(&config.replace("region=", "regoin="), &none, "there is no region");
    check(&config.replace(&pem("fingerprint")[..2], "00"), &none, "is not that of the key");
    check(&config.replace(USER, "alice"), &none, "user_ocid = \"alice\" is no OCID");
    check(&config.replace("key.pem", "gone.pem"), &none, "cannot read");
    check(&config.replace("key.pem", "locked.pem"), &none, "give private_key_password");
    check(&format!("{config}key_content=abc"), &none, "use key_file");
    check(&format!("{config}user=x"), &none, "line 7: the profile says user twice");
    check(&format!("{config}[DEFAULT]"), &none, "two profiles [DEFAULT]");
    check("user=x", &none, "line 1 stands before the first profile");
    let auth = |kind: &str| Settings { auth: Some(kind.into()), ..Settings::default() };
    check(&config, &auth("instance_obo_user"), "is not known here");
    check(&config, &auth("SecurityToken"), "`oci session authenticate` writes it");
    check(&config, &auth("ResourcePrincipal"), "OCI_RESOURCE_PRINCIPAL_VERSION is not set");
    check(&config, &auth("OKEWorkloadIdentity"), "does not run in a pod");
    for endpoint in ["ftp://x", "https://u:p@x", "https://x/y", "https://x?y", "x"] {
        let settings = Settings { endpoint: Some(endpoint.into()), ..Settings::default() };
        check(&config, &settings, "endpoint must be the address");
    }
}

#[test]
fn a_session_of_the_cli_is_recognised_by_its_profile() {
    let config = format!(
        "{}[session]\nfingerprint=f\nkey_file=~/.oci/key.pem\nsecurity_token_file=~/.oci/token\nregion=iad\n",
        default_profile()
    );
    let home = Home::with(&config);
    let account = home.resolve(&profile("session"), &[]).unwrap();
    let Login::SecurityToken { token, .. } = &account.login else { panic!("{:?}", account.login) };
    assert_eq!(token.read("x").unwrap().expose_secret(), "the-session-token");
    assert!(account.whose.contains("the profile \"session\""), "{}", account.whose);
    for name in ["SecurityToken", "security_token", "SECURITYTOKEN"] {
        let settings = Settings { auth: Some(name.into()), ..profile("session") };
        assert!(matches!(home.resolve(&settings, &[]).unwrap().login, Login::SecurityToken { .. }));
    }
    let settings = Settings { auth: Some("ApiKey".into()), ..profile("session") };
    assert!(home.refusal(&settings, &[]).contains("fingerprint"));
}

#[test]
fn the_principals_take_what_their_surroundings_hold() {
    let home = Home::with("");
    let instance = Settings { auth: Some("InstancePrincipal".into()), ..Settings::default() };
    let account = home.resolve(&instance, &[]).unwrap();
    assert!(matches!(account.login, Login::InstancePrincipal { metadata: None, federation: None }));
    assert!(account.region.is_none());
    let given = [("OCI_METADATA_BASE_URL", "http://127.0.0.1:1/opc/v2")];
    let account = home.resolve(&instance, &given).unwrap();
    assert!(matches!(account.login, Login::InstancePrincipal { metadata: Some(_), .. }));

    let key = pem("private_key_pkcs8_pem");
    let resource = [
        ("OCI_AUTH", "resource_principal"),
        ("OCI_RESOURCE_PRINCIPAL_VERSION", "2.2"),
        ("OCI_RESOURCE_PRINCIPAL_RPST", "/run/rpst"),
        ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", &key),
        ("OCI_RESOURCE_PRINCIPAL_REGION", "phx"),
    ];
    let account = home.resolve(&Settings::default(), &resource).unwrap();
    let Login::ResourcePrincipal { token: Source::File(token), key: Source::Text(_), .. } =
        &account.login
    else {
        panic!("{:?}", account.login)
    };
    assert_eq!(token, Path::new("/run/rpst"));
    assert_eq!(account.region.unwrap().name, "us-phoenix-1");

    let pod = [
        ("OCI_CLI_AUTH", "oke_workload_identity"),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("OCI_RESOURCE_PRINCIPAL_REGION", "phx"),
    ];
    let account = home.resolve(&Settings::default(), &pod).unwrap();
    let Login::OkeWorkloadIdentity { address, ca, .. } = &account.login else {
        panic!("{:?}", account.login)
    };
    assert_eq!(address.as_str(), "https://10.96.0.1:12250/resourcePrincipalSessionTokens");
    assert_eq!(ca, Path::new("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"));
}

#[test]
fn nothing_secret_is_shown() {
    let settings = Settings {
        private_key: Some(pem("private_key_pkcs8_pem").into()),
        private_key_password: Some("correct horse".into()),
        ..Settings::default()
    };
    let home = Home::with(&default_profile());
    let shown = format!("{settings:?} {:?}", home.resolve(&settings, &[]).unwrap());
    assert!(!shown.contains("horse") && !shown.contains("BEGIN"), "{shown}");
    assert!(!shown.contains(&pem("private_key_pkcs8_pem")[40..80]), "{shown}");
}
