//! What platforms share with the rest of the provider: the ways to the clouds.

use std::sync::Arc;

use crate::provider::clusters::Clusters;
use crate::provider::kubernetes::Shared;
use crate::provider::oci::Oci;
use crate::provider::openstack::Openstack;
use crate::provider::plan_checks::PlanChecks;

/// The ways to the clouds that platforms share with the rest of the provider.
#[derive(Clone, Debug, Default)]
pub struct Services {
    pub clusters: Arc<Clusters>,
    pub kubernetes: Arc<Shared>,
    pub oci: Arc<Oci>,
    pub openstack: Arc<Openstack>,
    /// In the place of every platform: for the random histories.
    #[cfg(test)]
    pub stand_in: Option<Arc<super::histories::cloud::Cloud>>,
}

impl Services {
    pub fn plan_checks(&self) -> PlanChecks {
        self.openstack.plan_checks()
    }
}
