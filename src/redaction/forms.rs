//! In which clothes a secret comes back. What escapes single characters (JSON, addresses, forms, pages,
//! programs) is undone in the text that is searched: see [`views`](super::views). What cannot be undone
//! where it stands, base64 amid other bytes, is looked for as it would look.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// A shorter piece of base64 may be anything.
const SHORTEST_PIECE: usize = 8;

/// The secret itself, and in base64 by itself and amid other bytes, as in `Basic`: where it begins within
/// three bytes decides how it looks, and its ends may be mixed with its neighbours.
pub(super) fn of(secret: &str) -> Vec<Zeroizing<String>> {
    let mut all = vec![Zeroizing::new(secret.to_owned())];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        all.push(Zeroizing::new(engine.encode(secret)));
        for (before, mixed) in [(0, 0), (1, 2), (2, 3)] {
            let mut bytes = Zeroizing::new(vec![0; before]);
            bytes.extend_from_slice(secret.as_bytes());
            let whole = Zeroizing::new(engine.encode(&*bytes));
            let own = whole.get(mixed..bytes.len() * 8 / 6).unwrap_or_default();
            if own.len() >= SHORTEST_PIECE {
                all.push(Zeroizing::new(own.to_owned()));
            }
        }
    }
    all
}
