//! A new root credential is used before it is written, where its cloud can be asked: the operator would find out
//! only by breaking the components.

use std::fmt;

use super::clouds_yaml::CloudsYaml;
use super::objects::Data;
use super::platform::Platform;
use super::root::NewRoot;
use super::situation::Situation;
use super::sts::{self, Keys};
use super::value::Value;
use crate::clock;
use crate::cloud::Surroundings;
use crate::cloud::http::Patience;
use crate::cloud::openstack::{self, Session, Token, config};
use crate::redaction::SecretString;

/// What the cloud said of a root credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// The cloud knows it, as this.
    Works(String),
    /// Nobody here can ask this cloud.
    NotAsked,
    /// It did not answer here: the cluster may still reach it.
    NoAnswer(String),
}

/// Why it must not be written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unfit {
    #[error(transparent)]
    Aws(#[from] sts::Error),
    /// It is good for something else than the one in use.
    #[error(
        "it is for {new}, and the one in use is for {old}: the cluster's machines, disks and load balancers are there"
    )]
    Elsewhere { new: String, old: String },
    #[error("{0}")]
    Malformed(String),
    #[error("it is for no project, so nothing can be done with it in the cloud")]
    NoProject,
    #[error("it has no role in project {project}")]
    NoRole { project: String },
    #[error(transparent)]
    Openstack(#[from] openstack::Error),
}

impl fmt::Display for Probed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works(who) => write!(formatter, "The cloud knows the new root credential as {who}."),
            Self::NoAnswer(why) => write!(
                formatter,
                "Whether the new root credential works could not be asked from here; only its form was checked. {why}"
            ),
            Self::NotAsked => formatter.write_str(
                "This cloud cannot be asked from here whether the new root credential works: only its form was checked.",
            ),
        }
    }
}

/// Logs in with it, and where the one in use still works compares what both are for.
pub async fn probe(
    new: &NewRoot,
    situation: &Situation,
    from: &Surroundings,
    patience: &Patience,
) -> Result<Probed, Unfit> {
    let old = situation.root.as_ref().map(|root| &root.data);
    match new.platform() {
        Platform::Aws => aws(new.data(), old, situation, from, patience).await,
        Platform::Openstack => openstack(new.data(), old, situation, patience).await,
        Platform::Azure | Platform::Gcp | Platform::Vsphere => Ok(Probed::NotAsked),
    }
}

async fn aws(
    new: &Data,
    old: Option<&Data>,
    situation: &Situation,
    from: &Surroundings,
    patience: &Patience,
) -> Result<Probed, Unfit> {
    let infrastructure = &situation.infrastructure;
    let region = infrastructure.region();
    let address = sts::address(from, infrastructure.service_endpoint("sts"), region);
    let caller = match sts::caller(&keys(new), &address, region, clock::now(), patience).await {
        Ok(caller) => caller,
        Err(sts::Error::NoAnswer(why)) => return Ok(Probed::NoAnswer(why)),
        Err(error) => return Err(error.into()),
    };
    // One that is dead already says nothing, and need not.
    if let Some(old) = old
        && let Ok(old) = sts::caller(&keys(old), &address, region, clock::now(), patience).await
        && old.account != caller.account
    {
        let account = |id: &str| format!("account {id}");
        return Err(Unfit::Elsewhere { new: account(&caller.account), old: account(&old.account) });
    }
    Ok(Probed::Works(caller.arn))
}

fn keys(data: &Data) -> Keys {
    let part = |key: &str| data.get(key).and_then(Value::text).unwrap_or_default().to_owned();
    Keys {
        access_key_id: part("aws_access_key_id"),
        secret_access_key: SecretString::from(part("aws_secret_access_key")),
    }
}

async fn openstack(
    new: &Data,
    old: Option<&Data>,
    situation: &Situation,
    patience: &Patience,
) -> Result<Probed, Unfit> {
    let token = match log_in(new, situation, patience).await {
        // Another address than the one in use may be a slip.
        Err(Unfit::Openstack(error)) if is_silence(&error) && same_address(new, old) => {
            return Ok(Probed::NoAnswer(error.to_string()));
        }
        token => token?,
    };
    let project = token.project.as_ref().ok_or(Unfit::NoProject)?;
    let called = |token: &Token| {
        token.project.as_ref().map(|project| format!("project {} ({})", project.name, project.id))
    };
    if token.roles.is_empty() {
        return Err(Unfit::NoRole { project: project.name.clone() });
    }
    if let Some(old) = old
        && let Ok(old) = log_in(old, situation, patience).await
        && old.project.as_ref().is_some_and(|old| old.id != project.id)
    {
        let (new, old) = (called(&token).unwrap_or_default(), called(&old).unwrap_or_default());
        return Err(Unfit::Elsewhere { new, old });
    }
    let roles: Vec<_> = token.roles.iter().map(|role| role.name.as_str()).collect();
    Ok(Probed::Works(format!(
        "user {} with {} in project {}",
        token.user.name,
        roles.join(", "),
        project.name
    )))
}

fn is_silence(error: &openstack::Error) -> bool {
    matches!(error, openstack::Error::NoAnswer { .. } | openstack::Error::TimedOut { .. })
}

fn same_address(new: &Data, old: Option<&Data>) -> bool {
    let address = |data: &Data| {
        let yaml = CloudsYaml::parse(data.get("clouds.yaml")?.text()?).ok()?;
        yaml.login(None).auth_url
    };
    old.and_then(address).is_some_and(|old| address(new) == Some(old))
}

/// With the certificates that the cluster itself trusts, and nothing else from this machine.
async fn log_in(data: &Data, situation: &Situation, patience: &Patience) -> Result<Token, Unfit> {
    let text = data.get("clouds.yaml").and_then(Value::text).unwrap_or_default();
    let yaml = CloudsYaml::parse(text).map_err(Unfit::Malformed)?;
    let settings = yaml.login(situation.ca_bundle.as_deref());
    let cloud =
        config::resolve(&settings, &Surroundings::default()).map_err(openstack::Error::from)?;
    let session = Session::new(cloud)?;
    Ok(session.token(patience).await?)
}

#[cfg(test)]
mod tests;
