//! Names for things: ids, request ids, token and secret text. Unique, not unguessable: everything
//! here lives on loopback and protects nothing.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A sequence of names; the same seed gives the same sequence.
#[derive(Debug)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) fn random() -> Self {
        Self::seeded(RandomState::new().build_hasher().finish())
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 32 hexadecimal digits, as Keystone's ids.
    pub(crate) fn hex(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    /// `req-` and a UUID.
    pub(crate) fn request_id(&mut self) -> String {
        format!("req-{}", self.uuid())
    }

    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex();
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// That many letters and digits of base 32, as in the ids of Oracle's cloud.
    pub(crate) fn base32(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        (0..length)
            .map(|_| char::from(ALPHABET[usize::from(self.next().to_be_bytes()[0] >> 3)]))
            .collect()
    }

    /// That many characters of the URL-safe base64 alphabet.
    pub(crate) fn url_safe(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length)
            .map(|_| char::from(ALPHABET[usize::from(self.next().to_be_bytes()[0] >> 2)]))
            .collect()
    }

    // SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_real_form_and_do_not_repeat() {
        let mut ids = Ids::seeded(7);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..10_000 {
            let id = ids.hex();
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(seen.insert(id));
        }
        assert_eq!(ids.request_id().len(), "req-".len() + 36);
        assert_eq!(ids.url_safe(86).len(), 86);
        assert_ne!(Ids::random().hex(), Ids::random().hex());
    }
}
