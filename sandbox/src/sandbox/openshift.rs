//! What tests and programs do with clusters of `OpenShift` through [`Sandbox`].

use std::sync::Arc;

use super::Sandbox;
use crate::openshift::{self, Cloud, ClusterHandle, Contents};

impl Sandbox {
    /// Makes a cluster of `OpenShift` with a stand-in Cloud Credential Operator, whose keys are in this cloud. It
    /// lives as long as the sandbox, and until another one is made of that name.
    ///
    /// # Panics
    /// Where the machine has no port or no random numbers left.
    pub fn create_openshift(
        &self,
        name: &str,
        contents: &Contents,
        cloud: Cloud,
    ) -> Arc<ClusterHandle> {
        let (tell, told) = std::sync::mpsc::channel();
        let (clouds, name, contents) = (self.clouds.clone(), name.to_owned(), contents.clone());
        self.clouds.world.runtime.spawn(async move {
            let neighbours = clouds.neighbours();
            let made = openshift::create(&clouds.world, &neighbours, &contents, cloud).await;
            if let Ok(cluster) = &made {
                clouds.keep(name, Arc::clone(cluster));
            }
            let _ = tell.send(made.map_err(|error| error.to_string()));
        });
        match told.recv().unwrap_or_else(|_| Err("the sandbox's thread ended".to_owned())) {
            Ok(cluster) => cluster,
            Err(why) => panic!("the cluster could not be made: {why}"),
        }
    }
}
