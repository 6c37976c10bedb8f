//! Which kind of login, and what it needs.

use std::sync::Arc;

use crate::redaction::{ExposeSecret as _, SecretString};

use super::layers::{AUTH, FINGERPRINT, Layers, TENANCY, USER};
use super::{ConfigError, Login, Source};
use crate::cloud::http::Url;
use crate::cloud::oci::key::Key;
use crate::cloud::oci::signer::Signatory;

/// The kinds by their names in the provider block.
const KINDS: [&str; 5] =
    ["ApiKey", "SecurityToken", "InstancePrincipal", "ResourcePrincipal", "OKEWorkloadIdentity"];

/// The login, and whose it is.
pub(super) fn login(layers: &Layers<'_>) -> Result<(Login, String), ConfigError> {
    let kind = layers.text(layers.settings.auth.as_ref(), &AUTH);
    // Oracle's provider writes ApiKey, its CLI api_key.
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    match kind.as_deref().map(plain).as_deref() {
        // A profile of `oci session authenticate` has a token and no user.
        None if layers.profile.own("security_token_file").is_some()
            && layers.profile.own("user").is_none() =>
        {
            security_token(layers)
        }
        None | Some("apikey") => api_key(layers),
        Some("instanceprincipal") => instance_principal(layers),
        Some("okeworkloadidentity") => workload_identity(layers),
        Some("resourceprincipal") => resource_principal(layers),
        Some("securitytoken") => security_token(layers),
        Some(_) => {
            let text = kind.unwrap_or_default();
            let message = format!(
                "auth = {text:?} is not known here, though Oracle's tools may know it; use one of {}",
                KINDS.join(", ")
            );
            Err(ConfigError::new("auth", message))
        }
    }
}

fn api_key(layers: &Layers<'_>) -> Result<(Login, String), ConfigError> {
    let tenancy = layers.text(layers.settings.tenancy_ocid.as_ref(), &TENANCY);
    let user = layers.text(layers.settings.user_ocid.as_ref(), &USER);
    let (Some(tenancy), Some(user), Some(source)) = (&tenancy, &user, layers.key()) else {
        let needed = [
            ("tenancy_ocid", tenancy.is_none()),
            ("user_ocid", user.is_none()),
            ("private_key", layers.key().is_none()),
        ];
        let missing: Vec<_> =
            needed.into_iter().filter_map(|(name, missing)| missing.then_some(name)).collect();
        return Err(layers.missing(&missing));
    };
    check_ocid("tenancy_ocid", tenancy)?;
    check_ocid("user_ocid", user)?;
    let key = key(&source, layers.password().as_ref())?;
    if let Some(stated) = layers.text(layers.settings.fingerprint.as_ref(), &FINGERPRINT)
        && !stated.eq_ignore_ascii_case(key.fingerprint())
    {
        let message = format!(
            "the fingerprint {stated} is not that of the key ({}), which is {}; they may come from two places: each setting is \
             taken from the first of block, environment and {} that has it",
            source.name(),
            key.fingerprint(),
            layers.place
        );
        return Err(ConfigError::new("fingerprint", message));
    }
    let key_id = format!("{tenancy}/{user}/{}", key.fingerprint()).into();
    Ok((Login::ApiKey(Signatory { key_id, key: Arc::new(key) }), format!("the user {user}")))
}

fn security_token(layers: &Layers<'_>) -> Result<(Login, String), ConfigError> {
    let token = layers
        .variable("OCI_CLI_SECURITY_TOKEN_FILE")
        .or_else(|| layers.profile.get("security_token_file").map(str::to_owned));
    let Some(token) = token.map(|path| Source::File(layers.path(&path))) else {
        let message = format!(
            "auth = \"SecurityToken\" needs security_token_file, and {} does not have it; `oci session authenticate` writes it",
            layers.place
        );
        return Err(ConfigError::new("profile", message));
    };
    let Some(key_source) = layers.key() else { return Err(layers.missing(&["private_key_path"])) };
    let passphrase = layers.password();
    // Said now, and not by the first call.
    key(&key_source, passphrase.as_ref())?;
    token.read("profile")?;
    let whose = format!("the session token of {}", layers.place);
    Ok((Login::SecurityToken { token, key: key_source, passphrase }, whose))
}

fn instance_principal(layers: &Layers<'_>) -> Result<(Login, String), ConfigError> {
    let address = |name: &str| {
        let text = layers.variable(name);
        text.map(|text| Url::parse(&text))
            .transpose()
            .map_err(|_| ConfigError::new("auth", format!("the variable {name} is no address")))
    };
    let metadata = address("OCI_METADATA_BASE_URL")?;
    let federation = address("OCI_CLI_FEDERATION_ENDPOINT")?;
    let whose = "this machine (instance principal)".to_owned();
    Ok((Login::InstancePrincipal { metadata, federation }, whose))
}

fn resource_principal(layers: &Layers<'_>) -> Result<(Login, String), ConfigError> {
    let version = layers.variable("OCI_RESOURCE_PRINCIPAL_VERSION");
    if version.as_deref() != Some("2.2") {
        let message = match version {
            None => "auth = \"ResourcePrincipal\": OCI_RESOURCE_PRINCIPAL_VERSION is not set, so this does not run in a service \
                     that has a resource principal"
                .to_owned(),
            Some(version) => format!(
                "auth = \"ResourcePrincipal\": version {version} of it is not known here, only 2.2"
            ),
        };
        return Err(ConfigError::new("auth", message));
    }
    // Each is a value, or the path of a file that the service renews.
    let source = |name: &'static str| {
        let text = layers.variable(name)?;
        Some(if text.starts_with('/') {
            Source::File(text.into())
        } else {
            Source::Text(text.into())
        })
    };
    let needed = |name: &'static str| {
        source(name).ok_or_else(|| {
            ConfigError::new(
                "auth",
                format!("auth = \"ResourcePrincipal\" needs the variable {name}"),
            )
        })
    };
    let token = needed("OCI_RESOURCE_PRINCIPAL_RPST")?;
    let key = needed("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM")?;
    let passphrase = source("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE");
    let whose = "this resource (resource principal)".to_owned();
    Ok((Login::ResourcePrincipal { token, key, passphrase }, whose))
}

fn workload_identity(layers: &Layers<'_>) -> Result<(Login, String), ConfigError> {
    const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let Some(host) = layers.variable("KUBERNETES_SERVICE_HOST") else {
        let message = "auth = \"OKEWorkloadIdentity\": KUBERNETES_SERVICE_HOST is not set, so this does not run in a pod";
        return Err(ConfigError::new("auth", message));
    };
    let host =
        if host.contains(':') { format!("[{}]", host.trim_matches(['[', ']'])) } else { host };
    let address = Url::parse(&format!("https://{host}:12250/resourcePrincipalSessionTokens"))
        .map_err(|_| ConfigError::new("auth", "KUBERNETES_SERVICE_HOST is no host"))?;
    let ca = layers.variable("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH");
    let ca = ca.unwrap_or_else(|| format!("{ACCOUNT}/ca.crt")).into();
    let token = format!("{ACCOUNT}/token").into();
    let whose = "this pod (OKE workload identity)".to_owned();
    Ok((Login::OkeWorkloadIdentity { address, token, ca }, whose))
}

/// A key, or in words what is wrong with it and where it stands.
pub(in crate::cloud::oci) fn key(
    source: &Source,
    passphrase: Option<&SecretString>,
) -> Result<Key, ConfigError> {
    let setting = match source {
        Source::File(_) => "private_key_path",
        Source::Text(_) => "private_key",
    };
    let pem = source.read(setting)?;
    Key::from_pem(pem.expose_secret(), passphrase).map_err(|why| {
        ConfigError::new(setting, format!("the private key ({}) {why}", source.name()))
    })
}

/// It goes into a header, between quotes and slashes.
fn check_ocid(setting: &'static str, text: &str) -> Result<(), ConfigError> {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    if text.chars().all(fit) && text.matches(['.', ':']).count() >= 4 {
        return Ok(());
    }
    let message = format!("{setting} = {text:?} is no OCID, such as ocid1.user.oc1..aaaa");
    Err(ConfigError::new(setting, message))
}
