//! What a test sees of a Keystone: users with their passwords, and whatever else has a name.

/// A user and how it logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub password: String,
}

/// A project, a role or a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
}
