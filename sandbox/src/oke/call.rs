//! One call: who sends it, and what that one may do. The answer's type.

use super::people::{Access, Person};
use crate::http::{Ask, Reply};

/// An answer, or a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

/// One request, by somebody who has signed it.
pub(crate) struct Call<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) caller: Person,
}

impl Call<'_> {
    /// Whether the sender may do as much as that.
    pub(crate) fn may(&self, access: Access) -> bool {
        self.caller.access >= access
    }
}
