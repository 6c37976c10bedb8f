//! Clusters, their node pools and their kubeconfigs, shown.

use axum::http::header;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::answers::{Bundle, NeverRotated, OkeAnswers};
use super::call::{Answer, Call};
use super::model::{Cluster, Oke, Shown};
use super::people::Access;
use super::{paging, refuse, views};
use crate::http::Reply;

/// What lists of clusters and node pools may be sorted by.
const KEYS: [(&str, &str); 3] =
    [("ID", "/id"), ("NAME", "/name"), ("TIME_CREATED", "/metadata/timeCreated")];

impl Oke {
    /// The cluster that the path names, for somebody who may do as much as that.
    pub(crate) fn cluster(&mut self, call: &Call<'_>, access: Access) -> Result<usize, Reply> {
        let id = call.ask.param("clusterId");
        let found = self.clusters.iter().position(|cluster| cluster.id == id);
        found.filter(|_| call.may(access)).ok_or_else(refuse::not_found)
    }
}

pub(crate) fn show(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let place = oke.cluster(call, Access::Read)?;
    let cluster = &oke.clusters[place];
    let reply = Reply::ok(&views::cluster(cluster, &oke.answers));
    Ok(reply.with_header(header::ETAG, etag(cluster)))
}

pub(crate) fn list(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let seen = of_compartment(oke, call)?;
    let named = |shown: &Value| {
        let text = |key: &str| shown[key].as_str().unwrap_or_default();
        paging::is_the(call.ask, "name", text("name"))
            && paging::is_among(call.ask, "lifecycleState", text("lifecycleState"))
    };
    let found = seen.into_iter().map(|cluster| views::cluster(cluster, &oke.answers));
    paging::page(call.ask, found.filter(named).collect(), &KEYS, oke.answers.page_size)
}

/// Those of the compartment that is asked for.
fn of_compartment<'o>(oke: &'o Oke, call: &Call<'_>) -> Result<Vec<&'o Cluster>, Reply> {
    let compartment = paging::compartment(call.ask)?;
    if !call.may(Access::Read) {
        return Err(refuse::not_found());
    }
    Ok(oke.clusters.iter().filter(|cluster| cluster.compartment == compartment).collect())
}

pub(crate) fn pools(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let oke = &*oke;
    let seen = of_compartment(oke, call)?;
    let of = seen.into_iter().filter(|c| paging::is_the(call.ask, "clusterId", &c.id));
    let found = of.flat_map(|cluster| {
        cluster.pools.iter().map(move |pool| views::pool(cluster, pool, &oke.answers))
    });
    let suits = |shown: &Value| {
        let text = |key: &str| shown[key].as_str().unwrap_or_default();
        paging::is_the(call.ask, "name", text("name"))
            && paging::is_among(call.ask, "lifecycleState", text("lifecycleState"))
    };
    paging::page(call.ask, found.filter(suits).collect(), &KEYS, oke.answers.page_size)
}

pub(crate) fn virtual_pools(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let seen = of_compartment(oke, call)?;
    let of = seen.into_iter().filter(|c| paging::is_the(call.ask, "clusterId", &c.id));
    let found = of.flat_map(|cluster| {
        cluster.virtual_pools.iter().map(move |id| views::virtual_pool(cluster, id))
    });
    paging::page(call.ask, found.collect(), &KEYS, oke.answers.page_size)
}

pub(crate) fn pool(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let id = call.ask.param("nodePoolId");
    let of = |cluster: &&Cluster| cluster.pools.iter().any(|pool| pool.id == id);
    let cluster = oke.clusters.iter().find(of).filter(|_| call.may(Access::Read));
    let cluster = cluster.ok_or_else(refuse::not_found)?;
    let pool = cluster.pools.iter().find(|pool| pool.id == id).ok_or_else(refuse::not_found)?;
    let mut shown = views::pool(cluster, pool, &oke.answers);
    shown["nodes"] = views::nodes(cluster, pool, &oke.answers);
    Ok(Reply::ok(&shown).with_header(header::ETAG, etag(cluster)))
}

/// `credentialRotationStatus`.
pub(crate) fn status(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let place = oke.cluster(call, Access::Read)?;
    let Oke { answers, clusters, .. } = oke;
    let cluster = &mut clusters[place];
    let body = match told_status(cluster, answers) {
        Some(shown) => views::status(&shown, answers),
        None => match answers.never_rotated {
            NeverRotated::NotFound => return Err(refuse::not_found()),
            NeverRotated::Completed => {
                let shown = Shown { status: "COMPLETED", details: "COMPLETED", completes_at: None };
                views::status(&shown, answers)
            }
            NeverRotated::Nulls => json!({
                "status": null, "statusDetails": null, "timeAutoCompletionScheduled": null,
            }),
        },
    };
    Ok(Reply::ok(&body).with_header(header::ETAG, status_etag(cluster)))
}

/// The status, or the one before where that is still told.
fn told_status(cluster: &mut Cluster, answers: &OkeAnswers) -> Option<Shown> {
    if let Some((before, times)) = &mut cluster.lag
        && *times > 0
    {
        *times = times.saturating_sub(1);
        return before.clone();
    }
    cluster.lag = None;
    cluster.shown(answers)
}

pub(crate) fn kubeconfig(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let place = oke.cluster(call, Access::Manage)?;
    if !call.ask.body.is_empty() {
        let body: Value = serde_json::from_slice(&call.ask.body)
            .map_err(|_| refuse::parameter("The request's body could not be parsed."))?;
        let endpoints =
            ["LEGACY_KUBERNETES", "PUBLIC_ENDPOINT", "PRIVATE_ENDPOINT", "VCN_HOSTNAME"];
        let text = |key: &str, known: &[&str]| {
            body[key].is_null() || body[key].as_str().is_some_and(|value| known.contains(&value))
        };
        if !text("tokenVersion", &["2.0.0"]) || !text("endpoint", &endpoints) {
            return Err(refuse::parameter("tokenVersion or endpoint is invalid"));
        }
    }
    let cluster = &oke.clusters[place];
    let mut pems: Vec<&str> = cluster.authorities().into_iter().map(|ca| ca.pem()).collect();
    if oke.answers.bundle == Bundle::NewFirst {
        pems.reverse();
    }
    let bundle = BASE64_STANDARD.encode(format!("{}\n", pems.join("\n")));
    let text = views::kubeconfig(cluster, &bundle);
    Ok(Reply::text("application/x-yaml", text))
}

pub(crate) fn etag(cluster: &Cluster) -> String {
    format!("{:016x}", cluster.version)
}

pub(crate) fn status_etag(cluster: &Cluster) -> String {
    format!("status-{:016x}", cluster.version)
}
