//! One call: who asks, in which version of the API, for which project, and what that one may do. The answer's type.

use super::microversion::Version;
use super::site::Site;
use crate::http::{Ask, Reply};
use crate::keystone::Caller;

/// An answer, or a refusal.
pub(crate) type Answer = Result<Reply, Reply>;

/// One request, by somebody whose token is good.
pub(crate) struct Call<'a> {
    pub(crate) site: &'a Site,
    pub(crate) ask: &'a Ask,
    pub(crate) caller: Caller,
    pub(crate) version: Version,
}

impl Call<'_> {
    /// The id of the project that the token is for.
    pub(crate) fn project(&self) -> &str {
        self.caller.project_id.as_deref().unwrap_or_default()
    }

    /// `admin_or_project_reader` for what belongs to that project.
    pub(crate) fn reads(&self, project: &str) -> bool {
        self.caller.is_admin() || (self.caller.has_role("reader") && self.project() == project)
    }

    /// `admin_or_project_member` for what belongs to that project.
    pub(crate) fn is_member(&self, project: &str) -> bool {
        self.caller.is_admin() || (self.caller.has_role("member") && self.project() == project)
    }
}
