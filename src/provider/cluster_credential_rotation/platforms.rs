//! The platforms that there are: a closed set, of which each resource has one, by the block that it holds.

#[cfg(test)]
use std::sync::Arc;

use crate::provider::cluster_credential_rotation::magnum::MagnumPlatform;
use crate::provider::cluster_credential_rotation::model::ClusterRotation;
use crate::provider::cluster_credential_rotation::oke::OkePlatform;
use crate::provider::cluster_credential_rotation::openshift::OpenshiftPlatform;
use crate::provider::cluster_credential_rotation::openshift::block::Openshift;
use crate::provider::cluster_credential_rotation::platform::Platform;
use crate::provider::cluster_credential_rotation::services::Services;
use crate::tfplugin::diagnostics::Result;
use crate::tfplugin::model::Attr;

/// The platform whose block the configuration, or the state, holds. None: no block is known.
pub fn of(services: &Services, model: &ClusterRotation) -> Option<Box<dyn Platform>> {
    #[cfg(test)]
    if let Some(cloud) = &services.stand_in {
        return Some(Box::new(super::histories::platform::StandIn(Arc::clone(cloud))));
    }
    if let Attr::Known(block) = &model.magnum {
        return Some(Box::new(MagnumPlatform::new(services.clone(), block.clone())));
    }
    if let Attr::Known(block) = &model.oke {
        return Some(Box::new(OkePlatform::new(services.clone(), block.clone())));
    }
    if let Attr::Known(block) = &model.openshift {
        return Some(Box::new(OpenshiftPlatform::new(services.clone(), block.clone())));
    }
    None
}

/// Whether a block is there whose arguments are not known yet.
pub fn unknown(model: &ClusterRotation) -> bool {
    model.magnum.is_unknown() || model.oke.is_unknown() || model.openshift.is_unknown()
}

/// What is imported by this id: the platform, with the block that stands for it in the state.
pub fn of_import(services: &Services, id: &str) -> Result<(Box<dyn Platform>, ClusterRotation)> {
    if OkePlatform::is_id(id) {
        let block = OkePlatform::block_of_import(id);
        let platform = OkePlatform::new(services.clone(), block.clone());
        let model = ClusterRotation {
            oke: Attr::Known(block),
            overlap: Attr::Known(OkePlatform::IMPORTED_OVERLAP.to_owned()),
            ..ClusterRotation::default()
        };
        return Ok((Box::new(platform), model));
    }
    if OpenshiftPlatform::is_import(id) {
        let block = Openshift::default();
        let platform = OpenshiftPlatform::new(services.clone(), block.clone());
        let model = ClusterRotation { openshift: Attr::Known(block), ..ClusterRotation::default() };
        return Ok((Box::new(platform), model));
    }
    let block = MagnumPlatform::block_of_import(id)?;
    let platform = MagnumPlatform::new(services.clone(), block.clone());
    let model = ClusterRotation { magnum: Attr::Known(block), ..ClusterRotation::default() };
    Ok((Box::new(platform), model))
}
