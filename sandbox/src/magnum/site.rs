//! Where this Magnum is.

use crate::world::World;

/// Where it begins on the sandbox's port.
pub(crate) const PREFIX: &str = "/container-infra";

/// Where this Magnum is.
pub(crate) fn base(world: &World) -> String {
    format!("{}{PREFIX}", world.base)
}
