//! Why a rotation stopped half-way, for an operator at night: what is wrong, where, since when; what is done and what
//! is untouched.

use std::collections::BTreeMap;
use std::fmt;

use super::super::mapping::Difference;
use super::super::mode::Mode;
use super::super::name::Name;
use super::super::objects::Condition;
use super::super::platform::Platform;

/// A stop.
#[derive(Clone, Debug)]
pub struct Stopped {
    pub trouble: Trouble,
    /// Mint: component secrets that were made again.
    pub done: Vec<Name>,
    /// Mint: component secrets that are as they were.
    pub untouched: Vec<Name>,
    /// Where the root secret holds the credential that was given: the former one is in the cluster no more.
    pub root_replaced: Option<Platform>,
}

/// See the module.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The root credential is not good enough, by the operator's verdict.
    Insufficient {
        platform: Platform,
    },
    /// The operator does not say what it makes of the root credential.
    NoVerdict {
        platform: Platform,
        operator: Option<String>,
    },
    /// The operator does not get round to the requests.
    NotConsidered {
        requests: Vec<String>,
        operator: Option<String>,
    },
    NotCopied(Vec<Uncopied>),
    NotRedeployed(String),
    NotRemade {
        secret: Name,
        request: Name,
        why: String,
        condition: Option<Condition>,
        operator: Option<String>,
    },
    NotSettled(BTreeMap<String, String>),
    /// Somebody else changed it after this run wrote it.
    RootChanged {
        platform: Platform,
        keys: Vec<String>,
    },
    RootGone {
        platform: Platform,
    },
    /// The operator works in another way than when the rotation began.
    Turned {
        from: &'static str,
        to: Mode,
    },
    /// A secret was made again and is not a proof.
    Wrong {
        secret: Name,
        request: Name,
        why: String,
    },
}

/// A component that does not have the root credential.
#[derive(Clone, Debug)]
pub struct Uncopied {
    pub request: String,
    pub secret: Name,
    pub differences: Vec<Difference>,
    pub condition: Option<Condition>,
}

impl Trouble {
    /// In a few words.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Insufficient { .. } => "The operator finds the root credential insufficient",
            Self::NoVerdict { .. } => "The operator does not judge the root credential",
            Self::NotConsidered { .. } => "The operator does not look at the root credential",
            Self::NotCopied(_) => "The root credential did not reach every component",
            Self::NotRedeployed(_) => "The kube controller manager was not redeployed",
            Self::NotRemade { .. } => "A component's secret was not made again",
            Self::NotSettled(_) => "The cluster's operators are not well",
            Self::RootChanged { .. } => "The root credential was changed meanwhile",
            Self::RootGone { .. } => "The root secret is gone",
            Self::Turned { .. } => "The operator works in another mode now",
            Self::Wrong { .. } => "A component's secret is not what it should be",
        }
    }

    /// What to do next.
    pub fn advice(&self) -> String {
        match self {
            Self::Insufficient { .. } => {
                "Give a root credential with the permissions that the mode needs; the next apply writes it and goes on."
            }
            Self::NoVerdict { .. } | Self::NotConsidered { .. } => {
                "See whether the operator runs (`oc -n openshift-cloud-credential-operator get pods`). After its death another takes \
                 over within seven minutes. The next apply goes on from here."
            }
            Self::NotCopied(_) => {
                "Mend what the condition names; the next apply goes on from here and changes nothing that is in place."
            }
            Self::NotRedeployed(_) => {
                "Look at the installer pods in openshift-kube-controller-manager. The next apply waits on."
            }
            Self::NotRemade { .. } => {
                "That component is without a credential until this is mended: the condition names the cause, often a root credential \
                 that the cloud refuses. The operator goes on trying by itself, and so does the next apply; it deletes nothing that \
                 was made again."
            }
            Self::NotSettled(_) => {
                "Every component has its new credential; look at these operators (`oc get clusteroperators`). The next apply waits \
                 on. Keep the former root credential until then."
            }
            Self::RootChanged { .. } => {
                "Find out who did; the next apply writes the one that is configured, once more."
            }
            Self::RootGone { .. } => {
                "Put it back, or give the credential here; what was deleted and not made again waits for it."
            }
            Self::Turned { from: "mint", to: Mode::Passthrough } => {
                "Give a root credential that may create users and keys, or set spec.credentialsMode of CloudCredential cluster back \
                 to what it was; the next apply goes on from here."
            }
            Self::Turned { from: "passthrough", to: Mode::Mint } => {
                "The root credential may create users and keys, so the operator would mint one for each component. Give a root \
                 credential that may not, or set spec.credentialsMode of CloudCredential cluster to Passthrough to stay in this mode; \
                 the next apply goes on from here."
            }
            Self::Turned { .. } => {
                "Find out what changed it: the operator's configuration, or what the root credential may do."
            }
            Self::Wrong { .. } => "Delete that secret by hand if it is nobody's: the operator then makes its own.",
        }
        .to_owned()
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alive = |operator: &Option<String>| {
            operator.as_ref().map_or_else(String::new, |why| format!(" {why}."))
        };
        match self {
            Self::Insufficient { platform } => write!(
                formatter,
                "The operator has found the root credential in {} insufficient: neither to mint with nor to be handed on.",
                platform.root()
            ),
            Self::NoVerdict { platform, operator } => write!(
                formatter,
                "The root credential is in {}, and the operator has not said what it makes of it (annotation \
                 cloudcredential.openshift.io/mode).{}",
                platform.root(),
                alive(operator)
            ),
            Self::NotConsidered { requests, operator } => write!(
                formatter,
                "The operator has not looked at the root credential for: {}.{}",
                requests.join(", "),
                alive(operator)
            ),
            Self::NotCopied(all) => {
                let all: Vec<_> = all.iter().map(ToString::to_string).collect();
                formatter.write_str(&all.join("\n"))
            }
            Self::NotRedeployed(why) => write!(formatter, "Kube controller manager: {why}."),
            Self::NotRemade { secret, request, why, condition, operator } => {
                write!(formatter, "CredentialsRequest {request}, secret {secret}: {why}")?;
                match condition {
                    Some(condition) => write!(formatter, "; {condition}.")?,
                    None => formatter.write_str("; the operator reports nothing.")?,
                }
                formatter.write_str(&alive(operator))
            }
            Self::NotSettled(operators) => {
                let lines = operators.iter().map(|(name, why)| format!("{name}: {why}"));
                formatter.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
            Self::RootChanged { platform, keys } => write!(
                formatter,
                "After this apply wrote the root credential somebody else changed {} in {}.",
                keys.join(", "),
                platform.root()
            ),
            Self::RootGone { platform } => {
                write!(formatter, "There is no secret {} any more.", platform.root())
            }
            Self::Turned { from, to } => {
                write!(
                    formatter,
                    "The rotation began in mode {from}, and the operator is now in mode {to}."
                )?;
                if *from == "mint" && *to == Mode::Passthrough {
                    formatter.write_str(
                        " In it a component's secret that is deleted comes back with the root credential itself, so no further one \
                         is deleted.",
                    )?;
                }
                Ok(())
            }
            Self::Wrong { secret, request, why } => {
                write!(formatter, "CredentialsRequest {request}, secret {secret}: {why}.")
            }
        }
    }
}

impl fmt::Display for Uncopied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, secret, differences, condition } = self;
        let said: Vec<_> = differences.iter().map(ToString::to_string).collect();
        write!(formatter, "CredentialsRequest {request}, secret {secret}: ")?;
        formatter.write_str(if said.is_empty() { "in place" } else { "" })?;
        formatter.write_str(&said.join(", "))?;
        match condition {
            Some(condition) => write!(formatter, "; {condition}."),
            None => formatter.write_str("."),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.trouble)?;
        let list =
            |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if !self.done.is_empty() {
            write!(formatter, "\n\nMade again with a new key: {}.", list(&self.done))?;
        }
        if !self.untouched.is_empty() {
            write!(
                formatter,
                "\n\nUntouched, with the key from before: {}.",
                list(&self.untouched)
            )?;
        }
        if let Some(platform) = self.root_replaced {
            write!(
                formatter,
                "\n\nThe secret {} holds the root credential that was given here; the one from before is in the cluster no more.",
                platform.root()
            )?;
        }
        Ok(())
    }
}
