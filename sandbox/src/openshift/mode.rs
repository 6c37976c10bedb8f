//! Which mode the operator works in.

use serde_json::Value;

use super::api::{Api, Refused};
use super::names::NAMESPACE;

/// What `CloudCredential` and the legacy `ConfigMap` come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Default,
    /// With tokens of the cluster's own issuer where there is one.
    Manual {
        issuer: bool,
    },
    Mint,
    Passthrough,
}

/// Why no mode can be told.
#[derive(Clone, Debug)]
pub(super) enum Unclear {
    /// The two contradict each other.
    Conflict {
        spec: String,
    },
    Refused(Refused),
}

impl From<Refused> for Unclear {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

pub(super) const CLOUD_CREDENTIAL: &str = "/apis/operator.openshift.io/v1/cloudcredentials/cluster";

pub(super) async fn mode(api: &Api) -> Result<Mode, Unclear> {
    let credential = api.get(CLOUD_CREDENTIAL).await?;
    let missing = || Refused {
        status: 404,
        reason: "NotFound".to_owned(),
        message: "cloudcredentials.operator.openshift.io \"cluster\" not found".to_owned(),
    };
    let spec = credential.ok_or_else(missing)?["spec"]["credentialsMode"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let path =
        format!("/api/v1/namespaces/{NAMESPACE}/configmaps/cloud-credential-operator-config");
    let disabled = api.get(&path).await?.is_some_and(|config| is_true(&config["data"]["disabled"]));
    if disabled && !["", "Manual"].contains(&spec.as_str()) {
        return Err(Unclear::Conflict { spec });
    }
    Ok(match spec.as_str() {
        "Mint" => Mode::Mint,
        "Passthrough" => Mode::Passthrough,
        "" if !disabled => Mode::Default,
        _ => {
            let path = "/apis/config.openshift.io/v1/authentications/cluster";
            let found = api.get(path).await?.unwrap_or_default();
            let issuer = found["spec"]["serviceAccountIssuer"].as_str().unwrap_or_default();
            Mode::Manual { issuer: !issuer.is_empty() }
        }
    })
}

/// As Go's `strconv.ParseBool`.
fn is_true(value: &Value) -> bool {
    ["1", "t", "T", "TRUE", "true", "True"].contains(&value.as_str().unwrap_or_default())
}
