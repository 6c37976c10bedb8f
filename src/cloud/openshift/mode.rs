//! In which mode the operator works: its own code's rules, not what its documentation says of them.

use std::fmt;

use super::objects::MODE;
use super::platform::Platform;
use super::situation::Situation;

/// How component secrets come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The operator's mode and the legacy config map contradict each other: it does nothing at all.
    Conflict,
    /// The operator has judged the root credential: neither to mint with nor to hand on.
    Insufficient,
    /// People write the component secrets.
    ManualLongTerm,
    /// Components log in with tokens that the cluster signs; there are no secrets to rotate.
    ManualShortTerm,
    /// Every component has a credential of its own, made by means of the root credential.
    Mint,
    /// The same, and the root credential has been removed since.
    MintRootRemoved,
    /// Every component has a copy of the root credential.
    Passthrough,
    /// The same, and the root secret is missing.
    PassthroughRootRemoved,
    /// The operator has not yet said what it makes of the root secret.
    Unknown,
    /// The operator does nothing on this platform.
    Unsupported,
}

/// What the operator's configuration comes to, before any secret is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configured {
    Conflict,
    /// By what the root credential can do.
    Default,
    Manual,
    Mint,
    Passthrough,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Insufficient => "insufficient",
            Self::ManualLongTerm => "manual_long_term",
            Self::ManualShortTerm => "manual_short_term",
            Self::Mint => "mint",
            Self::MintRootRemoved => "mint_root_removed",
            Self::Passthrough => "passthrough",
            Self::PassthroughRootRemoved => "passthrough_root_removed",
            Self::Unknown => "unknown",
            Self::Unsupported => "unsupported",
        }
    }

    pub fn of(situation: &Situation) -> Self {
        let configured = match Configured::of(situation) {
            Configured::Conflict => return Self::Conflict,
            Configured::Manual if situation.issuer.is_empty() => return Self::ManualLongTerm,
            Configured::Manual => return Self::ManualShortTerm,
            configured => configured,
        };
        let Some(platform) = situation.platform else { return Self::Unsupported };
        if situation.root.is_none() {
            let minted = match configured {
                Configured::Mint => platform.can_mint(),
                Configured::Passthrough => false,
                _ => platform.can_mint() && has_minted(situation),
            };
            return if minted { Self::MintRootRemoved } else { Self::PassthroughRootRemoved };
        }
        if platform == Platform::Openstack {
            return Self::Passthrough;
        }
        let annotation = annotation(situation).unwrap_or_default().to_ascii_lowercase();
        match (annotation.as_str(), configured) {
            ("insufficient", _) => Self::Insufficient,
            ("mint", Configured::Mint | Configured::Default) => Self::Mint,
            ("passthrough", Configured::Passthrough | Configured::Default) => Self::Passthrough,
            // Not judged since the configuration was changed.
            _ => Self::Unknown,
        }
    }

    /// Whether components get credentials of their own.
    pub fn mints(self) -> bool {
        matches!(self, Self::Mint | Self::MintRootRemoved)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Configured {
    pub fn of(situation: &Situation) -> Self {
        let spec = situation.operator_mode.as_deref().unwrap_or_default().to_ascii_lowercase();
        match (spec.as_str(), legacy_disabled(situation)) {
            ("manual", _) | ("", true) => Self::Manual,
            (_, true) => Self::Conflict,
            ("mint", false) => Self::Mint,
            ("passthrough", false) => Self::Passthrough,
            _ => Self::Default,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Default => "default",
            Self::Manual => "manual",
            Self::Mint => "mint",
            Self::Passthrough => "passthrough",
        }
    }
}

/// What the operator says of the root secret that was seen; None: nothing yet.
pub fn annotation(situation: &Situation) -> Option<&str> {
    situation.root.as_ref()?.metadata.annotation(MODE)
}

/// As Go's `ParseBool` reads it.
pub fn legacy_disabled(situation: &Situation) -> bool {
    let text = situation.legacy_disabled.as_deref().unwrap_or_default();
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

fn has_minted(situation: &Situation) -> bool {
    situation.requests.iter().any(|request| request.minted().is_some())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Cluster, cluster};
    use super::*;

    fn check(expected: Mode, cluster: &Cluster) {
        assert_eq!(Mode::of(&cluster.situation()), expected);
    }

    #[test]
    fn the_table_of_modes() {
        let aws = || cluster(Platform::Aws);
        check(Mode::Mint, &aws().annotated("mint"));
        check(Mode::Mint, &aws().annotated("Mint"));
        check(Mode::Passthrough, &aws().annotated("passthrough"));
        check(Mode::Insufficient, &aws().annotated("insufficient"));
        check(Mode::Insufficient, &aws().mode("Mint").annotated("insufficient"));
        check(Mode::Unknown, &aws().annotated(""));
        check(Mode::Unknown, &aws().annotated("degraded"));
        check(Mode::Mint, &aws().mode("Mint").annotated("mint"));
        check(Mode::Passthrough, &aws().mode("PASSTHROUGH").annotated("Passthrough"));
        // The annotation is from before the mode was changed.
        check(Mode::Unknown, &aws().mode("Mint").annotated("passthrough"));
        check(Mode::Unknown, &aws().mode("Passthrough").annotated("mint"));
    }

    #[test]
    fn manual_is_told_apart_by_the_issuer_alone() {
        let aws = || cluster(Platform::Aws).mode("Manual");
        check(Mode::ManualLongTerm, &aws());
        check(Mode::ManualShortTerm, &aws().issuer("https://example.com"));
        check(Mode::ManualLongTerm, &cluster(Platform::Aws).legacy("true"));
        check(Mode::ManualLongTerm, &aws().legacy("true"));
        check(
            Mode::Passthrough,
            &cluster(Platform::Aws).annotated("passthrough").issuer("https://x"),
        );
    }

    #[test]
    fn the_legacy_config_map_contradicts_all_other_modes() {
        for mode in ["Mint", "Passthrough", "mint"] {
            check(Mode::Conflict, &cluster(Platform::Openstack).mode(mode).legacy("1"));
        }
        for text in ["false", "0", "yes", ""] {
            check(
                Mode::Passthrough,
                &cluster(Platform::Openstack).mode("Passthrough").legacy(text),
            );
        }
    }

    #[test]
    fn a_missing_root_tells_by_what_was_minted_before() {
        let aws = || cluster(Platform::Aws).without_root();
        check(Mode::PassthroughRootRemoved, &aws());
        check(Mode::MintRootRemoved, &aws().minted());
        check(Mode::MintRootRemoved, &aws().mode("Mint"));
        check(Mode::PassthroughRootRemoved, &aws().minted().mode("Passthrough"));
        check(Mode::PassthroughRootRemoved, &cluster(Platform::Openstack).without_root());
    }

    #[test]
    fn openstack_copies_whatever_is_annotated() {
        for annotation in ["", "passthrough", "mint"] {
            check(Mode::Passthrough, &cluster(Platform::Openstack).annotated(annotation));
        }
        check(Mode::Unknown, &cluster(Platform::Vsphere).annotated(""));
        check(Mode::Passthrough, &cluster(Platform::Vsphere).annotated("passthrough"));
        check(Mode::Unsupported, &cluster(Platform::Aws).on("BareMetal"));
    }
}
