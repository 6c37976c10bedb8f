//! `/workRequests`.

use axum::http::header;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::model::{Oke, WorkRequest};
use super::people::Access;
use super::{paging, refuse, views};
use crate::http::Reply;

const KEYS: [(&str, &str); 5] = [
    ("TIME_ACCEPTED", "/timeAccepted"),
    ("ID", "/id"),
    ("OPERATION_TYPE", "/operationType"),
    ("STATUS", "/status"),
    ("TIME_STARTED", "/timeStarted"),
];

fn found<'o>(oke: &'o Oke, call: &Call<'_>) -> Result<&'o WorkRequest, Reply> {
    let id = call.ask.param("workRequestId");
    let kept = |request: &&WorkRequest| {
        request.id == id && (request.ended.is_none() || oke.answers.keeps_work_requests)
    };
    let found = oke.requests.iter().find(kept).filter(|_| call.may(Access::Read));
    found.ok_or_else(refuse::not_found)
}

pub(crate) fn show(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let request = found(oke, call)?;
    let shown = views::work_request(request, &oke.answers, call.ask.now);
    let reply = Reply::ok(&shown).with_header(header::ETAG, &request.id[request.id.len() - 8..]);
    let wait = oke.answers.retry_after.filter(|_| request.ended.is_none());
    Ok(match wait {
        Some(seconds) => reply.with_header(header::RETRY_AFTER, seconds.to_string()),
        None => reply,
    })
}

pub(crate) fn list(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let compartment = paging::compartment(call.ask)?;
    if !call.may(Access::Read) {
        return Err(refuse::not_found());
    }
    let ask = call.ask;
    let of_clusters = ask.query("resourceType").is_none_or(|kind| kind == "CLUSTER");
    let found = oke.requests.iter().filter(|request| {
        of_clusters
            && request.compartment == compartment
            && (request.ended.is_none() || oke.answers.keeps_work_requests)
            && paging::is_the(ask, "clusterId", &request.cluster)
            && paging::is_the(ask, "resourceId", &request.cluster)
            && paging::is_among(ask, "status", request.status(ask.now))
    });
    let shown = found.map(|request| views::work_request(request, &oke.answers, ask.now)).collect();
    paging::page(ask, shown, &KEYS, oke.answers.page_size)
}

pub(crate) fn errors(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let request = of_compartment(oke, call)?;
    let shown = request.errors.iter().map(|(code, message, at)| {
        json!({ "code": code, "message": message, "timestamp": views::time(*at) })
    });
    Ok(Reply::ok(&shown.collect::<Value>()))
}

pub(crate) fn logs(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let request = of_compartment(oke, call)?;
    let shown = request
        .logs
        .iter()
        .map(|(message, at)| json!({ "message": message, "timestamp": views::time(*at) }));
    Ok(Reply::ok(&shown.collect::<Value>()))
}

/// The request's own compartment must be named.
fn of_compartment<'o>(oke: &'o Oke, call: &Call<'_>) -> Result<&'o WorkRequest, Reply> {
    let compartment = paging::compartment(call.ask)?;
    let request = found(oke, call)?;
    if request.compartment == compartment { Ok(request) } else { Err(refuse::not_found()) }
}
