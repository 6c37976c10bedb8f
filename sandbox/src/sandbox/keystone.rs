//! What tests and programs do with Keystone through [`Sandbox`].

use super::Sandbox;
use crate::keystone::{Account, Credential, Event, Named, UnknownName};

impl Sandbox {
    // Who and what is there.

    /// # Panics
    /// When there is no such user.
    pub fn user(&self, name: &str) -> Account {
        let keystone = self.clouds.keystone();
        let user = known(keystone.find_user(name));
        Account { id: user.id.clone(), name: user.name.clone(), password: user.password.clone() }
    }

    /// # Panics
    /// When there is no such project.
    pub fn project(&self, name: &str) -> Named {
        let keystone = self.clouds.keystone();
        let project = known(keystone.find_project(name));
        Named { id: project.id.clone(), name: project.name.clone() }
    }

    /// # Panics
    /// When there is no such role.
    pub fn role(&self, name: &str) -> Named {
        let keystone = self.clouds.keystone();
        let role = known(keystone.find_role(name));
        Named { id: role.id.clone(), name: role.name.clone() }
    }

    /// All of a user's application credentials, by name.
    ///
    /// # Panics
    /// When there is no such user.
    pub fn credentials(&self, user: &str) -> Vec<Named> {
        let keystone = self.clouds.keystone();
        let id = known(keystone.find_user(user)).id.clone();
        let named = |c: &Credential| Named { id: c.id.clone(), name: c.name.clone() };
        keystone.credentials_of(&id).map(named).collect()
    }

    /// How many logins were tried with a credential, refused ones too; none if it is gone.
    pub fn logins(&self, credential: &str) -> Option<usize> {
        self.clouds.keystone().find_credential(credential).ok().map(|found| found.logins)
    }

    // What happens behind a client's back.

    /// Lets something happen.
    pub fn apply(&self, event: &Event) -> Result<(), UnknownName> {
        let now = self.clouds.world.clock.now();
        self.clouds.keystone().apply(event, now)
    }

    fn happen(&self, event: &Event) {
        known(self.apply(event));
    }

    pub fn grant_role(&self, user: &str, project: &str, role: &str) {
        let (user, project, role) = (user.into(), project.into(), role.into());
        self.happen(&Event::GrantRole { user, project, role });
    }

    pub fn remove_role(&self, user: &str, project: &str, role: &str) {
        let (user, project, role) = (user.into(), project.into(), role.into());
        self.happen(&Event::RemoveRole { user, project, role });
    }

    pub fn create_role(&self, role: &str) {
        self.happen(&Event::CreateRole { role: role.into() });
    }

    pub fn delete_role(&self, role: &str) {
        self.happen(&Event::DeleteRole { role: role.into() });
    }

    /// With the name and `pw` as the password.
    pub fn create_user(&self, user: &str) {
        self.happen(&Event::CreateUser { user: user.into(), password: None });
    }

    pub fn enable_user(&self, user: &str) {
        self.happen(&Event::EnableUser { user: user.into() });
    }

    pub fn disable_user(&self, user: &str) {
        self.happen(&Event::DisableUser { user: user.into() });
    }

    pub fn delete_user(&self, user: &str) {
        self.happen(&Event::DeleteUser { user: user.into() });
    }

    pub fn change_password(&self, user: &str, password: &str) {
        let (user, password) = (user.into(), password.into());
        self.happen(&Event::ChangePassword { user, password });
    }

    pub fn create_project(&self, project: &str) {
        self.happen(&Event::CreateProject { project: project.into() });
    }

    pub fn enable_project(&self, project: &str) {
        self.happen(&Event::EnableProject { project: project.into() });
    }

    pub fn disable_project(&self, project: &str) {
        self.happen(&Event::DisableProject { project: project.into() });
    }

    pub fn delete_project(&self, project: &str) {
        self.happen(&Event::DeleteProject { project: project.into() });
    }

    /// By id.
    pub fn delete_credential(&self, credential: &str) {
        self.happen(&Event::DeleteCredential { credential: credential.into() });
    }

    /// Makes so many credentials at once, named by the prefix and a number from 0001.
    pub fn create_credentials(&self, user: &str, project: &str, prefix: &str, count: usize) {
        let (user, project, prefix) = (user.into(), project.into(), prefix.into());
        self.happen(&Event::CreateCredentials { user, project, prefix, count });
    }

    /// `[application_credential] user_limit`.
    pub fn set_user_limit(&self, limit: Option<usize>) {
        self.happen(&Event::SetUserLimit { limit });
    }

    /// What a fresh credential's first logins are answered with: 404, 401, or 201 for served as
    /// usual, as in clouds with several Keystone nodes and caches.
    pub fn set_settling(&self, statuses: &[u16]) {
        self.happen(&Event::SetSettling { statuses: statuses.to_vec() });
    }

    /// The one time-based passcode that is right, `123456` at the start; none: that method is not
    /// supported, as in a Keystone that was not set up for it.
    pub fn set_passcode(&self, passcode: Option<&str>) {
        self.happen(&Event::SetPasscode { passcode: passcode.map(str::to_owned) });
    }

    /// Whether a revocation also kills tokens issued later in the same second, as in a real
    /// Keystone; off at the start.
    pub fn set_same_second_revocation(&self, enabled: bool) {
        self.happen(&Event::SetSameSecondRevocation { enabled });
    }
}

/// What the test asked for, or a panic that says what is not there.
fn known<T>(found: Result<T, UnknownName>) -> T {
    match found {
        Ok(found) => found,
        Err(unknown) => panic!("{unknown}"),
    }
}
