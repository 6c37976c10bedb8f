//! The ids that Oracle's cloud gives, and the region that they name.

use crate::ids::Ids;

/// The region that this stand-in is.
pub(crate) const REGION: &str = "us-ashburn-1";
/// Its short name, as in the ids of what is there.
const REGION_KEY: &str = "iad";
/// `ocid1.KIND.oc1.REGION.` and 60 characters.
pub(crate) fn ocid(kind: &str, region: &str, ids: &mut Ids) -> String {
    format!("ocid1.{kind}.oc1.{region}.aaaaaaaa{}", ids.base32(52))
}

/// Of something in this region.
pub(crate) fn regional_ocid(kind: &str, ids: &mut Ids) -> String {
    ocid(kind, REGION_KEY, ids)
}
