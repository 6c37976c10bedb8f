//! What can happen behind a client's back. Things are named by name or id.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::model::{Credential, Keystone, Project, Role, Scope, User};

/// One thing that happens in the cloud, by its administrator's hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event", deny_unknown_fields)]
pub enum Event {
    /// Also kills the user's tokens.
    ChangePassword {
        user: String,
        password: String,
    },
    CreateProject {
        project: String,
    },
    CreateRole {
        role: String,
    },
    /// The password is the name and `pw` unless one is given.
    CreateUser {
        user: String,
        password: Option<String>,
    },
    /// So many credentials with all the user's roles, named by the prefix and a number; their
    /// secret is `secret` and the name.
    CreateCredentials {
        user: String,
        project: String,
        prefix: String,
        count: usize,
    },
    /// By id.
    DeleteCredential {
        credential: String,
    },
    /// The credentials stay, orphaned.
    DeleteProject {
        project: String,
    },
    /// Takes along all credentials of whoever held it, on the projects where it was held.
    DeleteRole {
        role: String,
    },
    /// Takes the user's credentials along.
    DeleteUser {
        user: String,
    },
    DisableProject {
        project: String,
    },
    DisableUser {
        user: String,
    },
    EnableProject {
        project: String,
    },
    EnableUser {
        user: String,
    },
    GrantRole {
        user: String,
        project: String,
        role: String,
    },
    RemoveRole {
        user: String,
        project: String,
        role: String,
    },
    /// The one time-based passcode that is right; none: that method is not supported.
    SetPasscode {
        passcode: Option<String>,
    },
    /// A revocation kills tokens issued later in the same second too, as in a real Keystone.
    SetSameSecondRevocation {
        enabled: bool,
    },
    /// What a fresh credential's first logins are answered with: 404, 401, or 201 for served.
    SetSettling {
        statuses: Vec<u16>,
    },
    /// `[application_credential] user_limit`; none for no limit.
    SetUserLimit {
        limit: Option<usize>,
    },
}

/// An event names something that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// `user`, `project`, `role` or `credential`.
    pub kind: &'static str,
    pub name: String,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sandbox has no {} `{}`", self.kind, self.name)
    }
}

impl std::error::Error for UnknownName {}

impl Keystone {
    /// Makes it happen.
    pub(crate) fn apply(&mut self, event: &Event, now: Timestamp) -> Result<(), UnknownName> {
        match event {
            Event::ChangePassword { user, password } => {
                let id = self.find_user(user)?.id.clone();
                self.set_password(&id, password, now);
            }
            Event::CreateProject { project } => drop(self.add_project(project)),
            Event::CreateRole { role } => drop(self.add_role(role)),
            Event::CreateUser { user, password } => {
                let usual = format!("{user}pw");
                self.add_user(user, password.as_ref().unwrap_or(&usual));
            }
            Event::CreateCredentials { user, project, prefix, count } => {
                self.create_credentials(user, project, prefix, *count)?;
            }
            Event::DeleteCredential { credential } => {
                let id = self.find_credential(credential)?.id.clone();
                self.remove_credential(&id);
            }
            Event::DeleteProject { project } => {
                let id = self.find_project(project)?.id.clone();
                self.remove_project(&id);
            }
            Event::DeleteRole { role } => {
                let id = self.find_role(role)?.id.clone();
                self.remove_role(&id);
            }
            Event::DeleteUser { user } => {
                let id = self.find_user(user)?.id.clone();
                self.remove_user(&id, now);
            }
            Event::DisableProject { project } => {
                let id = self.find_project(project)?.id.clone();
                self.enable_project(&id, false);
            }
            Event::DisableUser { user } => {
                let id = self.find_user(user)?.id.clone();
                self.enable_user(&id, false, now);
            }
            Event::EnableProject { project } => {
                let id = self.find_project(project)?.id.clone();
                self.enable_project(&id, true);
            }
            Event::EnableUser { user } => {
                let id = self.find_user(user)?.id.clone();
                self.enable_user(&id, true, now);
            }
            Event::GrantRole { user, project, role } => {
                let (user, scope, role) = self.find_grant(user, project, role)?;
                self.add_grant(&user, scope, &role);
            }
            Event::RemoveRole { user, project, role } => {
                let (user, scope, role) = self.find_grant(user, project, role)?;
                self.remove_grant(&user, &scope, &role);
            }
            Event::SetSameSecondRevocation { enabled } => {
                self.options.same_second_revocation = *enabled;
            }
            Event::SetPasscode { passcode } => self.options.passcode.clone_from(passcode),
            Event::SetSettling { statuses } => self.options.settling.clone_from(statuses),
            Event::SetUserLimit { limit } => self.options.user_limit = *limit,
        }
        Ok(())
    }

    fn create_credentials(
        &mut self,
        user: &str,
        project: &str,
        prefix: &str,
        count: usize,
    ) -> Result<(), UnknownName> {
        let user_id = self.find_user(user)?.id.clone();
        let project_id = self.find_project(project)?.id.clone();
        let mut roles = self.effective_roles(&user_id, &Scope::Project(project_id.clone()));
        roles.sort();
        for number in 1..=count {
            let name = format!("{prefix}{number:04}");
            let credential = Credential {
                id: self.ids.hex(),
                secret: format!("secret{name}"),
                name,
                description: None,
                user_id: user_id.clone(),
                project_id: Some(project_id.clone()),
                system: None,
                expires_at: None,
                unrestricted: Some(false),
                roles: roles.clone(),
                access_rules: Vec::new(),
                logins: 0,
            };
            self.insert_credential(credential);
        }
        Ok(())
    }

    pub(crate) fn find_user(&self, name: &str) -> Result<&User, UnknownName> {
        let found = self.user_named(name).or_else(|| self.user(name));
        found.ok_or_else(|| UnknownName { kind: "user", name: name.to_owned() })
    }

    pub(crate) fn find_project(&self, name: &str) -> Result<&Project, UnknownName> {
        let found = self.project_named(name).or_else(|| self.project(name));
        found.ok_or_else(|| UnknownName { kind: "project", name: name.to_owned() })
    }

    pub(crate) fn find_role(&self, name: &str) -> Result<&Role, UnknownName> {
        let found = self.role_named(name).or_else(|| self.role(name));
        found.ok_or_else(|| UnknownName { kind: "role", name: name.to_owned() })
    }

    pub(crate) fn find_credential(&self, id: &str) -> Result<&Credential, UnknownName> {
        let found = self.credential(id);
        found.ok_or_else(|| UnknownName { kind: "credential", name: id.to_owned() })
    }

    fn find_grant(
        &self,
        user: &str,
        project: &str,
        role: &str,
    ) -> Result<(String, Scope, String), UnknownName> {
        let user = self.find_user(user)?.id.clone();
        let scope = Scope::Project(self.find_project(project)?.id.clone());
        Ok((user, scope, self.find_role(role)?.id.clone()))
    }
}
