//! What keeps a login from rotating: asked at plan as far as it can be known, and always again by apply immediately
//! before it sends, then with everything that can be known before.

use crate::cloud::kubernetes::{Permission, Workload};
use crate::cloud::openstack::Error;
use crate::cloud::openstack::magnum::{Cluster as MagnumShows, ROTATES_CREDENTIALS, Restarts};
use crate::provider::cluster_credential_rotation::magnum::cluster::MagnumCluster;
use crate::provider::cluster_credential_rotation::magnum::{
    Credential, inside, restarts, told, workloads,
};
use crate::provider::cluster_credential_rotation::platform::When;
use crate::provider::cluster_credential_rotation::workloads::unreachable;
use crate::provider::errors;
use crate::provider::magnum::{role, unreadable};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Diagnostic;
use crate::tfplugin::model::Attr;

/// Everything that keeps this login from rotating this credential.
pub async fn all(cluster: &MagnumCluster, cx: &Context, when: When) -> Vec<Diagnostic> {
    let (caller, shown) = (&cluster.caller, cluster.shown());
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
    if when != When::PlanningAfterwards {
        refusals.extend(status(shown, cluster.credential));
    }
    if when.sends() {
        refusals.extend(planned_for(cluster));
    }
    let magnum = cluster.session.magnum();
    match cluster.credential {
        Credential::ApplicationCredential => {
            match magnum.newest_version(&cluster.patience).await {
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
            let by_version = cluster.found.restarts();
            let said = &cluster.block.restart_workloads;
            if by_version == Restarts::Unknown
                && !said.is_unknown()
                && restarts(&cluster.block, by_version).is_none()
            {
                refusals.push(unknown_version(shown));
            }
            if when.sends()
                && refusals.is_empty()
                && restarts(&cluster.block, by_version) == Some(true)
            {
                refusals.extend(may_restart(cluster, cx).await);
            }
        }
        Credential::CaCertificate => {
            if cluster.found.template.as_ref().is_some_and(|template| template.tls_disabled) {
                refusals.push(
                    Diagnostic::error(
                        "The cluster has no CA",
                        format!(
                            "The template of {} has tls_disabled, so there is no CA to replace.",
                            told::called(shown)
                        ),
                    )
                    .at(inside("credential")),
                );
            }
            let ca = magnum.ca(&shown.uuid, &cluster.patience).await;
            if ca.is_err_and(|error| error.status() == Some(403)) {
                refusals.push(ca_not_shown(shown));
            }
            let supported = &cluster.block.driver_supports_ca_rotation;
            if matches!(supported, Attr::Null | Attr::Known(false)) {
                refusals.push(unsupported());
            }
        }
    }
    refusals
}

/// Whose the cluster becomes was told by the plan, and a plan is applied as it was read.
fn planned_for(cluster: &MagnumCluster) -> Option<Diagnostic> {
    let planned = cluster.planned_by.as_ref()?;
    let (caller, shown) = (&cluster.caller.user, cluster.shown());
    let of_ca = cluster.credential == Credential::CaCertificate;
    if of_ca || cluster.is_owner() || *planned == caller.id {
        return None;
    }
    Some(
        Diagnostic::error(
            "The plan was made under another login",
            format!(
                "The plan was made by user {planned}, and this login is {} ({}). A rotation gives {} to the user that asks for it, and the \
                 plan did not say that it would be this one.\n\nNothing was sent. Apply the plan under the login that made it, or plan \
                 again, with a refresh, under this one: the plan then names the new owner.",
                caller.name,
                caller.id,
                told::called(shown),
            ),
        )
        .at(inside("cluster")),
    )
}

/// The way into the cluster leads there, and this login may restart what holds the credential. A login that does not
/// own the cluster yet gets its certificate only afterwards; then that much cannot be known before.
async fn may_restart(cluster: &MagnumCluster, _cx: &Context) -> Vec<Diagnostic> {
    if cluster.services.kubernetes.configured().is_none() && !cluster.is_owner() {
        return Vec::new();
    }
    let wanted = match workloads::wanted(&cluster.block) {
        Ok(wanted) => wanted,
        Err(why) => return vec![why],
    };
    let client = match workloads::enter(cluster).await {
        Ok(client) => client,
        Err(why) => return vec![not_sent(why)],
    };
    let permissions: Vec<Permission> = wanted.iter().flat_map(Workload::permissions).collect();
    match client.missing_permissions(&permissions, &cluster.patience).await {
        Ok(missing) if missing.is_empty() => Vec::new(),
        Ok(missing) => vec![may_not(cluster, &missing)],
        Err(error) => vec![not_sent(unreachable(&error))],
    }
}

fn may_not(cluster: &MagnumCluster, missing: &[Permission]) -> Diagnostic {
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Diagnostic::error(
        "The workloads may not be restarted by this login",
        format!(
            "After the rotation the workloads of {} must restart, and this login to its Kubernetes lacks: {}. Nothing was sent.\n\nBind a \
             role with these to the login (the documentation of this resource has one), or set restart_workloads = \"never\" and restart them \
             yourself.",
            told::called(cluster.shown()),
            missing.join("; ")
        ),
    )
}

/// Before anything was sent.
fn not_sent(why: Diagnostic) -> Diagnostic {
    let detail =
        format!("{}\n\nNothing was sent; the cluster has its credential as before.", why.detail);
    Diagnostic { detail, ..why }
}

/// An answer that cannot be used, once a rotation may have been sent.
pub fn after_sending(doing: &str, error: &Error) -> Diagnostic {
    let valid = "A rotation was sent before that, and what became of it is not known yet. The next apply looks again and does not send it \
                 twice.";
    errors::call("Cannot ask about the rotation", doing, error, valid, role(error))
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

fn ca_not_shown(cluster: &MagnumShows) -> Diagnostic {
    Diagnostic::error(
        "Only the owner of a cluster can prove that its CA was replaced",
        format!(
            "Magnum would let this login replace the CA of {}, and then show the new one to nobody but its owner, user {}: \
             this login could neither see whether it was replaced nor connect to the cluster. Nothing was sent.\n\nLog in as that user, \
             or become the owner by rotating the cluster's application credential.",
            told::called(cluster),
            cluster.user_id.as_deref().unwrap_or("unknown")
        ),
    )
    .at(inside("credential"))
}

fn status(cluster: &MagnumShows, credential: Credential) -> Option<Diagnostic> {
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
            "{} is {status}{}. {}",
            told::called(cluster).replacen("the ", "The ", 1),
            reason.map_or(String::new(), |reason| format!(" ({reason})")),
            if busy {
                "Wait until what is going on has ended, and apply again."
            } else {
                "Bring it back to a state that ends in _COMPLETE first."
            }
        ),
    ))
}

fn unknown_version(cluster: &MagnumShows) -> Diagnostic {
    Diagnostic::error(
        "It is not known whether the workloads must restart",
        format!(
            "Templates older than v1.34 need a restart of the OpenStack workloads after a rotation, and neither the labels, nor \
             the template, nor the driver of {} tell its version. Set restart_workloads to \"always\" or \"never\".",
            told::called(cluster)
        ),
    )
    .at(inside("restart_workloads"))
}
