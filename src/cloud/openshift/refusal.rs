//! Why a rotation cannot be begun. Judged from what was seen, before anything is touched.

mod words;

use std::collections::BTreeMap;

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

#[cfg(test)]
mod tests;
