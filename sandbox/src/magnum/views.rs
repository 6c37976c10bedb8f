//! Clusters and templates as Magnum's answers show them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::microversion::{CLUSTER_ID, Version};
use super::model::{Cluster, Driver, Template};

/// A cluster, with all that a list leaves out.
pub(crate) fn whole(base: &str, cluster: &Cluster, template: &Template, version: Version) -> Value {
    let mut shown = listed(base, cluster, version);
    let more = json!({
        "status_reason": cluster.status_reason,
        "health_status_reason": {},
        "discovery_url": null,
        "api_address": cluster.api_address,
        "coe_version": cluster.coe_version,
        "container_version": null,
        "project_id": cluster.project_id,
        "user_id": cluster.user_id,
        "node_addresses": [],
        "master_addresses": [],
        "fixed_network": null,
        "fixed_subnet": null,
        "floating_ip_enabled": true,
        "labels_overridden": diff(template, cluster, |theirs, ours| {
            theirs.filter(|theirs| ours.is_some_and(|ours| ours != *theirs))
        }),
        "labels_added": diff(template, cluster, |theirs, ours| {
            ours.filter(|_| theirs.is_none())
        }),
        "labels_skipped": diff(template, cluster, |theirs, ours| {
            theirs.filter(|_| ours.is_none())
        }),
        "master_lb_enabled": false,
        "created_at": time(cluster.created_at),
        "updated_at": cluster.updated_at.map(time),
    });
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}

/// A cluster that has failed also tells of its node groups, when it is asked for alone.
pub(crate) fn with_faults(mut shown: Value, cluster: &Cluster) -> Value {
    if cluster.status.ends_with("_FAILED") {
        let failed = cluster.nodes_status.ends_with("FAILED");
        shown["faults"] = if failed {
            json!({ "default-master": null, "default-worker": null })
        } else {
            json!({})
        };
    }
    shown
}

/// A cluster in a list.
pub(crate) fn listed(base: &str, cluster: &Cluster, version: Version) -> Value {
    let mut shown = json!({
        "uuid": cluster.uuid,
        "name": cluster.name,
        "cluster_template_id": cluster.template_id,
        "keypair": null,
        "node_count": cluster.node_count,
        "master_count": cluster.master_count,
        "docker_volume_size": null,
        "labels": cluster.labels,
        "master_flavor_id": null,
        "flavor_id": null,
        "create_timeout": 60,
        "links": links(base, "clusters", &cluster.uuid),
        "status": cluster.status,
        "health_status": cluster.health_status,
        // It is a wish for the create, and not kept.
        "merge_labels": false,
    });
    let id = if version < CLUSTER_ID { "stack_id" } else { "cluster_id" };
    shown[id] = json!(cluster.uuid);
    shown
}

pub(crate) fn template(base: &str, template: &Template) -> Value {
    let (distro, driver) = match template.driver {
        Driver::Full => ("stub-full", "stub_full"),
        Driver::NoRotation => ("stub-norotate", "stub_norotate"),
    };
    json!({
        "uuid": template.uuid,
        "name": template.name,
        "coe": "kubernetes",
        "image_id": distro,
        "flavor_id": null,
        "master_flavor_id": null,
        "dns_nameserver": null,
        "keypair_id": null,
        "external_network_id": null,
        "fixed_network": null,
        "fixed_subnet": null,
        "network_driver": "flannel",
        "apiserver_port": null,
        "docker_volume_size": null,
        "cluster_distro": distro,
        "links": links(base, "clustertemplates", &template.uuid),
        "http_proxy": null,
        "https_proxy": null,
        "no_proxy": null,
        "volume_driver": null,
        "registry_enabled": false,
        "labels": template.labels,
        "tls_disabled": template.tls_disabled,
        "public": template.public,
        "server_type": "vm",
        "insecure_registry": null,
        "docker_storage_driver": null,
        "master_lb_enabled": false,
        "floating_ip_enabled": true,
        "project_id": template.project_id,
        "user_id": template.user_id,
        "hidden": false,
        "tags": null,
        "driver": driver,
        "created_at": time(template.created_at),
        "updated_at": null,
    })
}

/// What every object says of where it is.
pub(crate) fn links(base: &str, collection: &str, id: &str) -> Value {
    json!([
        { "href": format!("{base}/v1/{collection}/{id}"), "rel": "self" },
        { "href": format!("{base}/{collection}/{id}"), "rel": "bookmark" },
    ])
}

/// `2026-11-21T21:49:56.189098+00:00`.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

/// The labels of either for which `choose` gives a value.
fn diff<'a>(
    template: &'a Template,
    cluster: &'a Cluster,
    choose: impl Fn(Option<&'a Value>, Option<&'a Value>) -> Option<&'a Value>,
) -> Map<String, Value> {
    let names = template.labels.keys().chain(cluster.labels.keys());
    let chosen = |name: &String| {
        let value = choose(template.labels.get(name), cluster.labels.get(name))?;
        Some((name.clone(), value.clone()))
    };
    names.filter_map(chosen).collect()
}
