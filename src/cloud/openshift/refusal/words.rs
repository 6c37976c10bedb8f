//! What a refusal says: in a few words, in whole sentences, and what to do instead.

use std::fmt;

use super::{Refusal, is_the_roots};

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { mode } => write!(
                formatter,
                "CloudCredential \"cluster\" says {mode}, and the legacy ConfigMap openshift-cloud-credential-operator/\
                 cloud-credential-operator-config says disabled: the operator does nothing at all until they agree."
            ),
            Self::Failing { request, secret, condition } => write!(
                formatter,
                "The CredentialsRequest {request}, for the secret {secret}, fails already: {condition}."
            ),
            Self::Foreign { request, secret, why } => write!(
                formatter,
                "The secret {secret} of the CredentialsRequest {request} is not one that the operator keeps: {why}. It would \
                 neither update it nor make it again."
            ),
            Self::Insufficient { platform } => write!(
                formatter,
                "The operator has found the root credential in {} insufficient: it can neither mint with it nor hand it on.",
                platform.root()
            ),
            Self::Manual => formatter.write_str(
                "The operator's mode is Manual, with long-term credentials: it writes no secret, people do.",
            ),
            Self::ManualShortTerm { issuer } => write!(
                formatter,
                "The operator's mode is Manual, and the cluster signs its components' tokens (issuer {issuer}): they end by \
                 themselves within the hour, and there is no root credential."
            ),
            Self::Minted { request, secret, user } => write!(
                formatter,
                "The CredentialsRequest {request} was minted a credential ({user}) before the mode was changed to passthrough: the \
                 operator leaves its secret {secret} alone, so no change of the root credential reaches it."
            ),
            Self::MintImpossible { platform } => write!(
                formatter,
                "CloudCredential \"cluster\" says Mint, and the operator cannot mint on {platform}: it hands on nothing as long as \
                 that stands there."
            ),
            Self::NoOperator { why } => write!(
                formatter,
                "The Deployment cloud-credential-operator is not available: {why}. A new root credential would reach no component."
            ),
            Self::NoOperatorConfig => formatter.write_str(
                "There is no CloudCredential \"cluster\": the operator does nothing without it.",
            ),
            Self::NoRoot { platform, minted: true } => write!(
                formatter,
                "The root credential has been removed from this cluster: there is no secret {}, and without it no component's \
                 credential can be made again.",
                platform.root()
            ),
            Self::NoRoot { platform, minted: false } => write!(
                formatter,
                "There is no secret {}: the operator has nothing to hand on.",
                platform.root()
            ),
            Self::OtherMode { expected, found } => write!(
                formatter,
                "The operator is in mode {found}, and mode = \"{}\" is expected.",
                expected.name()
            ),
            Self::OtherPlatform { expected, found } => write!(
                formatter,
                "The cluster runs on {found}, and a credential for {expected} is given."
            ),
            Self::Reference { request, why } => write!(
                formatter,
                "The CredentialsRequest {request} names a secret that cannot exist: {why}."
            ),
            Self::RemovesCopiedRoot => formatter.write_str(
                "The operator hands on copies of the root credential, so it needs the root secret all the time, and \
                 remove_root_after would remove it.",
            ),
            Self::Shared { secret, requests } => write!(
                formatter,
                "The secret {secret} is claimed by {} CredentialsRequests: {}. They take it from each other, and where credentials \
                 are minted each of them makes the other's key useless.",
                requests.len(),
                requests.join(", ")
            ),
            Self::Unjudged { platform, annotation } => write!(
                formatter,
                "The operator has not said what it makes of the root credential: the annotation cloudcredential.openshift.io/mode \
                 of {} is {}.",
                platform.root(),
                annotation.as_ref().map_or_else(|| "missing".to_owned(), |text| format!("{text:?}"))
            ),
            Self::Unsupported { platform } => write!(
                formatter,
                "The cluster runs on {platform:?}, where the Cloud Credential Operator has nothing to rotate: it serves AWS, Azure, GCP, \
                 OpenStack and vSphere."
            ),
            Self::Unusable { complaint } => write!(
                formatter,
                "The new root credential must not be written: {complaint}. The operator does not look at it and would spread it to \
                 every component."
            ),
        }
    }
}

impl Refusal {
    /// In a few words.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "The operator's mode is contradictory",
            Self::Failing { .. } => "A CredentialsRequest fails already",
            Self::Foreign { .. } => "A component's secret is not the operator's",
            Self::Insufficient { .. } => "The root credential is insufficient",
            Self::Manual | Self::ManualShortTerm { .. } => "The operator is in manual mode",
            Self::MintImpossible { .. } => "The operator cannot mint here",
            Self::Minted { .. } => "A component holds a credential that was minted",
            Self::NoOperator { .. } => "The operator does not run",
            Self::NoOperatorConfig => "The operator has no configuration",
            Self::NoRoot { .. } => "There is no root credential",
            Self::OtherMode { .. } => "The operator is in another mode",
            Self::OtherPlatform { .. } => "The cluster runs on another platform",
            Self::Reference { .. } => "A CredentialsRequest names no secret",
            Self::RemovesCopiedRoot => "The root credential cannot be removed",
            Self::Shared { .. } => "Two components share a secret",
            Self::Unjudged { .. } => "The operator has not judged the root credential",
            Self::Unsupported { .. } => "Nothing to rotate on this platform",
            Self::Unusable { .. } => "The new root credential cannot be used",
        }
    }

    /// What to do instead.
    pub fn advice(&self) -> String {
        match self {
            Self::Conflict { .. } => "Remove the ConfigMap's `disabled`, or set credentialsMode to Manual.".to_owned(),
            Self::Failing { condition, .. } if is_the_roots(condition) => {
                "It fails for the root credential's sake: give a new one here, and it is handed on to this component too.".to_owned()
            }
            Self::Failing { .. } => "Mend its cause first: with one component failing nobody could tell what the rotation did.".to_owned(),
            Self::Foreign { .. } => {
                "Put its annotation and label back, or delete it, so that the operator makes its own; then plan again.".to_owned()
            }
            Self::Insufficient { .. } => "Give a new root credential with the permissions that the mode needs.".to_owned(),
            Self::Manual => {
                "Make new credentials in the cloud and write each component's secret yourself, as for an installation: \
                 `ccoctl` or the cloud's own tools make them. rekey does not rotate what the operator does not keep."
                    .to_owned()
            }
            Self::ManualShortTerm { .. } => {
                "Nothing needs rotating here but the key that signs the tokens: that is `ccoctl`'s procedure for the bound service \
                 account signing key."
                    .to_owned()
            }
            Self::Minted { secret, .. } => format!(
                "If the operator is to mint again, give a root credential that may. If it is to hand on the root credential, delete \
                 the secret {secret} once (`oc delete secret`): the operator then writes it there, and later changes reach it. The \
                 minted credential stays in the cloud until you delete it there."
            ),
            Self::MintImpossible { .. } => "Set credentialsMode to \"\" or Passthrough.".to_owned(),
            Self::NoOperator { .. } => {
                "Look at that Deployment and its pods in openshift-cloud-credential-operator; then plan again.".to_owned()
            }
            Self::NoOperatorConfig => "Look at the cluster's Cloud Credential Operator: it is removed or was never installed.".to_owned(),
            Self::NoRoot { minted: true, .. } => {
                "Give the root credential here with remove_root_after = true, and it is put back for the rotation and removed \
                 again; or with remove_root_after = false, and it stays."
                    .to_owned()
            }
            Self::NoRoot { platform, .. } => format!("Put the secret {} back first.", platform.root()),
            Self::OtherMode { .. } => {
                "Look at what changed it: the operator's configuration, or what the root credential may do. To rotate in whatever \
                 mode is found set mode = \"auto\"."
                    .to_owned()
            }
            Self::OtherPlatform { .. } => "Is this the right cluster? The provider's kubernetes block leads to it.".to_owned(),
            Self::Reference { .. } => "Delete that CredentialsRequest, or correct its secretRef.".to_owned(),
            Self::RemovesCopiedRoot => "Leave remove_root_after out.".to_owned(),
            Self::Shared { .. } => "Give each CredentialsRequest a secret of its own.".to_owned(),
            Self::Unjudged { .. } => {
                "The operator says so within seconds of any change: is it running? Look at the Deployment cloud-credential-operator \
                 in openshift-cloud-credential-operator."
                    .to_owned()
            }
            Self::Unsupported { .. } => "Rotate the credentials as that platform's own documentation says.".to_owned(),
            Self::Unusable { .. } => "Give the whole credential.".to_owned(),
        }
    }
}
