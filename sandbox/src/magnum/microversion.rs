//! The versions of the API, one after the other. What a request says of them is `versions`' business.

use std::fmt;

/// `1.` and this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32);

pub(crate) const OLDEST: Version = Version(1);
/// Magnum 23.0.0's.
pub(crate) const NEWEST: Version = Version(14);
/// From here on the credentials can be rotated.
pub(crate) const CREDENTIALS: Version = Version(12);
/// From here on `stack_id` is called `cluster_id`.
pub(crate) const CLUSTER_ID: Version = Version(13);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}
