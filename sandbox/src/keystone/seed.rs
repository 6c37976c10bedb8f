//! What a Keystone holds when it starts.

use serde::{Deserialize, Serialize};

use super::model::{Grant, Keystone, Project, Role, Scope, Service, User};
use crate::ids::Ids;

/// What is there at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seed {
    /// What a fresh Keystone has: the user and project `admin`, and the standard roles.
    Bootstrap,
    /// Besides, users for every case; each one's password is the name and `pw`:
    /// `alice` (project demo: member, `_member_`, `project_admin`, `compute_start_stop`; project
    /// other: member), `bob` (demo: member), `carol` (demo: `_member_`, `project_admin`), `rita`
    /// (demo: reader); and a role that nobody holds, `unheld_role`.
    #[default]
    Demo,
}

impl Seed {
    /// A Keystone at that address, with what is there at the start and these services beside it in its catalog.
    pub(crate) fn plant(self, base: String, ids: Ids, services: Vec<Service>) -> Keystone {
        let mut keystone = Keystone::new(base, ids);
        for name in ["admin", "manager", "member", "reader", "service"] {
            keystone.plant_role(name, true);
        }
        for (prior, implied) in [("admin", "manager"), ("manager", "member"), ("member", "reader")]
        {
            keystone.plant_implication(prior, implied);
        }
        keystone.plant_project("admin");
        keystone.plant_user("admin", &[("admin", &["admin"])]);
        if let (Some(user), Some(role)) =
            (keystone.user_named("admin"), keystone.role_named("admin"))
        {
            let (user_id, role_id) = (user.id.clone(), role.id.clone());
            keystone.grants.push(Grant { user_id, scope: Scope::System, role_id });
        }
        if self == Self::Demo {
            keystone.plant_demo();
        }
        keystone.services.extend(services);
        keystone
    }
}

impl Keystone {
    fn plant_demo(&mut self) {
        for name in ["_member_", "project_admin", "compute_start_stop", "unheld_role"] {
            self.plant_role(name, false);
        }
        for name in ["service", "demo", "other"] {
            self.plant_project(name);
        }
        let all = ["member", "_member_", "project_admin", "compute_start_stop"];
        self.plant_user("alice", &[("demo", &all), ("other", &["member"])]);
        self.plant_user("bob", &[("demo", &["member"])]);
        self.plant_user("carol", &[("demo", &["_member_", "project_admin"])]);
        self.plant_user("rita", &[("demo", &["reader"])]);
    }

    fn plant_role(&mut self, name: &str, immutable: bool) {
        let id = self.ids.hex();
        self.roles.push(Role { id, name: name.into(), description: None, immutable });
    }

    fn plant_implication(&mut self, prior: &str, implied: &str) {
        if let (Some(prior), Some(implied)) = (self.role_named(prior), self.role_named(implied)) {
            let pair = (prior.id.clone(), implied.id.clone());
            self.implied.push(pair);
        }
    }

    fn plant_project(&mut self, name: &str) {
        let id = self.ids.hex();
        self.projects.push(Project {
            id,
            name: name.into(),
            description: String::new(),
            enabled: true,
        });
    }

    fn plant_user(&mut self, name: &str, grants: &[(&str, &[&str])]) {
        let id = self.ids.hex();
        self.users.push(User {
            id: id.clone(),
            name: name.into(),
            password: format!("{name}pw"),
            description: None,
            enabled: true,
        });
        for (project, roles) in grants {
            for role in *roles {
                if let (Some(project), Some(role)) =
                    (self.project_named(project), self.role_named(role))
                {
                    let scope = Scope::Project(project.id.clone());
                    let role_id = role.id.clone();
                    self.grants.push(Grant { user_id: id.clone(), scope, role_id });
                }
            }
        }
    }
}
