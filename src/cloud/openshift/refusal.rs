//! Why a rotation cannot be begun, and what to do instead. Judged from what was seen, before anything is touched.

use std::collections::BTreeMap;
use std::fmt;

use super::mapping::differences;
use super::mode::{Configured, Mode};
use super::name::Name;
use super::objects::{Condition, CredentialsRequest};
use super::platform::Platform;
use super::proof::foreign;
use super::root::NewRoot;
use super::situation::Situation;
use super::targets::targets;

/// What is wanted of a cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'w> {
    /// The platform and mode that are expected; None: whatever is found.
    pub platform: Option<Platform>,
    pub route: Option<Route>,
    /// None: the root credential that is there is to be used.
    pub new_root: Option<&'w NewRoot>,
    /// A root credential is given, be it that it is not known yet.
    pub gives_root: bool,
    /// Whether the root secret is to be removed at the end; None: not said.
    pub remove_root_after: Option<bool>,
}

impl Wish<'_> {
    fn gives(&self) -> bool {
        self.gives_root || self.new_root.is_some()
    }
}

/// How components get their credentials.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Each secret is deleted and made again with a new key.
    Mint,
    /// The operator copies the root credential.
    Passthrough,
}

/// See the module.
#[derive(Clone, Debug)]
pub enum Refusal {
    Conflict {
        mode: String,
    },
    /// A request fails, and a new root credential would not change that.
    Failing {
        request: String,
        secret: String,
        condition: Condition,
    },
    Foreign {
        request: String,
        secret: Name,
        why: String,
    },
    Manual,
    ManualShortTerm {
        issuer: String,
    },
    /// Mint mode on a platform where the operator cannot mint.
    MintImpossible {
        platform: Platform,
    },
    /// It was minted before the mode was changed: root changes do not reach it.
    Minted {
        request: String,
        secret: Name,
        user: String,
    },
    /// The operator is there and does not run.
    NoOperator {
        why: String,
    },
    NoOperatorConfig,
    /// The root secret is missing, and cannot or may not be put back.
    NoRoot {
        platform: Platform,
        minted: bool,
    },
    OtherMode {
        expected: Route,
        found: Mode,
    },
    OtherPlatform {
        expected: Platform,
        found: String,
    },
    Reference {
        request: String,
        why: String,
    },
    RemovesCopiedRoot,
    Shared {
        secret: Name,
        requests: Vec<String>,
    },
    Unjudged {
        platform: Platform,
        annotation: Option<String>,
    },
    /// The operator found the root credential insufficient, and no other one is given.
    Insufficient {
        platform: Platform,
    },
    Unsupported {
        platform: String,
    },
    /// The new root credential is not whole.
    Unusable {
        complaint: String,
    },
}

impl Route {
    pub fn name(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::Passthrough => "passthrough",
        }
    }

    /// The way that a rotation would take now; None where there is none.
    pub fn of(situation: &Situation, new_root: bool) -> Option<Self> {
        let platform = situation.platform?;
        match Mode::of(situation) {
            Mode::Mint => Some(Self::Mint),
            Mode::MintRootRemoved => new_root.then_some(Self::Mint),
            // A root credential that cannot mint turned the operator: what it minted stays as it is, and a better one turns
            // it back.
            Mode::Passthrough
                if new_root
                    && Configured::of(situation) == Configured::Default
                    && holds_minted(situation, platform) =>
            {
                Some(Self::Mint)
            }
            Mode::Passthrough => Some(Self::Passthrough),
            Mode::Insufficient if !new_root => None,
            Mode::Insufficient | Mode::Unknown => match Configured::of(situation) {
                Configured::Mint if platform.can_mint() => Some(Self::Mint),
                Configured::Passthrough => Some(Self::Passthrough),
                _ if !platform.can_mint() => Some(Self::Passthrough),
                // What the better root credential will be good for is seen by what the former one was.
                _ if Mode::of(situation) == Mode::Insufficient => {
                    let minted =
                        situation.requests.iter().any(|request| request.minted().is_some());
                    Some(if minted { Self::Mint } else { Self::Passthrough })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// All of them, the most fundamental first; empty: it may be begun.
pub fn refusals(situation: &Situation, wish: &Wish<'_>) -> Vec<Refusal> {
    if let Some(refusal) = fundamental(situation, wish) {
        return vec![refusal];
    }
    let (Some(platform), Some(route)) = (situation.platform, Route::of(situation, wish.gives()))
    else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let Some(new) = wish.new_root {
        let complaints = new.complaints(situation.root.as_ref());
        all.extend(complaints.into_iter().map(|complaint| Refusal::Unusable { complaint }));
    }
    all.extend(of_requests(situation, platform, route, wish.gives()));
    all
}

/// What makes all the rest idle talk.
fn fundamental(situation: &Situation, wish: &Wish<'_>) -> Option<Refusal> {
    let found = situation.infrastructure.platform().to_owned();
    let Some(platform) = situation.platform else {
        return Some(Refusal::Unsupported { platform: found });
    };
    let expected = wish.platform.or(wish.new_root.map(NewRoot::platform));
    if let Some(expected) = expected.filter(|expected| *expected != platform) {
        return Some(Refusal::OtherPlatform { expected, found });
    }
    if situation.operator_mode.is_none() {
        return Some(Refusal::NoOperatorConfig);
    }
    if let Some(deployment) = &situation.operator
        && !deployment.is("Available")
    {
        let why = deployment.condition("Available").map(ToString::to_string);
        return Some(Refusal::NoOperator { why: why.unwrap_or_else(|| "not known".to_owned()) });
    }
    let configured = Configured::of(situation);
    let mode = Mode::of(situation);
    let annotation = || super::mode::annotation(situation).map(str::to_owned);
    let refusal = match mode {
        Mode::Conflict => {
            Refusal::Conflict { mode: situation.operator_mode.clone().unwrap_or_default() }
        }
        Mode::ManualLongTerm => Refusal::Manual,
        Mode::ManualShortTerm => Refusal::ManualShortTerm { issuer: situation.issuer.clone() },
        _ if configured == Configured::Mint
            && matches!(platform, Platform::Azure | Platform::Vsphere) =>
        {
            Refusal::MintImpossible { platform }
        }
        Mode::PassthroughRootRemoved => Refusal::NoRoot { platform, minted: false },
        Mode::MintRootRemoved if !wish.gives() || wish.remove_root_after.is_none() => {
            Refusal::NoRoot { platform, minted: true }
        }
        _ => match Route::of(situation, wish.gives()) {
            None if mode == Mode::Insufficient => Refusal::Insufficient { platform },
            None => Refusal::Unjudged { platform, annotation: annotation() },
            Some(route) if wish.route.is_some_and(|expected| expected != route) => {
                Refusal::OtherMode { expected: wish.route?, found: mode }
            }
            Some(Route::Passthrough) if wish.remove_root_after == Some(true) => {
                Refusal::RemovesCopiedRoot
            }
            Some(_) => return None,
        },
    };
    Some(refusal)
}

fn of_requests(
    situation: &Situation,
    platform: Platform,
    route: Route,
    new_root: bool,
) -> Vec<Refusal> {
    let mut all = Vec::new();
    let mut users: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    for target in targets(situation) {
        let request = target.request;
        let secret = match request.secret().and_then(|secret| request.name().map(|_| secret)) {
            Ok(secret) => secret,
            Err(why) => {
                all.push(Refusal::Reference { request: request.called(), why: why.to_string() });
                continue;
            }
        };
        users.entry(secret.clone()).or_default().push(request.called());
        if let Some(condition) = request.failure()
            && !(new_root && is_the_roots(condition))
        {
            all.push(Refusal::Failing {
                request: request.called(),
                secret: secret.to_string(),
                condition: condition.clone(),
            });
        }
        let Some(component) = situation.components.get(&secret) else { continue };
        if let Some(why) = foreign(situation, request, component) {
            all.push(Refusal::Foreign { request: request.called(), secret, why });
        } else if let (Route::Passthrough, Some(user), Some(root)) =
            (route, request.minted(), &situation.root)
            && !differences(platform, &root.data, &component.data).is_empty()
        {
            let user = user.to_owned();
            all.push(Refusal::Minted { request: request.called(), secret, user });
        }
    }
    let shared = users.into_iter().filter(|(_, requests)| requests.len() > 1);
    all.extend(shared.map(|(secret, requests)| Refusal::Shared { secret, requests }));
    // The second of two requests of one secret finds it another's: said once, by the sharing.
    let sharing: Vec<String> = all
        .iter()
        .filter_map(|refusal| match refusal {
            Refusal::Shared { requests, .. } => Some(requests.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    all.retain(
        |refusal| !matches!(refusal, Refusal::Foreign { request, .. } if sharing.contains(request)),
    );
    all
}

/// Whether a component has a credential of its own, not a copy of the root's.
fn holds_minted(situation: &Situation, platform: Platform) -> bool {
    let Some(root) = &situation.root else { return false };
    targets(situation).into_iter().any(|target| {
        let secret = target.secret().and_then(|secret| situation.components.get(&secret));
        target.request.minted().is_some()
            && secret
                .is_some_and(|secret| !differences(platform, &root.data, &secret.data).is_empty())
    })
}

/// Whether a failure is the root credential's, so that another one may end it.
pub fn is_the_roots(condition: &Condition) -> bool {
    const SIGNS: [&str; 7] = [
        "unable to fetch root cloud cred secret",
        "cannot proceed without cloud cred secret annotation",
        "mode annotation on admin credentials Secret",
        "root creds are not sufficient",
        "cloud root creds do not have enough permissions",
        "error syncing creds in mint-mode",
        "error determining whether a credentials update is needed",
    ];
    condition.kind == "InsufficientCloudCreds"
        || SIGNS.iter().any(|sign| condition.message.contains(sign))
}

/// The requests that fail now, each with its condition, for people.
pub fn failing(situation: &Situation) -> Vec<(&CredentialsRequest, &Condition)> {
    let all = targets(situation).into_iter();
    all.filter_map(|target| Some((target.request, target.request.failure()?))).collect()
}

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

#[cfg(test)]
mod tests;
