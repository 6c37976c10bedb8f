//! What the resource remembers and the user does not see, and the names that only it can make.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The resource's private data.
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Private {
    /// Imported or moved, and not updated since: what Keystone cannot tell is recorded, not acted on.
    pub adopted: bool,
    /// When it was imported or moved: where a schedule by age begins for a credential of unknown age.
    pub adopted_at: Option<Timestamp>,
    /// The current generation has been seen expired.
    pub current_expired: bool,
    /// The caller of the last Read may not delete the current generation.
    pub current_locked: bool,
    /// The expiry was configured as `expires_at`, so that taking it away is a change.
    pub fixed_expiry: bool,
    /// Makes the ends of the names.
    pub naming: Naming,
    /// Old generations, by number.
    pub previous: BTreeMap<u64, Retired>,
    /// The current credential once gave a token that carried its roles: its id.
    pub proven: Option<String>,
    /// Ids and names of the current credential's roles.
    pub roles: BTreeMap<String, String>,
    /// Access rules that were made for a credential, by its id; Keystone leaves them behind.
    pub rules: BTreeMap<String, Vec<String>>,
}

/// What is remembered of an old generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retired {
    pub at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The caller of the last Read may not delete it.
    #[serde(default)]
    pub locked: bool,
}

/// Makes names that nobody else makes: prefix, generation, and a tag that follows from a key in the state.
/// A credential with such a name is one of this resource, whatever the state says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Naming(String);

const TAG_CHARACTERS: usize = 10;

impl Naming {
    /// A key of its own for a resource that begins.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        Ok(Self(STANDARD_NO_PAD.encode(key)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a generation: `ci-4-k3j9x2abcd`.
    pub fn name(&self, prefix: &str, generation: u64) -> String {
        format!("{prefix}{generation}-{}", self.tag(generation))
    }

    /// Which generation of this resource a name belongs to, whatever its prefix; None for others.
    pub fn generation(&self, name: &str) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let (front, tag) = name.rsplit_once('-')?;
        let digits = front.len() - front.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        // A prefix may itself end in a digit, so each split is tried.
        (1..=digits.min(20))
            .filter_map(|length| front[front.len() - length..].parse().ok())
            .find(|generation| self.tag(*generation) == tag)
    }

    fn tag(&self, generation: u64) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else {
            unreachable!("HMAC takes a key of any length");
        };
        mac.update(&generation.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .take(TAG_CHARACTERS)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_recognised_whatever_its_prefix(prefix in "[a-zA-Z0-9 _.-]{1,40}", generation in 1_u64..100_000) {
            let naming = Naming::new().unwrap();
            let name = naming.name(&prefix, generation);
            prop_assert_eq!(naming.generation(&name), Some(generation));
            prop_assert!(name.len() <= prefix.len() + 20);
            let other = Naming::new().unwrap();
            prop_assert_eq!(other.generation(&name), None);
        }

        #[test]
        fn foreign_names_are_nobodys(name in ".{0,60}") {
            prop_assert_eq!(Naming::new().unwrap().generation(&name), None);
        }
    }

    #[test]
    fn without_a_key_no_name_is_ours() {
        assert_eq!(Naming::default().generation("ci-1-aaaaaaaaaa"), None);
    }
}
