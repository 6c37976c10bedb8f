//! When a component has a new credential of its own: its secret is another object, the operator's and the right
//! request's, and holds another key; and the operator complains of nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::objects::{Condition, CredentialsRequest, OWNER, Secret};
use super::platform::Platform;
use super::situation::Situation;
use super::value::{Digest, Salt, Value};

/// A component's secret before it was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Of the secret; None where there was none.
    pub uid: Option<String>,
    /// Of the id of the key in it; None where there was none.
    pub key: Option<Digest>,
    /// Whose it is.
    pub request: Name,
}

/// Why a secret is not seen to be made again.
#[derive(Clone, Debug)]
pub enum Unproven {
    /// The operator cannot serve the request.
    Failing(Condition),
    /// It is not the operator's, or another request's.
    Foreign(String),
    /// There is none, or it is being deleted.
    Missing,
    /// It has no key.
    NoKey,
    /// It is the object from before.
    SameObject,
    /// It is another object with the key from before.
    SameKey,
}

impl Before {
    pub fn of(platform: Platform, salt: &Salt, request: Name, secret: Option<&Secret>) -> Self {
        Self {
            uid: secret.map(|secret| secret.metadata.uid.clone()),
            key: secret.and_then(|secret| key(platform, salt, secret)),
            request,
        }
    }

    /// Whether the secret has been made again since, with another key.
    pub fn is_remade(
        &self,
        platform: Platform,
        salt: &Salt,
        situation: &Situation,
        request: &CredentialsRequest,
        secret: Option<&Secret>,
    ) -> Result<(), Unproven> {
        let secret = secret
            .filter(|secret| secret.metadata.deletion_timestamp.is_none())
            .ok_or(Unproven::Missing)?;
        if self.uid.as_ref() == Some(&secret.metadata.uid) {
            return Err(Unproven::SameObject);
        }
        if let Some(why) = foreign(situation, request, secret) {
            return Err(Unproven::Foreign(why));
        }
        match (&self.key, key(platform, salt, secret)) {
            (_, None) => return Err(Unproven::NoKey),
            (Some(before), Some(now)) if *before == now => return Err(Unproven::SameKey),
            _ => {}
        }
        request.failure().map_or(Ok(()), |failure| Err(Unproven::Failing(failure.clone())))
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing(condition) => write!(formatter, "the operator reports {condition}"),
            Self::Foreign(why) => formatter.write_str(why),
            Self::Missing => formatter.write_str("there is no such secret"),
            Self::NoKey => formatter.write_str("there is no key in it"),
            Self::SameObject => formatter.write_str("it is the secret from before"),
            Self::SameKey => formatter.write_str("it was made again and holds the key from before"),
        }
    }
}

/// Why the operator would not take a secret for the one of that request; None where it does.
pub fn foreign(
    situation: &Situation,
    request: &CredentialsRequest,
    secret: &Secret,
) -> Option<String> {
    match secret.metadata.annotation(OWNER) {
        None => {
            return Some(format!("it has no annotation {OWNER}, so the operator did not write it"));
        }
        Some(owner) if owner != request.called() => {
            return Some(format!("by its annotation {OWNER} it belongs to {owner}"));
        }
        Some(_) => {}
    }
    let labelled = secret.metadata.labels.get(OWNER).is_some_and(|value| value == "true");
    (uses_labels(situation) && !labelled)
        .then(|| format!("it has no label {OWNER}=true, so the operator does not see it"))
}

/// The id of the key in a component's secret, digested: an id is no secret, and nobody needs to read it.
fn key(platform: Platform, salt: &Salt, secret: &Secret) -> Option<Digest> {
    let text =
        |key: &str| secret.data.get(key).and_then(Value::text).filter(|text| !text.is_empty());
    match platform {
        Platform::Aws => Some(salt.digest([text("aws_access_key_id")?.as_bytes()])),
        Platform::Gcp => {
            let json: serde_json::Value =
                serde_json::from_str(text("service_account.json")?).ok()?;
            let id = json["private_key_id"].as_str().filter(|id| !id.is_empty())?;
            Some(salt.digest([id.as_bytes()]))
        }
        Platform::Azure | Platform::Openstack | Platform::Vsphere => None,
    }
}

/// Since 4.14 the operator goes by the label; where the release is not known it is taken to.
fn uses_labels(situation: &Situation) -> bool {
    let release = situation.version.as_ref().and_then(super::objects::Conditioned::release);
    release.is_none_or(|release| release >= (4, 14))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cluster, request_of};
    use super::*;

    const SECRET: &str = "openshift-machine-api/aws-cloud-credentials";

    /// The verdict on the component of a cluster in which `change` was made since.
    fn verdict(change: impl FnOnce(&mut Situation)) -> String {
        let before =
            cluster(Platform::Aws).component(SECRET).minted().annotated("mint").situation();
        let salt = Salt::random().unwrap();
        let name: Name = SECRET.parse().unwrap();
        let request = request_of(&before, &name);
        let noted =
            Before::of(Platform::Aws, &salt, request.name().unwrap(), before.components.get(&name));
        let mut after = before.clone();
        let secret = after.components.get_mut(&name).unwrap();
        secret.metadata.uid.push_str("-next");
        secret.data.insert("aws_access_key_id".to_owned(), Value::new("AKIANEXT"));
        change(&mut after);
        let verdict = noted.is_remade(
            Platform::Aws,
            &salt,
            &after,
            request_of(&after, &name),
            after.components.get(&name),
        );
        verdict.map_or_else(|why| why.to_string(), |()| "proven".to_owned())
    }

    fn component(situation: &mut Situation) -> &mut Secret {
        situation.components.get_mut(&SECRET.parse().unwrap()).unwrap()
    }

    #[test]
    fn another_object_of_the_right_owner_with_another_key() {
        assert_eq!(verdict(|_| {}), "proven");
    }

    #[test]
    fn each_thing_that_is_not_a_proof() {
        let check = |expected: &str, change: &dyn Fn(&mut Situation)| {
            let said = verdict(change);
            assert!(said.contains(expected), "{said:?} should say {expected:?}");
        };
        check("no such secret", &|situation| situation.components.clear());
        check("no such secret", &|situation| {
            component(situation).metadata.deletion_timestamp = Some(jiff::Timestamp::UNIX_EPOCH);
        });
        check("from before", &|situation| {
            let secret = component(situation);
            secret.metadata.uid.truncate(secret.metadata.uid.len() - "-next".len());
        });
        check("the key from before", &|situation| {
            let key = cluster(Platform::Aws).component(SECRET).minted().situation();
            component(situation).data = key.components.values().next().unwrap().data.clone();
        });
        check("no key in it", &|situation| component(situation).data.clear());
        check("no annotation", &|situation| component(situation).metadata.annotations.clear());
        check("it belongs to x/y", &|situation| {
            component(situation).metadata.annotations.insert(OWNER.to_owned(), "x/y".to_owned());
        });
        check("no label", &|situation| component(situation).metadata.labels.clear());
        check("the operator reports CredentialsProvisionFailure=True", &|situation| {
            situation.requests[0].status.conditions = vec![Condition {
                kind: "CredentialsProvisionFailure".to_owned(),
                status: "True".to_owned(),
                ..Condition::default()
            }];
        });
    }

    #[test]
    fn before_4_14_nobody_had_labels() {
        let said = verdict(|situation| {
            component(situation).metadata.labels.clear();
            situation.version = Some(super::super::testing::version("4.12.3"));
        });
        assert_eq!(said, "proven");
    }
}
