//! What in a cluster is not as the last rotation left it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::mapping::{Difference, differences};
use super::mode::Mode;
use super::name::Name;
use super::objects::Condition;
use super::platform::Platform;
use super::root::{counted, digest};
use super::situation::Situation;
use super::targets::targets;
use super::value::{Digest, Salt};

/// The root credential as a rotation left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRoot {
    salt: Salt,
    digest: Digest,
}

/// One thing that is not as it was, or not as it should be.
#[derive(Clone, Debug)]
pub enum Drift {
    /// A component that should hold a copy of the root credential does not.
    Component {
        secret: Name,
        request: String,
        differences: Vec<Difference>,
    },
    Failing {
        request: String,
        secret: String,
        condition: Condition,
    },
    /// A component's secret is not there.
    Missing {
        secret: Name,
        request: String,
    },
    /// The values of the root secret; by whom and when, where the cluster tells.
    Root {
        platform: Platform,
        written: Option<(String, Timestamp)>,
    },
    /// The root secret is not there.
    RootGone {
        platform: Platform,
    },
}

impl KnownRoot {
    /// None where there is no root secret.
    pub fn of(situation: &Situation, salt: Salt) -> Option<Self> {
        let digest = digest(&salt, &counted(situation.platform?, situation.root.as_ref()?));
        Some(Self { salt, digest })
    }

    /// Whether it is still the one.
    pub fn is(&self, situation: &Situation) -> bool {
        Self::of(situation, self.salt.clone()).is_some_and(|now| now.digest == self.digest)
    }
}

/// All of it. `known` is the root credential of the last rotation, where there was one; `removed`: that rotation
/// removed the root secret.
pub fn drift(situation: &Situation, known: Option<&KnownRoot>, removed: bool) -> Vec<Drift> {
    let Some(platform) = situation.platform else { return Vec::new() };
    let mode = Mode::of(situation);
    let mut all = Vec::new();
    match (&situation.root, known) {
        (None, _) if removed || mode == Mode::MintRootRemoved && known.is_none() => {}
        (None, _) => all.push(Drift::RootGone { platform }),
        (Some(root), Some(known)) if !known.is(situation) => all.push(Drift::Root {
            platform,
            written: root.last_written().map(|(who, when)| (who.to_owned(), when)),
        }),
        _ => {}
    }
    for target in targets(situation) {
        let (request, Some(secret)) = (target.request, target.secret()) else { continue };
        let called = request.called();
        if let Some(condition) = request.failure() {
            let (secret, condition) = (secret.to_string(), condition.clone());
            all.push(Drift::Failing { request: called, secret, condition });
            continue;
        }
        let Some(component) = situation.components.get(&secret) else {
            all.push(Drift::Missing { secret, request: called });
            continue;
        };
        if let (Mode::Passthrough, Some(root)) = (mode, &situation.root) {
            let differences = differences(platform, &root.data, &component.data);
            if !differences.is_empty() {
                all.push(Drift::Component { secret, request: called, differences });
            }
        }
    }
    all
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { secret, request, differences } => {
                let said: Vec<_> = differences.iter().map(ToString::to_string).collect();
                write!(
                    formatter,
                    "The secret {secret} of the CredentialsRequest {request} is not a copy of the root credential: {}. The operator \
                     may need an hour to notice, or never does; deleting the secret has it made again at once.",
                    said.join(", ")
                )
            }
            Self::Failing { request, secret, condition } => write!(
                formatter,
                "The CredentialsRequest {request}, for the secret {secret}, fails: {condition}."
            ),
            Self::Missing { secret, request } => write!(
                formatter,
                "The secret {secret} of the CredentialsRequest {request} is missing. Any change of the request, such as an annotation, \
                 has the operator make it at once."
            ),
            Self::Root { platform, written } => {
                write!(
                    formatter,
                    "The root credential in {} is another one than the last rotation left",
                    platform.root()
                )?;
                match written {
                    Some((who, when)) => write!(formatter, ": {who:?} wrote it at {when}."),
                    None => formatter.write_str("."),
                }
            }
            Self::RootGone { platform } => {
                write!(formatter, "The root credential in {} is gone.", platform.root())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cluster, operator};
    use super::super::value::Value;
    use super::*;

    fn said(situation: &Situation, known: Option<&KnownRoot>, removed: bool) -> String {
        let all = drift(situation, known, removed);
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_cluster_as_it_was_left_has_none() {
        for platform in Platform::ALL {
            let situation = cluster(platform).annotated("passthrough").component("a/b").situation();
            let known = KnownRoot::of(&situation, Salt::random().unwrap());
            assert_eq!(said(&situation, known.as_ref(), false), "", "{platform}");
            assert_eq!(said(&situation, None, false), "", "{platform}");
        }
    }

    #[test]
    fn each_thing_that_changed_is_told() {
        let openstack =
            || cluster(Platform::Openstack).component("a/b").component("c/d").situation();
        let known = KnownRoot::of(&openstack(), Salt::random().unwrap());
        let check = |expected: &str, change: &dyn Fn(&mut Situation)| {
            let mut situation = openstack();
            change(&mut situation);
            let said = said(&situation, known.as_ref(), false);
            assert!(said.contains(expected), "{said:?} should say {expected:?}");
            assert!(!said.contains("root-secret"), "{said:?}");
        };
        let value = || Value::new("clouds: {openstack: {auth: {password: other}}}");
        check("is another one than the last rotation left", &|situation| {
            situation.root.as_mut().unwrap().data.insert("clouds.yaml".to_owned(), value());
        });
        check("The secret a/b of the CredentialsRequest", &|situation| {
            let component = situation.components.get_mut(&"a/b".parse().unwrap()).unwrap();
            component.data.insert("clouds.yaml".to_owned(), value());
        });
        check("is missing", &|situation| situation.components.clear());
        check("is gone", &|situation| situation.root = None);
        check("fails: CredentialsProvisionFailure=True", &|situation| {
            situation.requests[1].status.conditions = operator("", true, false, false)
                .status
                .conditions
                .into_iter()
                .take(1)
                .map(|mut condition| {
                    condition.kind = "CredentialsProvisionFailure".to_owned();
                    condition
                })
                .collect();
        });
    }

    #[test]
    fn a_root_that_was_removed_on_purpose_is_no_drift() {
        let aws = cluster(Platform::Aws).minted().annotated("mint");
        let known = KnownRoot::of(&aws.situation(), Salt::random().unwrap());
        let without = aws.without_root().situation();
        assert_eq!(said(&without, known.as_ref(), true), "");
        assert!(said(&without, known.as_ref(), false).contains("is gone"));
        assert_eq!(said(&without, None, false), "");
    }
}
