//! The provider's one way to Oracle's cloud: the configured session, made on first use.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::OnceCell;

use crate::cloud::Surroundings;
use crate::cloud::oci::config::{Settings, resolve};
use crate::cloud::oci::{Error, Session};
use crate::tfplugin::diagnostics::{Diagnostic, Result};

/// Shared by everything that needs OCI; configured once for each provider process.
#[derive(Debug, Default)]
pub struct Oci {
    configured: RwLock<Configured>,
    /// None: the process's, looked at on first use.
    surroundings: Option<Surroundings>,
}

#[derive(Clone, Debug, Default)]
enum Configured {
    /// Not yet: validation, upgrades and moves run so.
    #[default]
    No,
    /// A setting is not known before apply.
    Unknown(&'static str),
    Settings(Arc<Settings>, Arc<OnceCell<Session>>),
}

/// A setting of the block that is not known before apply, as `oci.region`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotYet(pub String);

impl Oci {
    pub fn in_surroundings(surroundings: Surroundings) -> Self {
        Self { surroundings: Some(surroundings), ..Self::default() }
    }

    pub fn configure(&self, settings: Result<Settings, &'static str>) {
        let configured = match settings {
            Err(setting) => Configured::Unknown(setting),
            Ok(settings) => Configured::Settings(Arc::new(settings), Arc::default()),
        };
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured;
    }

    /// The session; contacts nobody. `NotYet` while the provider's configuration is unknown.
    pub async fn session(&self) -> Result<Result<Session, NotYet>> {
        let configured = self.configured.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (settings, session) = match configured {
            Configured::No => (Arc::default(), Arc::default()),
            Configured::Unknown("oci") => return Ok(Err(NotYet("oci".to_owned()))),
            Configured::Unknown(setting) => return Ok(Err(NotYet(format!("oci.{setting}")))),
            Configured::Settings(settings, session) => (settings, session),
        };
        let surroundings = || self.surroundings.clone().unwrap_or_else(Surroundings::of_process);
        let made = session
            .get_or_try_init(|| async {
                resolve(&settings, &surroundings()).map(Session::new).map_err(Error::from)
            })
            .await;
        match made {
            Ok(session) => Ok(Ok(session.clone())),
            Err(error) => Err(call("", "", &error, "", "").into()),
        }
    }

    /// The session where nothing can be done without one: data sources and ephemerals.
    pub async fn session_now(&self) -> Result<Session> {
        self.session().await?.map_err(|NotYet(setting)| {
            Diagnostic::error(
                "The provider's configuration is not known yet",
                format!(
                    "The setting {setting} of the provider gets its value only at apply, and this cannot wait until then.\n\nApply \
                     what it comes from first (-target), or give it a value that is known."
                ),
            )
            .into()
        })
    }
}

/// A call failed. `doing` completes "could not …"; `valid` and `next` are whole sentences. What is wrong with the login
/// or the configuration is told as that, whatever was asked for.
pub fn call(summary: &str, doing: &str, error: &Error, valid: &str, next: &str) -> Diagnostic {
    let said = error.to_string();
    let said = said.trim_end_matches('.');
    let (summary, what, next) = match (error, error.status()) {
        (Error::Config(_), _) => return Diagnostic::error("OCI is not configured", sentence(said)),
        (Error::Login { .. }, _) => ("Cannot log in to OCI", sentence(said), ""),
        (_, Some(401)) => (
            "Cannot log in to OCI",
            format!("Could not {doing}: {said}."),
            "OCI gives the same answer for an unknown user or key, a wrong signature, and a clock that is five minutes off. Check the \
             login with `oci os ns get`, and the clock of this machine. It is not tried again.",
        ),
        (_, Some(404)) if next.is_empty() => (
            summary,
            format!("Could not {doing}: {said}."),
            "OCI gives the same answer for what does not exist and for what the login may not see: check the OCID, the region and the \
             login's policy.",
        ),
        _ => (summary, format!("Could not {doing}: {said}."), next),
    };
    let mut detail = what;
    for text in [valid, next] {
        if !text.is_empty() {
            detail.push_str("\n\n");
            detail.push_str(text);
        }
    }
    if let Some(id) = error.request_id() {
        detail.push_str("\n\nRequest id: ");
        detail.push_str(id);
    }
    Diagnostic::error(summary, detail)
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::oci::ApiError;

    #[tokio::test]
    async fn a_setting_that_is_not_known_yet_is_named() {
        let oci = Oci::in_surroundings(Surroundings::default());
        oci.configure(Err("region"));
        assert_eq!(oci.session().await.unwrap().unwrap_err(), NotYet("oci.region".into()));
        let said = oci.session_now().await.unwrap_err().0[0].detail.clone();
        assert!(said.contains("oci.region"), "{said}");
    }

    #[tokio::test]
    async fn what_is_missing_is_told_on_first_use() {
        let oci = Oci::in_surroundings(Surroundings::default());
        oci.configure(Ok(Settings::default()));
        let why = oci.session().await.unwrap_err();
        assert_eq!(why.0[0].summary, "OCI is not configured");
        assert!(why.0[0].detail.starts_with("There is no tenancy_ocid"), "{}", why.0[0].detail);
    }

    #[test]
    fn a_refused_call_says_what_to_do_and_by_which_id() {
        let refused = |status: u16| {
            let answer = ApiError {
                status,
                code: Some("NotAuthenticated".into()),
                message: "No.".into(),
                request_id: Some("r1".into()),
                request: "GET /x".into(),
                host: "h".into(),
            };
            call("Nothing read", "read it", &Error::Api(Box::new(answer)), "All is as it was.", "")
        };
        let told = refused(401);
        assert_eq!(told.summary, "Cannot log in to OCI");
        assert!(
            told.detail.starts_with(
                "Could not read it: GET /x was answered 401 NotAuthenticated by h: No."
            )
        );
        assert!(
            told.detail.contains("All is as it was.") && told.detail.ends_with("Request id: r1")
        );
        assert!(refused(404).detail.contains("may not see"));
        assert_eq!(refused(500).summary, "Nothing read");
    }
}
