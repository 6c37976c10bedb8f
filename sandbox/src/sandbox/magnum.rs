//! What tests and programs do with Magnum's clusters through [`Sandbox`].

use axum::extract::FromRef;

use super::Sandbox;
use crate::magnum::{ClusterEvent, ClusterSeen, Site, UnknownCluster, create_cluster};

impl Sandbox {
    /// Makes a cluster of that user in the project `demo`: from the template `kubernetes-v1.33.8`, `kubernetes-v1.34.2`,
    /// `tpl-full` (no version told) or `tpl-norotate` (a driver that rotates nothing).
    ///
    /// # Panics
    /// When there is no such user or template.
    pub fn create_cluster(&self, owner: &str, name: &str, template: &str) -> ClusterSeen {
        self.create_cluster_with(owner, name, template, &[])
    }

    /// The same, with labels that steer its driver: `stub_delay`, `stub_create`, `stub_rotate_credential`,
    /// `stub_rotate_ca`, `stub_rotate_delay`, `stub_api_address`, see the README.
    ///
    /// # Panics
    /// When there is no such user or template.
    pub fn create_cluster_with(
        &self,
        owner: &str,
        name: &str,
        template: &str,
        labels: &[(&str, &str)],
    ) -> ClusterSeen {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        let made = create_cluster(&self.magnum(), name, owner, "demo", template, &labels.collect());
        match made {
            Ok(uuid) => self.cluster(&uuid),
            Err(unknown) => panic!("{unknown}"),
        }
    }

    /// By uuid or name; the newest where several have the name.
    ///
    /// # Panics
    /// When there is no such cluster.
    pub fn cluster(&self, id: &str) -> ClusterSeen {
        let site = self.magnum();
        let mut magnum = site.magnum();
        let now = self.now();
        magnum.sync(&site.keystone, now);
        match magnum.seen(id, now) {
            Ok(seen) => seen,
            Err(unknown) => panic!("{unknown}"),
        }
    }

    /// Lets something happen to a cluster.
    pub fn apply_to_cluster(&self, event: &ClusterEvent) -> Result<(), UnknownCluster> {
        event.happen(&self.magnum())
    }

    /// Lets something happen to a cluster.
    ///
    /// # Panics
    /// When there is no such cluster.
    pub fn happen_to_cluster(&self, event: &ClusterEvent) {
        if let Err(unknown) = self.apply_to_cluster(event) {
            panic!("{unknown}");
        }
    }

    fn magnum(&self) -> Site {
        Site::from_ref(&self.clouds)
    }
}
