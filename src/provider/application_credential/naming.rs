//! Names that only this provider makes, and what they say of a credential.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Makes names that nobody else makes: prefix, generation, and a mark that all generations of the resource
/// share. A credential with such a name is one of this resource, whatever the state says. Where it has access
/// rules, the name's end says which of them were made for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Naming(String);

/// Begins the names of what lives for one run only; expired ones with it are swept.
pub const RUN_PREFIX: &str = "rekey-ephemeral-";

/// Whether the provider made that name for a credential that lives for one run: anybody can begin a name so, only the
/// provider ends it so.
pub fn of_one_run(name: &str) -> bool {
    name.starts_with(RUN_PREFIX) && Naming::of(name).is_some()
}

/// No resource comes so far; a name with a larger number is somebody's joke, and would leave no number for the next one.
const MOST_GENERATIONS: u64 = 1_000_000_000;
/// What follows the number in the names of a generation that had to be issued again.
const AGAIN: [&str; 4] = ["b", "c", "d", "e"];
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 45 bits, unique among the credentials of one user.
const MARK_CHARACTERS: usize = 9;
/// What one character of the alphabet holds.
const BITS: usize = 5;
/// A prefix of 220 characters leaves this much. What is said of no more rules costs no more than that some are
/// left behind where a credential with over 20 of them is replaced.
const MOST_RULE_CHARACTERS: usize = 4;

impl Naming {
    /// A mark of its own for a resource that begins.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut random = [0; MARK_CHARACTERS];
        getrandom::fill(&mut random)?;
        Ok(Self(random.into_iter().map(character).collect()))
    }

    /// The mark in a name that some resource's naming has made; None for other names.
    pub fn of(name: &str) -> Option<Self> {
        let (_, end) = name.rsplit_once('-')?;
        let mark = end.get(..MARK_CHARACTERS)?;
        let naming = Self(mark.to_owned());
        naming.generation(name).map(|_| naming)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a generation: `ci-4-k3j9x2abcd`, and a few characters more where rules were made for it.
    pub fn name(&self, prefix: &str, generation: u64, made_rules: &[bool]) -> String {
        self.with(prefix, generation, "", made_rules)
    }

    /// Another name of the same generation, where one has been given away already: `ci-4b-k3j9x2abcd`. None after
    /// so many that something else must be wrong.
    pub fn other_name(
        &self,
        prefix: &str,
        generation: u64,
        tried: usize,
        made_rules: &[bool],
    ) -> Option<String> {
        let again = tried.checked_sub(1).map_or(Some(""), |tried| AGAIN.get(tried).copied())?;
        Some(self.with(prefix, generation, again, made_rules))
    }

    fn with(&self, prefix: &str, generation: u64, again: &str, made_rules: &[bool]) -> String {
        // The number must have a beginning.
        let gap = if prefix.ends_with(|c: char| c.is_ascii_digit()) { "-" } else { "" };
        let check = self.check(generation);
        format!("{prefix}{gap}{generation}{again}-{}{check}{}", self.0, written(made_rules))
    }

    /// Which of its access rules were made for the credential of that name, in the order of `rules::sort`;
    /// without an end for those that were not, and for all of a name that is not ours.
    pub fn made_rules(name: &str) -> Vec<bool> {
        let ours = Self::of(name).and_then(|_| name.rsplit_once('-'));
        let end = ours.and_then(|(_, end)| end.get(MARK_CHARACTERS + 1..)).unwrap_or_default();
        end.bytes()
            .filter_map(|byte| ALPHABET.iter().position(|character| *character == byte))
            .flat_map(|bits| (0..BITS).map(move |bit| bits >> bit & 1 == 1))
            .collect()
    }

    /// Which generation of this resource a name belongs to, whatever its prefix; None for others.
    pub fn generation(&self, name: &str) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let (front, end) = name.rsplit_once('-')?;
        let check = end.strip_prefix(&self.0)?;
        let front = AGAIN.iter().find_map(|again| front.strip_suffix(again)).unwrap_or(front);
        let digits = front.len() - front.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let generation = front[front.len() - digits..].parse().ok()?;
        if generation > MOST_GENERATIONS {
            return None;
        }
        let mut check = check.bytes();
        let ours = check.next().map(char::from) == Some(self.check(generation))
            && check.all(|byte| ALPHABET.contains(&byte));
        ours.then_some(generation)
    }

    /// Tells a name of ours from one that only looks like it.
    fn check(&self, generation: u64) -> char {
        let digest = Sha256::new().chain_update(&self.0).chain_update(generation.to_be_bytes());
        character(digest.finalize()[0])
    }
}

/// Which rules were made, five to a character, as far as a name has room.
fn written(made: &[bool]) -> String {
    if !made.contains(&true) {
        return String::new();
    }
    let bits = |made: &[bool]| {
        made.iter().enumerate().fold(0_u8, |bits, (bit, made)| bits | u8::from(*made) << bit)
    };
    made.chunks(BITS).take(MOST_RULE_CHARACTERS).map(|made| character(bits(made))).collect()
}

fn character(byte: u8) -> char {
    char::from(ALPHABET[usize::from(byte % 32)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_recognised_whatever_its_prefix(
            prefix in "[a-zA-Z0-9 _.-]{1,40}",
            generation in 1_u64..100_000,
            made in proptest::collection::vec(any::<bool>(), 0..30),
        ) {
            let naming = Naming::new().unwrap();
            let name = naming.name(&prefix, generation, &made);
            prop_assert_eq!(naming.generation(&name), Some(generation));
            prop_assert!(name.len() <= prefix.len() + 24);
            for tried in 1..=AGAIN.len() {
                let other = naming.other_name(&prefix, generation, tried, &made).unwrap();
                prop_assert_eq!(naming.generation(&other), Some(generation));
                prop_assert!(other != name && Naming::of(&other) == Some(naming.clone()));
            }
            prop_assert_eq!(naming.other_name(&prefix, generation, AGAIN.len() + 1, &made), None);
            let said = Naming::made_rules(&name);
            for (rule, made) in made.iter().enumerate().take(BITS * MOST_RULE_CHARACTERS) {
                prop_assert_eq!(said.get(rule).copied().unwrap_or(false), *made);
            }
            prop_assert!(name.starts_with(&prefix));
            let other = Naming::new().unwrap();
            prop_assert_eq!(other.generation(&name), None);
            prop_assert_eq!(Naming::of(&name), Some(naming));
        }

        #[test]
        fn foreign_names_are_nobodys(name in ".{0,60}") {
            prop_assert_eq!(Naming::new().unwrap().generation(&name), None);
        }
    }

    #[test]
    fn a_number_that_nobody_reaches_is_nobodys() {
        let naming = Naming::new().unwrap();
        assert!(naming.generation(&naming.name("ci-", MOST_GENERATIONS, &[])).is_some());
        assert_eq!(naming.generation(&naming.name("ci-", u64::MAX, &[])), None);
    }

    #[test]
    fn a_name_of_one_run_has_a_mark() {
        let name = Naming::new().unwrap().name(RUN_PREFIX, 1, &[]);
        assert!(of_one_run(&name));
        assert!(!of_one_run("rekey-ephemeral-by-hand"));
        assert!(!of_one_run(&Naming::new().unwrap().name("ci-", 1, &[])));
    }

    #[test]
    fn without_a_mark_no_name_is_ours() {
        assert_eq!(Naming::default().generation("ci-1-aaaaaaaaaa"), None);
    }
}
