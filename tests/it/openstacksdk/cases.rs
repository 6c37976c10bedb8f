//! The configurations that are compared.

mod agreed;
mod differing;

use rekey::cloud::openstack::config::Settings;
use serde_json::Value;

pub(super) use agreed::agreed;
pub(super) use differing::{differing, refused};

/// One configuration: files, variables, explicit settings.
#[derive(Clone, Default)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) files: Vec<(&'static str, &'static str)>,
    pub(super) variables: Vec<(&'static str, &'static str)>,
    pub(super) settings: Settings,
    /// Of openstacksdk's `get_one`, where settings do not say it.
    pub(super) also: Value,
}

fn case(name: &'static str) -> Case {
    Case { name, ..Case::default() }
}

impl Case {
    fn file(mut self, path: &'static str, text: &'static str) -> Self {
        self.files.push((path, text));
        self
    }

    fn env(mut self, variables: &[(&'static str, &'static str)]) -> Self {
        self.variables.extend(variables);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn cloud(self, name: &str) -> Self {
        self.set(|settings| settings.cloud = Some(name.to_owned()))
    }

    fn also(mut self, also: Value) -> Self {
        self.also = also;
        self
    }
}

const URL: (&str, &str) = ("OS_AUTH_URL", "https://keystone.example.com:5000/v3");

/// Somebody by name, with a password, in a project by name.
const NAMES: &[(&str, &str)] = &[
    URL,
    ("OS_USERNAME", "alice"),
    ("OS_PASSWORD", "pass word"),
    ("OS_PROJECT_NAME", "demo"),
    ("OS_USER_DOMAIN_NAME", "Users"),
    ("OS_PROJECT_DOMAIN_NAME", "Projects"),
];

/// The same by ids, without a project.
const IDS: &[(&str, &str)] = &[URL, ("OS_USER_ID", "u1"), ("OS_PASSWORD", "pw")];

const CLOUDS: &str = "clouds:
  one:
    auth:
      auth_url: https://one.example.com/identity
      username: alice
      password: pw
      project_name: demo
      user_domain_id: default
      project_domain_id: default
    region_name: r1
  two:
    auth: {auth_url: 'https://two.example.com', user_id: u2, password: pw, project_id: p2}
    interface: internal
    verify: false
";
