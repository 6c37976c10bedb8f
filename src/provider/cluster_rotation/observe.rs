//! Read: what Magnum shows of the cluster, and what is due by the policy in the state.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::clock;
use crate::cloud::kubernetes::Certificate;
use crate::cloud::openstack::{Error, Patience, Session, Token};
use crate::provider::arguments::{moment, period, whole_seconds, written};
use crate::provider::cluster_rotation::checks::unreadable;
use crate::provider::cluster_rotation::decide::{self, Credential};
use crate::provider::cluster_rotation::model::ClusterRotation;
use crate::provider::cluster_rotation::private::Owner;
use crate::provider::cluster_rotation::{ClusterRotationResource, Kept, identity, told};
use crate::provider::due::rotation_due;
use crate::provider::openstack::{NotYet, Openstack, patience, token};
use crate::rotation::{Current, Observed, due};
use crate::tfplugin::context::Context;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::Attr;

pub async fn read(
    resource: &ClusterRotationResource,
    cx: &Context,
    mut kept: Kept,
) -> Result<Option<Kept>> {
    let session = match resource.openstack.session().await? {
        Ok(session) => session,
        Err(NotYet(setting)) => {
            cx.tell(told::not_observed(&kept.state, setting));
            return Ok(Some(kept));
        }
    };
    let patience = patience(cx);
    let caller = token(&session, &patience).await?;
    let uuid = decide::uuid(&kept.state);
    let cluster = match session.magnum().cluster(&uuid, &patience).await {
        Ok(cluster) => cluster,
        Err(error) if error.status() == Some(404) => {
            let own = caller.project.as_ref().map(|project| &project.id);
            if kept.private.project_id.is_some() && kept.private.project_id.as_ref() != own {
                cx.tell(told::elsewhere(&kept.state, &caller));
                return Ok(Some(kept));
            }
            cx.tell(told::gone(&kept.state));
            return Ok(None);
        }
        Err(error) => return Err(unreadable(&format!("read the cluster {uuid}"), &error).into()),
    };
    kept.private.cluster_name = Some(cluster.name.clone());
    kept.private.project_id = cluster.project_id.clone().or(kept.private.project_id);
    let owner_before = kept.state.owner_user_id.known().cloned();
    kept.state.owner_user_id = cluster.user_id.clone().into();
    kept.private.owner = Owner::seen(&cluster, &caller).or(kept.private.owner);
    match Credential::of(&kept.state) {
        Credential::CaCertificate => ca(cx, &session, &mut kept, &uuid, &patience).await?,
        Credential::ApplicationCredential => {
            let before = owner_before.as_ref();
            credentials(cx, resource, &session, &caller, before, &mut kept, &patience).await?;
        }
    }
    judge(cx, &mut kept);
    if decide::unfinished(&kept.state) {
        cx.tell(told::unfinished(&kept.state));
    }
    kept.identity = Some(identity(&kept.state));
    Ok(Some(kept))
}

/// The CA's fingerprint and expiry; only the owner may see it.
async fn ca(
    cx: &Context,
    session: &Session,
    kept: &mut Kept,
    uuid: &str,
    patience: &Patience,
) -> Result<()> {
    match session.magnum().ca(uuid, patience).await {
        Ok(pem) => {
            let Some(ca) = fingerprint(&pem) else { return Ok(()) };
            let (sha256, expiry) = ca;
            let known = kept.state.ca_certificate_sha256.known();
            let other = known.is_some_and(|known| *known != sha256);
            let other = other && kept.private.under_way.is_none();
            if seen_outside(kept, other) == Outside::Fresh {
                cx.tell(told::ca_changed(&kept.state));
            }
            kept.state.ca_certificate_sha256 = Attr::Known(sha256);
            kept.state.expires_at = Attr::Known(written(expiry));
        }
        Err(error) if error.status() == Some(403) => cx.tell(told::ca_hidden(&kept.state)),
        Err(error) => return Err(unreadable("read the cluster's CA", &error).into()),
    }
    Ok(())
}

/// The only outside sign of a rotation: which application credentials of the cluster its owner has.
async fn credentials(
    cx: &Context,
    resource: &ClusterRotationResource,
    session: &Session,
    caller: &Token,
    owner_before: Option<&String>,
    kept: &mut Kept,
    patience: &Patience,
) -> Result<()> {
    if kept.private.under_way.is_some() || kept.state.owner_user_id.known() != Some(&caller.user.id)
    {
        return Ok(());
    }
    let uuid = decide::uuid(&kept.state);
    let seen = of_cluster(&resource.openstack, session, &caller.user.id, &uuid, patience).await;
    let Ok(seen) = seen else { return Ok(()) };
    // A cluster changes its owner by a rotation, and by nothing else.
    let taken_over = owner_before.is_some_and(|before| *before != caller.user.id);
    let known = known(&kept.state);
    let other = taken_over || !known.is_empty() && seen.is_disjoint(&known);
    match seen_outside(kept, other && !seen.is_empty()) {
        Outside::Fresh => cx.tell(told::rotated_outside(&kept.state)),
        // As it was, until somebody takes the rotation up: the next refresh shall find it, too.
        Outside::No if known == seen => {}
        Outside::No | Outside::Old => kept.state.application_credential_ids = listed(&seen),
    }
    Ok(())
}

/// Whether the credential was rotated by something that the state does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outside {
    No,
    /// Perhaps by a run that was killed: what it was to do is then done.
    Fresh,
    /// Nobody took it up: it is what the cluster has, and asks for nothing.
    Old,
}

/// A run that was killed is followed by one that does what it did not; later than this, a rotation that is
/// asked for is another one.
const TAKEN_UP_WITHIN: SignedDuration = SignedDuration::from_hours(24);

fn seen_outside(kept: &mut Kept, other: bool) -> Outside {
    let now = whole_seconds(clock::now());
    match kept.private.rotated_outside {
        None if other => {
            kept.private.rotated_outside = Some(now);
            Outside::Fresh
        }
        None => Outside::No,
        Some(first_seen) if now.duration_since(first_seen) < TAKEN_UP_WITHIN => Outside::Fresh,
        Some(_) => {
            kept.private.rotated_outside = None;
            Outside::Old
        }
    }
}

/// The credentials that the state knows; none where it does not.
pub fn known(state: &ClusterRotation) -> BTreeSet<String> {
    state.application_credential_ids.known().into_iter().flatten().cloned().collect()
}

/// As the attribute lists them.
pub fn listed(ids: &BTreeSet<String>) -> Attr<Vec<String>> {
    Attr::Known(ids.iter().cloned().collect())
}

/// Ids of the application credentials that a user has for the cluster.
pub async fn of_cluster(
    openstack: &Openstack,
    session: &Session,
    user: &str,
    uuid: &str,
    patience: &Patience,
) -> std::result::Result<BTreeSet<String>, Error> {
    let listed = openstack.credentials(session, user, patience).await?;
    let prefix = format!("magnum-{uuid}");
    let named = listed.iter().filter(|credential| credential.name.starts_with(&prefix));
    Ok(named.map(|credential| credential.id.clone()).collect())
}

/// SHA-256 and expiry of a CA.
pub fn fingerprint(pem: &str) -> Option<(String, jiff::Timestamp)> {
    let first = Certificate::parse(pem).ok()?.into_iter().next()?;
    Some((first.sha256, first.not_after))
}

/// Where the schedule began, if nothing was rotated yet: from what it has led to, should the private data be lost.
fn remember_the_beginning(kept: &mut Kept) {
    if kept.private.since.is_none()
        && let Some(period) = period(&kept.state.rotation_period)
        && let Some(due_at) = moment(&kept.state.rotation_due_at)
        && moment(&kept.state.completed_at).is_none()
        && kept.state.renew_before.is_null()
    {
        kept.private.since = Some(period.before(due_at));
    }
}

fn judge(cx: &Context, kept: &mut Kept) {
    let now = clock::now();
    remember_the_beginning(kept);
    let state = &kept.state;
    let policy = decide::policy(state);
    let current = Current {
        present: true,
        since: decide::since(state, &kept.private),
        expires_at: moment(&state.expires_at),
    };
    let due = due(&Observed { current, previous: Vec::new() }, &policy, now);
    let next = decide::next_due(state, state, &kept.private);
    if due != decide::due_of(state) || state.rotation_due.is_null() {
        kept.state.rotation_due = rotation_due(&due);
    }
    if kept.state.rotation_due_at != next && !kept.private.adopted {
        kept.state.rotation_due_at = next;
    }
    if !policy.rotate {
        told::held(cx, &kept.state, &due);
    }
    told::expiry(cx, &kept.state, now);
}
