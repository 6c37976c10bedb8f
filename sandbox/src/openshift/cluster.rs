//! Clusters of `OpenShift` in the sandbox: the small Kubernetes with `OpenShift`'s kinds of objects, and the stand-in
//! operator in it, by the sandbox's clock. The operator's own calls are in no log and struck by no fault.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::api::Api;
use super::cloud::Cloud;
use super::install::{Contents, OWN_DEPLOYMENT, install};
use super::names::NAMESPACE;
use super::operator::Operator;
use crate::authority::{Authority, Broken, Subject};
use crate::ids::Ids;
use crate::kubernetes::{Grant, Kind, Kubernetes};
use crate::neighbours::Neighbours;
use crate::world::World;

/// A cluster of `OpenShift` in the sandbox, for whoever made it.
pub struct ClusterHandle {
    api: Api,
    ca: String,
    kubernetes: Arc<Kubernetes>,
    operator: Operator,
    token: String,
}

/// Makes one, which ends with its last owner. On the sandbox's own runtime.
pub(crate) async fn create(
    world: &Arc<World>,
    neighbours: &Arc<dyn Neighbours>,
    contents: &Contents,
    cloud: Cloud,
) -> Result<Arc<ClusterHandle>, Broken> {
    let now = world.clock.now();
    let authority = Arc::new(Authority::new("kubernetes", now)?);
    let kubernetes = Kubernetes::start(world, neighbours, &authority, None, now)?;
    let token = format!("sha256~{}", Ids::random().url_safe(43));
    {
        let mut state = kubernetes.state();
        state.openshift = true;
        state.workloads.clear();
        state.add(Kind::Deployment, NAMESPACE, OWN_DEPLOYMENT, now);
        let groups = vec!["system:masters".to_owned()];
        state.tokens.insert(token.clone(), Subject { user: "kube:admin".to_owned(), groups });
    }
    let api = Api::inside(kubernetes.inside(), Arc::clone(&world.clock));
    install(&api, contents).await?;
    let operator = Operator::start_with(api.clone(), cloud, Arc::clone(&world.clock));
    let ca = authority.pem().to_owned();
    Ok(Arc::new(ClusterHandle { api, ca, kubernetes, operator, token }))
}

impl ClusterHandle {
    /// Its objects, past the log of calls and the faults.
    pub fn api(&self) -> &Api {
        &self.api
    }

    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    pub fn cloud(&self) -> &Cloud {
        self.operator.cloud()
    }

    /// `https://127.0.0.1:PORT`.
    pub fn server(&self) -> String {
        self.kubernetes.address()
    }

    /// As `oc login` leaves it for the administrator.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_of(&self.token)
    }

    /// The kubeconfig of somebody who may do only this: verbs and resources, in a namespace or in `*`.
    pub fn login_with(&self, user: &str, may: &[(&str, &[&str], &[&str])]) -> String {
        let mut state = self.kubernetes.state();
        let group = format!("of-{user}");
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        for (namespace, verbs, resources) in may {
            state.grants.push(Grant {
                group: group.clone(),
                namespace: (*namespace).to_owned(),
                verbs: texts(verbs),
                resources: texts(resources),
            });
        }
        let token = format!("sha256~{}", Ids::random().url_safe(43));
        let subject = Subject { user: user.to_owned(), groups: vec![group] };
        state.tokens.insert(token.clone(), subject);
        drop(state);
        self.kubeconfig_of(&token)
    }

    fn kubeconfig_of(&self, token: &str) -> String {
        let ca = BASE64_STANDARD.encode(&self.ca);
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "prod",
                "cluster": { "server": self.server(), "certificate-authority-data": ca },
            }],
            "users": [{ "name": "admin", "user": { "token": token } }],
            "contexts": [{ "name": "admin", "context": { "cluster": "prod", "user": "admin" } }],
            "current-context": "admin",
        })
        .to_string()
    }
}

impl fmt::Debug for ClusterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterHandle").field("server", &self.server()).finish_non_exhaustive()
    }
}
