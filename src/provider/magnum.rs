//! What every type says of Magnum alike, and gets from it: a cluster that is not found, a client certificate.

use crate::cloud::kubernetes::{self, ClientKey};
use crate::cloud::openstack::magnum::{Cluster, is_gone};
use crate::cloud::openstack::{Error, Patience, Session};
use crate::provider::errors;
use crate::tfplugin::diagnostics::Diagnostic;

/// Magnum could not be asked, and nothing was to be changed.
pub fn unreadable(doing: &str, error: &Error) -> Diagnostic {
    errors::call("Cannot ask Magnum", doing, error, "Nothing was changed.", role(error))
}

/// What the login may lack.
pub fn role(error: &Error) -> &'static str {
    let of_magnum = matches!(error, Error::Api(answer)
        if answer.status == 403 && !answer.request.contains("/users/"));
    if of_magnum {
        "The login does not have the role that Magnum wants (\"reader\" to look, \"member\" to rotate)."
    } else {
        ""
    }
}

/// No cluster goes by this name or uuid, as far as this login can see.
pub async fn not_found(
    session: &Session,
    id: &str,
    error: &Error,
    patience: &Patience,
) -> Diagnostic {
    let next = match error.status() {
        Some(404) if is_gone(error, id) => "There is no such cluster in the project of this login; Magnum shows none of other projects. `openstack coe \
             cluster list` shows those there are."
            .to_owned(),
        Some(409) => {
            let named = session.magnum().clusters(patience).await.unwrap_or_default();
            let named: Vec<String> = named
                .into_iter()
                .filter(|cluster| cluster.name == id)
                .map(|cluster| cluster.uuid)
                .collect();
            format!("Several clusters have this name; name one by its uuid: {}.", named.join(", "))
        }
        _ => return unreadable(&format!("read the cluster {id:?}"), error),
    };
    let doing = format!("find the cluster {id:?}");
    errors::call("No such cluster", &doing, error, "Nothing was changed.", &next)
}

/// A client certificate with its key and the CA that signed it.
#[derive(Debug)]
pub struct Signed {
    pub ca: String,
    pub key: crate::redaction::SecretString,
    pub pem: String,
}

/// Has the cluster's CA sign a new key for that user and those groups.
pub async fn signed(
    session: &Session,
    cluster: &Cluster,
    user: &str,
    groups: &[String],
    patience: &Patience,
) -> Result<Signed, Diagnostic> {
    let broken = |error: kubernetes::identity::KeyError| {
        Diagnostic::error("No client certificate", error.to_string())
    };
    let key = ClientKey::generate().map_err(broken)?;
    let csr = key.signing_request(user, groups).map_err(broken)?;
    let what =
        |doing: &str| format!("{doing} of the cluster {:?} ({})", cluster.name, cluster.uuid);
    let ca = session.magnum().ca(&cluster.uuid, patience).await;
    let ca = ca.map_err(|error| hidden(cluster, &what("read the CA"), &error))?;
    let pem = session.magnum().sign(&cluster.uuid, &csr, patience).await;
    let pem =
        pem.map_err(|error| hidden(cluster, &what("get a certificate from the CA"), &error))?;
    Ok(Signed { ca, key: key.pem(), pem })
}

fn hidden(cluster: &Cluster, doing: &str, error: &Error) -> Diagnostic {
    if error.status() != Some(403) {
        return unreadable(doing, error);
    }
    let owner = cluster.user_id.as_deref().unwrap_or("unknown");
    errors::call(
        "Only the owner of a cluster gets its certificates",
        doing,
        error,
        "",
        &format!(
            "Magnum gives them to user {owner}, who created the cluster or rotated its credential last, and to nobody else of the \
             project. Log in as that user, or become the owner by rotating the cluster's application credential."
        ),
    )
}
