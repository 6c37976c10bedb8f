//! Everything that is served on the sandbox's port: the clouds, each call to them in the log and open to faults, and the
//! controls, which are neither.

use axum::Router;
use axum::extract::FromRef;

use crate::clouds::Clouds;
use crate::gate::logged;
use crate::{control, keystone, magnum, oke};

pub(crate) fn app(clouds: &Clouds) -> Router {
    // One line for each cloud.
    let served = Router::new()
        .merge(keystone::routes(keystone::Site::from_ref(clouds)))
        .merge(magnum::routes(magnum::Site::from_ref(clouds)))
        .merge(oke::routes(oke::Site::from_ref(clouds)));
    logged(&clouds.world, clouds.neighbours(), served).merge(control::routes(clouds.clone()))
}
