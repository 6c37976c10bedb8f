//! One `CredentialsRequest` in work: what is known of it, what is written of it, and why it cannot be synced.

use serde_json::{Map, Value, json};

use super::api::Refused;
use super::mode::Mode;
use super::platform::Platform;
use super::secrets;
use super::shared::Shared;

/// Why one cannot be synced.
#[derive(Debug)]
pub(super) enum Failure {
    Insufficient,
    Provision(String),
    /// Told in no object; tried again.
    Unexpected,
}

/// One `CredentialsRequest` in work.
pub(super) struct Work<'a> {
    pub(super) shared: &'a Shared,
    pub(super) platform: Platform,
    pub(super) mode: Mode,
    pub(super) infrastructure: &'a Value,
    pub(super) request: &'a mut Value,
    /// As it was when this began; also one without a verdict.
    pub(super) root: Option<Value>,
    /// Where the operator can see it.
    pub(super) target: Option<Value>,
}

impl Work<'_> {
    /// The root secret, with a verdict where one is needed.
    pub(super) fn root(&self) -> Result<&Value, Failure> {
        let name = self.platform.root_secret();
        let root = self.root.as_ref().ok_or_else(|| {
            let why =
                format!("unable to fetch root cloud cred secret: Secret \"{name}\" not found");
            Failure::Provision(why)
        })?;
        if is_known(self.platform, root) {
            return Ok(root);
        }
        Err(Failure::Provision("cannot proceed without cloud cred secret annotation".to_owned()))
    }

    /// Writes the component's secret.
    pub(super) async fn write(
        &self,
        data: Map<String, Value>,
        annotations: Value,
    ) -> Result<(), String> {
        let (api, target) = (&self.shared.api, self.target.as_ref());
        secrets::write(api, self.request, target, data, annotations).await
    }

    /// Writes the status as it is now.
    pub(super) async fn save(&mut self) -> Result<(), Refused> {
        save(self.shared, self.request).await
    }
}

impl Failure {
    /// Whether anything is to be done cannot be told.
    pub(super) fn undecided() -> Self {
        Self::Provision("error determining whether a credentials update is needed".to_owned())
    }

    #[expect(clippy::needless_pass_by_value, reason = "used as the mapping of an error")]
    pub(super) fn of_write(why: String) -> Self {
        Self::Provision(format!("error creating/updating secret: {why}"))
    }
}

impl From<Refused> for Failure {
    fn from(_: Refused) -> Self {
        Self::Unexpected
    }
}

/// Whether the root secret has a verdict, where it needs one.
pub(super) fn is_known(platform: Platform, root: &Value) -> bool {
    !platform.needs_verdict() || !secrets::verdict(root).is_empty()
}

/// The whole status; refused where somebody else has changed the object since.
pub(super) async fn save(shared: &Shared, request: &mut Value) -> Result<(), Refused> {
    let text = |key: &str| request["metadata"][key].as_str().unwrap_or_default();
    let path = format!(
        "/apis/cloudcredential.openshift.io/v1/namespaces/{}/credentialsrequests/{}/status",
        text("namespace"),
        text("name")
    );
    for (field, empty) in [("provisioned", json!(false)), ("lastSyncGeneration", json!(0))] {
        if request["status"][field].is_null() {
            request["status"][field] = empty;
        }
    }
    *request = shared.api.replace(&path, request).await?;
    Ok(())
}
