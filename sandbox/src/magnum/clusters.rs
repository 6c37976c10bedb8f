//! `/v1/clusters`.

use std::cmp::Ordering;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::model::{Authorities, Cluster, Magnum, NotOne, Operation};
use super::{refuse, templates, views};
use crate::http::Reply;
use crate::kubernetes::Kubernetes;

/// `[api] max_limit`.
const PAGE: usize = 1000;

/// Finds one, or says why not.
pub(crate) fn found<'m>(
    magnum: &'m Magnum,
    id: &str,
    project: Option<&str>,
) -> Result<&'m Cluster, Reply> {
    magnum.find(id, project).map_err(|not_one| match not_one {
        NotOne::Unknown => refuse::not_found("Cluster", id),
        NotOne::Ambiguous => refuse::ambiguous("cluster", "clusters"),
    })
}

pub(crate) fn list(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    page(magnum, call, "cluster:get_all", "clusters", |base, magnum, cluster| {
        let _ = magnum;
        views::listed(base, cluster, call.version)
    })
}

pub(crate) fn detail(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    page(magnum, call, "cluster:detail", "clusters/detail", |base, magnum, cluster| {
        whole(base, magnum, cluster, call)
    })
}

/// Those of the project, or everybody's for an administrator.
fn page(
    magnum: &Magnum,
    call: &Call<'_>,
    rule: &str,
    path: &str,
    show: impl Fn(&str, &Magnum, &Cluster) -> Value,
) -> Answer {
    if !call.reads(call.project()) {
        return Err(refuse::forbidden(rule));
    }
    let limit = match call.ask.query("limit").map(str::parse::<i64>) {
        None => None,
        Some(Ok(limit)) if limit > 0 => usize::try_from(limit).ok(),
        Some(Ok(_)) => return Err(refuse::bad_request("Limit must be positive")),
        Some(Err(_)) => {
            return Err(refuse::bad_request("Invalid input for field/attribute limit."));
        }
    };
    let (key, direction) =
        (call.ask.query("sort_key").unwrap_or("id"), call.ask.query("sort_dir").unwrap_or("asc"));
    if !["asc", "desc"].contains(&direction) {
        return Err(refuse::bad_request(&format!(
            "Invalid sort direction: {direction}. Acceptable values are 'asc' or 'desc'"
        )));
    }
    let all = call.caller.is_admin();
    let mut seen: Vec<&Cluster> =
        magnum.clusters.iter().filter(|c| all || c.project_id == call.project()).collect();
    // They are kept in the order of their ids.
    seen.sort_by(|one, other| match key {
        "name" => one.name.cmp(&other.name),
        "status" => one.status.cmp(&other.status),
        "uuid" => one.uuid.cmp(&other.uuid),
        _ => Ordering::Equal,
    });
    if direction == "desc" {
        seen.reverse();
    }
    if let Some(marker) = call.ask.query("marker") {
        let place = seen.iter().position(|cluster| cluster.uuid == marker);
        let Some(place) = place else { return Err(refuse::not_found("Cluster", marker)) };
        seen.drain(..=place);
    }
    let size = limit.unwrap_or(PAGE).min(PAGE);
    seen.truncate(size);
    let base = call.site.base();
    let shown: Vec<Value> = seen.iter().map(|cluster| show(&base, magnum, cluster)).collect();
    let mut body = json!({ "clusters": shown });
    if let Some(last) = seen.last()
        && seen.len() == size
    {
        body["next"] = json!(format!(
            "{base}/v1/{path}?sort_key={key}&sort_dir={direction}&limit={size}&marker={}",
            last.uuid
        ));
    }
    Ok(Reply::ok(&body))
}

pub(crate) fn show(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let project = (!call.caller.is_admin()).then(|| call.project());
    let cluster = found(magnum, call.ask.param("cluster"), project)?;
    if !call.reads(&cluster.project_id) {
        return Err(refuse::forbidden("cluster:get"));
    }
    let shown = whole(&call.site.base(), magnum, cluster, call);
    Ok(Reply::ok(&views::with_faults(shown, cluster)))
}

fn whole(base: &str, magnum: &Magnum, cluster: &Cluster, call: &Call<'_>) -> Value {
    match magnum.template_of(cluster) {
        Some(template) => views::whole(base, cluster, template, call.version),
        None => views::listed(base, cluster, call.version),
    }
}

/// Makes one, of what is asked for here: its name, template, size and labels.
pub(crate) fn create(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let body: Value = serde_json::from_slice(&call.ask.body).map_err(|_| refuse::no_json())?;
    let known =
        ["name", "cluster_template_id", "labels", "merge_labels", "node_count", "master_count"];
    let mut keys = body.as_object().into_iter().flat_map(|members| members.keys());
    if let Some(unknown) = keys.find(|key| !known.contains(&key.as_str())) {
        return Err(refuse::unknown_attribute("cluster", unknown));
    }
    if !call.is_member(call.project()) || call.caller.project_id.is_none() {
        return Err(refuse::forbidden("cluster:create"));
    }
    let template = body["cluster_template_id"].as_str().unwrap_or_default();
    let template = templates::found(magnum, template, Some(call.project()))?.uuid.clone();
    let wanted = Wanted {
        name: body["name"].as_str().map(str::to_owned),
        template,
        labels: body["labels"].as_object().cloned().unwrap_or_default(),
        merge_labels: body["merge_labels"].as_bool().unwrap_or(false),
        node_count: body["node_count"].as_u64().unwrap_or(1),
        master_count: body["master_count"].as_u64().unwrap_or(1),
    };
    let uuid = magnum.make(call, wanted)?;
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({ "uuid": uuid })))
}

/// A cluster that somebody wants.
pub(crate) struct Wanted {
    pub(crate) name: Option<String>,
    /// Its uuid.
    pub(crate) template: String,
    pub(crate) labels: Map<String, Value>,
    pub(crate) merge_labels: bool,
    pub(crate) node_count: u64,
    pub(crate) master_count: u64,
}

impl Magnum {
    /// Makes a cluster for the caller; its uuid.
    pub(crate) fn make(&mut self, call: &Call<'_>, wanted: Wanted) -> Result<String, Reply> {
        let now = call.ask.now;
        let broken = |error: String| refuse::error(StatusCode::INTERNAL_SERVER_ERROR, &error);
        let uuid = self.ids.uuid();
        let name = wanted.name.unwrap_or_else(|| format!("cluster-{}", &uuid[..8]));
        let theirs = self.templates.iter().find(|template| template.uuid == wanted.template);
        let theirs = theirs.map(|template| template.labels.clone()).unwrap_or_default();
        let labels = match (wanted.labels.is_empty(), wanted.merge_labels) {
            (true, _) => theirs,
            (false, true) => theirs.into_iter().chain(wanted.labels).collect(),
            (false, false) => wanted.labels,
        };
        let authorities =
            Authorities::new(&name, now).map_err(|error| broken(error.to_string()))?;
        let version = labels.get("kube_tag").and_then(Value::as_str).map(str::to_owned);
        let kubernetes = Kubernetes::start(
            &call.site.world,
            &call.site.neighbours,
            &authorities.kubernetes,
            version,
            now,
        );
        let kubernetes = kubernetes.map_err(|error| broken(error.to_string()))?;
        let mut cluster = Cluster {
            uuid: uuid.clone(),
            name,
            template_id: wanted.template,
            labels,
            node_count: wanted.node_count,
            master_count: wanted.master_count,
            status: "CREATE_IN_PROGRESS".to_owned(),
            status_reason: None,
            health_status: None,
            nodes_status: "CREATE_IN_PROGRESS".to_owned(),
            api_address: None,
            coe_version: None,
            project_id: call.project().to_owned(),
            user_id: call.caller.user_id.clone(),
            created_at: now,
            updated_at: None,
            authorities,
            held: None,
            work: None,
            kubernetes,
            rotations: 0,
            ca_rotations: 0,
        };
        let made = {
            let mut keystone = call.site.keystone();
            cluster.make_credential(&mut keystone, &mut self.ids, &call.caller, now)
        };
        match made {
            Ok(held) => {
                cluster.held = Some(held);
                cluster.begin(Operation::Create, now);
            }
            Err(error) => {
                let owner = cluster.user_id.clone();
                cluster.set("CREATE_FAILED", Some(error), &owner, now);
            }
        }
        self.clusters.push(cluster);
        Ok(uuid)
    }
}

pub(crate) fn delete(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let project = (!call.caller.is_admin()).then(|| call.project());
    let cluster = found(magnum, call.ask.param("cluster"), project)?;
    if !call.is_member(&cluster.project_id) {
        return Err(refuse::forbidden("cluster:delete"));
    }
    let (uuid, now) = (cluster.uuid.clone(), call.ask.now);
    if let Some(cluster) = magnum.by_uuid(&uuid) {
        let owner = cluster.user_id.clone();
        cluster.set("DELETE_IN_PROGRESS", None, &owner, now);
        cluster.begin(Operation::Delete, now);
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
