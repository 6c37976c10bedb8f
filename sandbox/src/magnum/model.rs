//! The clusters and templates that a Magnum knows, and how their statuses go on. Knows no HTTP.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::microversion::{NEWEST, Version};
use crate::authority::Authority;
use crate::ids::Ids;
use crate::kubernetes::Kubernetes;

/// What a cluster is made from.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) uuid: String,
    pub(crate) name: String,
    /// Which driver takes care of its clusters.
    pub(crate) driver: Driver,
    pub(crate) labels: Map<String, Value>,
    pub(crate) tls_disabled: bool,
    pub(crate) project_id: String,
    pub(crate) user_id: String,
    /// Also other projects see it.
    pub(crate) public: bool,
    pub(crate) created_at: Timestamp,
}

/// The drivers: as the test bed's stub has them, by the image that selects them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Rotates everything.
    Full,
    /// Rotates nothing.
    NoRotation,
}

pub(crate) struct Cluster {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) template_id: String,
    /// Some of them steer the driver, see `driver`.
    pub(crate) labels: Map<String, Value>,
    pub(crate) node_count: u64,
    pub(crate) master_count: u64,
    pub(crate) status: String,
    pub(crate) status_reason: Option<String>,
    pub(crate) health_status: Option<String>,
    /// Of its node groups, where that is another than its own.
    pub(crate) nodes_status: String,
    pub(crate) api_address: Option<String>,
    pub(crate) coe_version: Option<String>,
    pub(crate) project_id: String,
    /// The owner.
    pub(crate) user_id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    /// What Magnum has stored; the servers use the ones they were given last.
    pub(crate) authorities: Authorities,
    /// What its nodes use the cloud with.
    pub(crate) held: Option<Held>,
    pub(crate) work: Option<Work>,
    pub(crate) kubernetes: Arc<Kubernetes>,
    /// Rotations of its credential that the driver has ended well.
    pub(crate) rotations: usize,
    /// Rotations of its CA that the driver has ended well.
    pub(crate) ca_rotations: usize,
}

/// A cluster's three CAs.
#[derive(Clone)]
pub(crate) struct Authorities {
    pub(crate) kubernetes: Arc<Authority>,
    pub(crate) etcd: Arc<Authority>,
    pub(crate) front_proxy: Arc<Authority>,
}

/// The application credential in the cluster.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) user_id: String,
}

/// What the driver is doing.
pub(crate) struct Work {
    pub(crate) what: Operation,
    pub(crate) until: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Delete,
    RotateCa,
}

/// Why a name finds no single one.
pub(crate) enum NotOne {
    Ambiguous,
    Unknown,
}

/// All of a Magnum's state.
pub(crate) struct Magnum {
    pub(crate) ids: Ids,
    pub(crate) newest: Version,
    /// `[DEFAULT] rpc_response_timeout`: how long the API waits for the driver.
    pub(crate) patience: Duration,
    pub(crate) templates: Vec<Template>,
    pub(crate) clusters: Vec<Cluster>,
}

impl Magnum {
    pub(crate) fn new(ids: Ids) -> Self {
        Self {
            ids,
            newest: NEWEST,
            patience: Duration::from_mins(1),
            templates: Vec::new(),
            clusters: Vec::new(),
        }
    }

    /// By uuid or name, among those of a project; of all projects where none is given.
    pub(crate) fn find(&self, id: &str, project: Option<&str>) -> Result<&Cluster, NotOne> {
        let seen = |c: &&Cluster| project.is_none_or(|project| c.project_id == project);
        if let Some(found) = self.clusters.iter().filter(seen).find(|c| c.uuid == id) {
            return Ok(found);
        }
        let mut named = self.clusters.iter().filter(seen).filter(|c| c.name == id);
        match (named.next(), named.next()) {
            (Some(found), None) => Ok(found),
            (None, _) => Err(NotOne::Unknown),
            _ => Err(NotOne::Ambiguous),
        }
    }

    pub(crate) fn by_uuid(&mut self, uuid: &str) -> Option<&mut Cluster> {
        self.clusters.iter_mut().find(|cluster| cluster.uuid == uuid)
    }

    /// By uuid or name, among those that a project sees; among all where none is given.
    pub(crate) fn find_template(
        &self,
        id: &str,
        project: Option<&str>,
    ) -> Result<&Template, NotOne> {
        let seen =
            |t: &&Template| t.public || project.is_none_or(|project| t.project_id == project);
        if let Some(found) = self.templates.iter().filter(seen).find(|t| t.uuid == id) {
            return Ok(found);
        }
        let mut named = self.templates.iter().filter(seen).filter(|t| t.name == id);
        match (named.next(), named.next()) {
            (Some(found), None) => Ok(found),
            (None, _) => Err(NotOne::Unknown),
            _ => Err(NotOne::Ambiguous),
        }
    }

    /// The template of a cluster; templates in use are never deleted.
    pub(crate) fn template_of(&self, cluster: &Cluster) -> Option<&Template> {
        self.templates.iter().find(|template| template.uuid == cluster.template_id)
    }
}

impl Cluster {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).and_then(Value::as_str)
    }

    /// Sets what a rotation touches. As in a database, nothing changes where nothing is new.
    pub(crate) fn set(
        &mut self,
        status: &str,
        reason: Option<String>,
        owner: &str,
        now: Timestamp,
    ) {
        let same = self.status == status && self.status_reason == reason && self.user_id == owner;
        if !same {
            status.clone_into(&mut self.status);
            self.status_reason = reason;
            owner.clone_into(&mut self.user_id);
            self.updated_at = Some(now);
        }
    }
}
