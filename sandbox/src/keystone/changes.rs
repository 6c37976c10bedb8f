//! What happens to the things in a Keystone, with all that follows from it (to credentials, tokens,
//! grants). Whether somebody may do it, and who asks, is decided elsewhere.

use jiff::Timestamp;

use super::model::{Grant, Keystone, Project, Role, Scope, User};

impl Keystone {
    pub(super) fn add_user(&mut self, name: &str, password: &str) -> String {
        let id = self.ids.hex();
        self.users.push(User {
            id: id.clone(),
            name: name.to_owned(),
            password: password.to_owned(),
            description: None,
            enabled: true,
        });
        id
    }

    pub(super) fn add_project(&mut self, name: &str) -> String {
        let id = self.ids.hex();
        self.projects.push(Project {
            id: id.clone(),
            name: name.to_owned(),
            description: String::new(),
            enabled: true,
        });
        id
    }

    pub(super) fn add_role(&mut self, name: &str) -> String {
        let id = self.ids.hex();
        self.roles.push(Role {
            id: id.clone(),
            name: name.to_owned(),
            description: None,
            immutable: false,
        });
        id
    }

    /// A disabled user's tokens are dead for good; the credentials stay.
    pub(super) fn enable_user(&mut self, id: &str, enabled: bool, now: Timestamp) {
        if let Some(user) = self.users.iter_mut().find(|user| user.id == id) {
            user.enabled = enabled;
        }
        if !enabled {
            self.revoke_user(id, now);
        }
    }

    /// Kills the user's tokens; the credentials stay and work.
    pub(super) fn set_password(&mut self, id: &str, password: &str, now: Timestamp) {
        if let Some(user) = self.users.iter_mut().find(|user| user.id == id) {
            password.clone_into(&mut user.password);
        }
        self.revoke_user(id, now);
    }

    /// Takes the user's credentials, rules and grants along.
    pub(super) fn remove_user(&mut self, id: &str, now: Timestamp) {
        self.users.retain(|user| user.id != id);
        self.grants.retain(|grant| grant.user_id != id);
        self.remove_credentials(|credential| credential.user_id == id);
        self.access_rules.retain(|rule| rule.user_id != id);
        self.revoke_user(id, now);
    }

    /// While it is disabled its tokens are dead; afterwards they live on.
    pub(super) fn enable_project(&mut self, id: &str, enabled: bool) {
        if let Some(project) = self.projects.iter_mut().find(|project| project.id == id) {
            project.enabled = enabled;
        }
    }

    /// The credentials stay behind, orphaned, and keep their names.
    pub(super) fn remove_project(&mut self, id: &str) {
        self.projects.retain(|project| project.id != id);
        self.grants.retain(|grant| grant.scope != Scope::Project(id.to_owned()));
    }

    /// False if it was granted already.
    pub(super) fn add_grant(&mut self, user_id: &str, scope: Scope, role_id: &str) -> bool {
        if self.has_grant(user_id, &scope, role_id) {
            return false;
        }
        let (user_id, role_id) = (user_id.to_owned(), role_id.to_owned());
        self.grants.push(Grant { user_id, scope, role_id });
        true
    }

    /// Credentials and tokens stay; they lose the role. False if it was not granted.
    pub(super) fn remove_grant(&mut self, user_id: &str, scope: &Scope, role_id: &str) -> bool {
        let before = self.grants.len();
        self.grants.retain(|grant| {
            !(grant.user_id == user_id && grant.scope == *scope && grant.role_id == role_id)
        });
        self.grants.len() < before
    }

    pub(super) fn has_grant(&self, user_id: &str, scope: &Scope, role_id: &str) -> bool {
        self.grants.iter().any(|grant| {
            grant.user_id == user_id && grant.scope == *scope && grant.role_id == role_id
        })
    }

    /// Takes along all credentials of every user on every project where the role was granted to
    /// that user, also those that do not use it.
    pub(super) fn remove_role(&mut self, id: &str) {
        let hit: Vec<(String, String)> = self
            .grants
            .iter()
            .filter(|grant| grant.role_id == id)
            .filter_map(|grant| match &grant.scope {
                Scope::Project(project) => Some((grant.user_id.clone(), project.clone())),
                _ => None,
            })
            .collect();
        self.remove_credentials(|credential| {
            hit.iter().any(|(user, project)| {
                credential.user_id == *user && credential.project_id.as_ref() == Some(project)
            })
        });
        for credential in self.credentials.values_mut() {
            credential.roles.retain(|role| role != id);
        }
        self.grants.retain(|grant| grant.role_id != id);
        self.implied.retain(|(prior, implied)| prior != id && implied != id);
        self.roles.retain(|role| role.id != id);
    }
}
