//! The rotation of a cluster's credential (`PATCH /v1/credentials/…`) and of its CA (`PATCH /v1/certificates/…`).

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::clusters::found;
use super::model::{Authorities, Cluster, Driver, Held, Magnum, Operation};
use super::refuse;
use super::site::Site;
use crate::http::Reply;
use crate::keystone::Caller;

const SETTLED: [&str; 8] = [
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "RESUME_COMPLETE",
    "RESTORE_COMPLETE",
    "ROLLBACK_COMPLETE",
    "SNAPSHOT_COMPLETE",
    "CHECK_COMPLETE",
    "ADOPT_COMPLETE",
];
/// Besides the settled ones.
const MAY_TAKE_CREDENTIALS: [&str; 2] = ["UPDATE_IN_PROGRESS", "UPDATE_FAILED"];

/// Answers once the driver is done, or with 500 when Magnum has waited long enough: the driver goes on then, also when
/// the one who asked is gone.
pub(crate) async fn rotate_credential(call: &Call<'_>) -> Answer {
    let (uuid, pace, patience) = begin(call)?;
    if pace.delay.is_zero() && pace.handover.is_zero() {
        let held = make(call.site, &uuid, &call.caller, call.ask.now)?;
        hand_over(call.site, &uuid, held, &call.caller, call.ask.now)?;
        return accepted(&uuid);
    }
    let (site, caller, id) = (call.site.clone(), call.caller.clone(), uuid.clone());
    let work = tokio::spawn(async move {
        tokio::time::sleep(pace.delay).await;
        let now = site.world.clock.now();
        let held = make(&site, &id, &caller, now)?;
        tokio::time::sleep(pace.handover).await;
        let now = site.world.clock.now();
        hand_over(&site, &id, held, &caller, now)
    });
    match tokio::time::timeout(patience, work).await {
        Ok(Ok(done)) => done.and_then(|()| accepted(&uuid)),
        Ok(Err(_)) | Err(_) => Err(refuse::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "No reply on topic magnum-conductor",
        )),
    }
}

/// How long a driver takes before the new credential is made, and after that.
struct Pace {
    delay: Duration,
    handover: Duration,
}

/// What is asked before the driver's turn: the cluster, how long its driver takes, how long that is waited for.
fn begin(call: &Call<'_>) -> Result<(String, Pace, Duration), Reply> {
    if !call.caller.has_role("member") || call.caller.project_id.is_none() {
        return Err(refuse::forbidden("credential:rotate"));
    }
    no_arguments(&call.ask.body)?;
    let mut magnum = call.site.magnum();
    magnum.sync(&call.site.keystone, call.ask.now);
    let cluster = found(&magnum, call.ask.param("cluster"), Some(call.project()))?;
    let status = cluster.status.as_str();
    if !SETTLED.contains(&status) && !MAY_TAKE_CREDENTIALS.contains(&status) {
        return Err(refuse::bad_request(&format!(
            "magnum.conductor.handlers.credential_conductor when cluster status is \"{status}\" is not supported."
        )));
    }
    if magnum.template_of(cluster).is_some_and(|template| template.driver == Driver::NoRotation) {
        return Err(refuse::bad_request("Credential rotation is not supported by driver."));
    }
    let seconds = |label: &str| {
        let seconds = cluster.label(label).and_then(|text| text.parse().ok());
        Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default()
    };
    let pace =
        Pace { delay: seconds("stub_rotate_delay"), handover: seconds("stub_handover_delay") };
    Ok((cluster.uuid.clone(), pace, magnum.patience))
}

/// The driver's turn: the new credential.
fn make(site: &Site, uuid: &str, caller: &Caller, now: Timestamp) -> Result<Held, Reply> {
    let mut magnum = site.magnum();
    let Magnum { ids, clusters, .. } = &mut *magnum;
    let cluster = by_uuid(clusters, uuid)?;
    let made = cluster.make_new_credential(&mut site.keystone(), ids, caller, now);
    made.map_err(|error| refuse::error(StatusCode::INTERNAL_SERVER_ERROR, &error))
}

/// The driver's turn: the cluster gets it.
fn hand_over(
    site: &Site,
    uuid: &str,
    held: Held,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), Reply> {
    let mut magnum = site.magnum();
    let cluster = by_uuid(&mut magnum.clusters, uuid)?;
    let done = cluster.take_new_credential(&mut site.keystone(), held, caller, now);
    done.map_err(|error| refuse::error(StatusCode::INTERNAL_SERVER_ERROR, &error))
}

fn by_uuid<'c>(clusters: &'c mut [Cluster], uuid: &str) -> Result<&'c mut Cluster, Reply> {
    let found = clusters.iter_mut().find(|cluster| cluster.uuid == uuid);
    found.ok_or_else(|| refuse::not_found("Cluster", uuid))
}

/// Replaces the stored CAs, and then asks the driver whether it can use them.
pub(crate) fn rotate_ca(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let cluster = found(magnum, call.ask.param("cluster"), Some(call.project()))?;
    if !call.is_member(&cluster.project_id) {
        return Err(refuse::forbidden("certificate:rotate_ca"));
    }
    let template = magnum.template_of(cluster);
    if template.is_some_and(|template| template.tls_disabled) {
        let detail = "Rotating the CA certificate on a non-TLS cluster is not supported";
        return Err(refuse::bad_request(detail));
    }
    let driver = template.map(|template| template.driver);
    if !SETTLED.contains(&cluster.status.as_str()) {
        return Err(refuse::bad_request(&format!(
            "Updating a cluster when status is \"{}\" is not supported.",
            cluster.status
        )));
    }
    let (uuid, now) = (cluster.uuid.clone(), call.ask.now);
    let authorities = Authorities::new(&cluster.name, now)
        .map_err(|error| refuse::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))?;
    let Some(cluster) = magnum.by_uuid(&uuid) else {
        return Err(refuse::not_found("Cluster", &uuid));
    };
    cluster.authorities = authorities;
    let owner = cluster.user_id.clone();
    if driver == Some(Driver::NoRotation) {
        let detail = "'rotate_ca_certificate' is not supported by this driver.";
        cluster.set("UPDATE_FAILED", Some(detail.to_owned()), &owner, now);
        return Err(refuse::bad_request(detail));
    }
    cluster.set("UPDATE_IN_PROGRESS", None, &owner, now);
    cluster.begin(Operation::RotateCa, now);
    accepted(&uuid)
}

fn accepted(uuid: &str) -> Answer {
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({ "uuid": uuid })))
}

/// No body, or an empty object.
fn no_arguments(body: &[u8]) -> Result<(), Reply> {
    if body.is_empty() {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| refuse::no_json())?;
    match body.as_object().and_then(|members| members.keys().next()) {
        Some(unknown) => Err(refuse::bad_request(&format!("Unknown argument: \"{unknown}\""))),
        None => Ok(()),
    }
}
