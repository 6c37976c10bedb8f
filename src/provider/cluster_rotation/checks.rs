//! What must hold before a rotation is sent: asked at plan as far as it can be known, and always again by
//! apply before its first effect.

use crate::cloud::openstack::magnum::{Cluster, ClusterTemplate, ROTATES_CREDENTIALS};
use crate::cloud::openstack::{Error, Patience, Session, Token};
use crate::provider::cluster_rotation::decide::Credential;
use crate::provider::cluster_rotation::model::Magnum;
use crate::provider::cluster_rotation::told;
use crate::provider::errors;
use crate::tfplugin::diagnostics::{AttributePath, Diagnostic, Step};
use crate::tfplugin::model::Attr;

/// A cluster with what a rotation needs to know of it.
#[derive(Debug)]
pub struct Target {
    pub cluster: Cluster,
    pub template: Option<ClusterTemplate>,
    /// The version of Kubernetes, as major and minor; None where nothing tells it.
    pub version: Option<(u32, u32)>,
    /// Whether the workloads must restart; None where it cannot be told.
    pub restarts: Option<bool>,
}

/// Finds the cluster and its template.
pub async fn find(
    session: &Session,
    magnum: &Magnum,
    id: &str,
    patience: &Patience,
) -> Result<Target, Diagnostic> {
    let cluster = match session.magnum().cluster(id, patience).await {
        Ok(cluster) => cluster,
        Err(error) => return Err(not_found(session, id, &error, patience).await),
    };
    let template = session.magnum().template(&cluster.cluster_template_id, patience).await.ok();
    Ok(Target::new(cluster, template, &magnum.restart_workloads))
}

impl Target {
    /// What can be told of the cluster; `restart_workloads` as the block has it.
    pub fn new(
        cluster: Cluster,
        template: Option<ClusterTemplate>,
        restart_workloads: &Attr<String>,
    ) -> Self {
        let version = version(&cluster, template.as_ref());
        let restarts = match restart_workloads {
            // Only a plan has this: apply asks again.
            Attr::Unknown => Some(false),
            Attr::Known(said) if said == "always" => Some(true),
            Attr::Known(said) if said == "never" => Some(false),
            Attr::Known(_) | Attr::Null => version.map(|version| version < RELOADS),
        };
        Self { cluster, template, version, restarts }
    }
}

/// Everything that keeps this login from rotating this credential now.
pub async fn may_rotate(
    session: &Session,
    caller: &Token,
    target: &Target,
    magnum: &Magnum,
    credential: Credential,
    patience: &Patience,
) -> Vec<Diagnostic> {
    let mut refusals = Vec::new();
    if let Some(login) = caller.application_credential.as_ref().filter(|login| login.restricted) {
        refusals.push(Diagnostic::error(
            "The login may not rotate a cluster's credential",
            format!(
                "The provider logs in with the application credential {:?} ({}), which is restricted. Magnum makes the cluster's \
                 new application credential in the name of this login, Keystone would refuse that, and the cluster would be left \
                 in UPDATE_FAILED. Nothing was sent.\n\nLog in as the user, or with an application credential that was made with \
                 `unrestricted = true`.",
                login.name, login.id
            ),
        ));
    }
    if !caller.roles.iter().any(|role| matches!(role.name.as_str(), "member" | "admin")) {
        let held: Vec<&str> = caller.roles.iter().map(|role| role.name.as_str()).collect();
        refusals.push(Diagnostic::error(
            "The login does not have the role that Magnum wants",
            format!(
                "Magnum lets members of the project rotate (its policy wants the role \"member\"). {} has: {}.",
                caller.user.name,
                held.join(", ")
            ),
        ));
    }
    refusals.extend(status(&target.cluster, credential));
    match credential {
        Credential::ApplicationCredential => {
            match session.magnum().newest_version(patience).await {
                Ok(version) if version < ROTATES_CREDENTIALS => refusals.push(Diagnostic::error(
                    "This Magnum cannot rotate credentials",
                    format!(
                        "It speaks version {version} of its API; rotating a cluster's credential needs {ROTATES_CREDENTIALS}, which \
                         Magnum 21.0.0 (OpenStack 2025.2) was the first to have."
                    ),
                )),
                Ok(_) => {}
                Err(error) => refusals.push(unreadable("ask Magnum for its version", &error)),
            }
            if target.restarts.is_none() {
                refusals.push(unknown_version(&target.cluster));
            }
        }
        Credential::CaCertificate => {
            if target.template.as_ref().is_some_and(|template| template.tls_disabled) {
                refusals.push(
                    Diagnostic::error(
                        "The cluster has no CA",
                        format!(
                            "The template of the cluster {} has tls_disabled, so there is no CA to replace.",
                            told::called(&target.cluster)
                        ),
                    )
                    .at(inside("credential")),
                );
            }
            let ca = session.magnum().ca(&target.cluster.uuid, patience).await;
            if ca.is_err_and(|error| error.status() == Some(403)) {
                refusals.push(ca_not_shown(&target.cluster));
            }
            if matches!(magnum.driver_supports_ca_rotation, Attr::Null | Attr::Known(false)) {
                refusals.push(unsupported());
            }
        }
    }
    refusals
}

/// Which of the block's arguments.
pub fn inside(name: &str) -> AttributePath {
    AttributePath::attribute("magnum").then(Step::Attribute(name.into()))
}

pub fn unreadable(doing: &str, error: &Error) -> Diagnostic {
    let next = match error.status() {
        Some(403) => {
            "The login does not have the role that Magnum wants (\"reader\" to look, \"member\" to rotate)."
        }
        _ => "",
    };
    errors::call("Cannot ask Magnum", doing, error, "Nothing was changed.", next)
}

/// Why a CA is not replaced on a guess.
pub fn unsupported() -> Diagnostic {
    Diagnostic::error(
        "Replacing the CA needs to be confirmed",
        "Magnum cannot be asked whether a cluster's driver can replace its CA, and trying may store a new CA in Magnum, fail, \
         and leave the cluster in UPDATE_FAILED with servers that go on using the old one: no new kubeconfig would work. \
         magnum-capi-helm 1.4.0 cannot do it.\n\nAsk the cloud's operators; where the driver can, set \
         driver_supports_ca_rotation = true.",
    )
    .at(inside("driver_supports_ca_rotation"))
}

fn ca_not_shown(cluster: &Cluster) -> Diagnostic {
    Diagnostic::error(
        "Only the owner of a cluster can prove that its CA was replaced",
        format!(
            "Magnum would let this login replace the CA of the cluster {}, and then show the new one to nobody but its owner, user {}: \
             this login could neither see whether it was replaced nor connect to the cluster. Nothing was sent.\n\nLog in as that user, \
             or become the owner by rotating the cluster's application credential.",
            told::called(cluster),
            cluster.user_id.as_deref().unwrap_or("unknown")
        ),
    )
    .at(inside("credential"))
}

fn status(cluster: &Cluster, credential: Credential) -> Option<Diagnostic> {
    let status = cluster.status.as_deref().unwrap_or("unknown");
    let allowed = match credential {
        Credential::ApplicationCredential => {
            matches!(status, "UPDATE_IN_PROGRESS" | "UPDATE_FAILED")
                || status.ends_with("_COMPLETE") && !status.starts_with("DELETE")
        }
        Credential::CaCertificate => status.ends_with("_COMPLETE") && !status.starts_with("DELETE"),
    };
    // Magnum would take it, but would call the running update complete.
    let busy = status.ends_with("_IN_PROGRESS");
    if allowed && !busy {
        return None;
    }
    let reason = cluster.status_reason.as_deref().filter(|reason| !reason.is_empty());
    Some(Diagnostic::error(
        "The cluster is not in a state to be rotated",
        format!(
            "The cluster {} is {status}{}. {}",
            told::called(cluster),
            reason.map_or(String::new(), |reason| format!(" ({reason})")),
            if busy {
                "Wait until what is going on has ended, and apply again."
            } else {
                "Bring it back to a state that ends in _COMPLETE first."
            }
        ),
    ))
}

fn unknown_version(cluster: &Cluster) -> Diagnostic {
    Diagnostic::error(
        "It is not known whether the workloads must restart",
        format!(
            "Templates older than v1.34 need a restart of the OpenStack workloads after a rotation, and neither the labels, nor \
             the template, nor the driver of the cluster {} tell its version. Set restart_workloads to \"always\" or \"never\".",
            told::called(cluster)
        ),
    )
    .at(inside("restart_workloads"))
}

async fn not_found(session: &Session, id: &str, error: &Error, patience: &Patience) -> Diagnostic {
    let next = match error.status() {
        Some(404) => "There is no such cluster in the project of this login; Magnum shows none of other projects. `openstack coe \
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
        .at(inside("cluster"))
}

/// From here on clusters take a new credential without a restart.
const RELOADS: (u32, u32) = (1, 34);

/// The version of Kubernetes that the cluster's template stands for: its label, the template's label, the
/// template's name, or what the driver says.
fn version(cluster: &Cluster, template: Option<&ClusterTemplate>) -> Option<(u32, u32)> {
    let label = |labels: &std::collections::BTreeMap<String, String>| {
        labels.get("kube_tag").and_then(|tag| parse(tag))
    };
    label(&cluster.labels)
        .or_else(|| template.and_then(|template| label(&template.labels)))
        .or_else(|| template.and_then(|template| template.name.as_deref()).and_then(parse))
        .or_else(|| cluster.coe_version.as_deref().and_then(parse))
}

/// The first `v1.33` in a text.
fn parse(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    text.match_indices('v').find_map(|(position, _)| {
        let (major, rest) = text[position + 1..].split_once('.')?;
        Some((major.parse().ok()?, number(rest)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_where_templates_tell_them() {
        assert_eq!(parse("v1.33.8"), Some((1, 33)));
        assert_eq!(parse("kubernetes-v1.34.2-20260101"), Some((1, 34)));
        assert_eq!(parse("dev-kubernetes-v1.9"), Some((1, 9)));
        assert_eq!(parse("my-template"), None);
        assert_eq!(parse("v1"), None);
    }

    #[test]
    fn the_cluster_says_more_than_its_template() {
        let labels = |tag: &str| [("kube_tag".to_owned(), tag.to_owned())].into();
        let template = ClusterTemplate {
            name: Some("kubernetes-v1.33.8".into()),
            labels: labels("v1.34.0"),
            ..ClusterTemplate::default()
        };
        let mut cluster = Cluster { labels: labels("v1.35.1"), ..Cluster::default() };
        assert_eq!(version(&cluster, Some(&template)), Some((1, 35)));
        cluster.labels.clear();
        assert_eq!(version(&cluster, Some(&template)), Some((1, 34)));
        cluster.coe_version = Some("v1.20.1".into());
        let nameless = ClusterTemplate::default();
        assert_eq!(version(&cluster, Some(&nameless)), Some((1, 20)));
    }
}
