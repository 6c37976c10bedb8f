//! A text as it would read with its escapes undone, and where each byte of that stands in the text. So a
//! secret is found in whatever way its characters were escaped, also partly, and also twice.

use zeroize::Zeroizing;

/// Bytes, and for each the place in the text where what stands for it begins. One place more, for the end.
pub(super) struct View {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    places: Vec<usize>,
}

/// The text as it is, and with up to two layers of escapes undone. Mostly there are none.
pub(super) fn of(text: &str) -> Vec<View> {
    let plain = View {
        bytes: Zeroizing::new(text.as_bytes().to_vec()),
        places: (0..=text.len()).collect(),
    };
    let once = plain.undone();
    let twice: Vec<_> = once.iter().flat_map(View::undone).collect();
    [vec![plain], once, twice].concat()
}

impl View {
    /// The place of the byte at `at`, in the text.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places[at]
    }

    /// One view for each kind of escape that there is.
    fn undone(&self) -> Vec<Self> {
        let has = |marks: &[u8]| self.bytes.iter().any(|byte| marks.contains(byte));
        let mut views = Vec::new();
        if has(b"\\") {
            views.push(self.by(backslash));
        }
        if has(b"%") {
            views.push(self.by(percent));
        }
        if has(b"+") {
            views.push(self.by(form));
        }
        if has(b"&") {
            views.push(self.by(entity));
        }
        views
    }

    /// Reads the bytes by a rule that says what the rest begins with: what it stands for, and how long it is.
    fn by(&self, rule: fn(&[u8]) -> Option<(Bytes, usize)>) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes.len()));
        let mut places = Vec::with_capacity(self.places.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let rest = &self.bytes[at..];
            let (stands_for, length) = rule(rest).unwrap_or((Bytes::one(rest[0]), 1));
            for byte in stands_for.as_slice() {
                bytes.push(*byte);
                places.push(self.places[at]);
            }
            at += length;
        }
        places.push(self.places[self.bytes.len()]);
        Self { bytes, places }
    }
}

impl Clone for View {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), places: self.places.clone() }
    }
}

/// What one escape stands for: a byte or a character.
struct Bytes([u8; 4], usize);

impl Bytes {
    fn one(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn char(c: char) -> Self {
        let mut bytes = [0; 4];
        let length = c.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }

    fn as_slice(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// JSON's, Python's, Rust's: `\n`, `\"`, `\/`, `\xe9`, `\u00e9`, `\u{e9}`, `\U000000e9`.
fn backslash(rest: &[u8]) -> Option<(Bytes, usize)> {
    let [b'\\', kind, after @ ..] = rest else { return None };
    let plain = |byte: u8| Some((Bytes::one(byte), 2));
    match kind {
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'\\' | b'"' | b'\'' | b'/' => plain(*kind),
        b'x' => Some((Bytes::one(u8::try_from(hex(after.get(..2)?)?).ok()?), 4)),
        b'u' if after.first() == Some(&b'{') => {
            let end = after.iter().take(10).position(|byte| *byte == b'}')?;
            Some((Bytes::char(char::from_u32(hex(after.get(1..end)?)?)?), 2 + end + 1))
        }
        b'u' => {
            let first = hex(after.get(..4)?)?;
            if let Some(c) = char::from_u32(first) {
                return Some((Bytes::char(c), 6));
            }
            let [b'\\', b'u', low @ ..] = after.get(4..)? else { return None };
            let low = hex(low.get(..4)?)?;
            let units = [u16::try_from(first).ok()?, u16::try_from(low).ok()?];
            let c = char::decode_utf16(units).next()?.ok()?;
            Some((Bytes::char(c), 12))
        }
        b'U' => Some((Bytes::char(char::from_u32(hex(after.get(..8)?)?)?), 10)),
        _ => None,
    }
}

/// An address's.
fn percent(rest: &[u8]) -> Option<(Bytes, usize)> {
    let [b'%', after @ ..] = rest else { return None };
    Some((Bytes::one(u8::try_from(hex(after.get(..2)?)?).ok()?), 3))
}

/// A form's: the same, and `+` for a blank.
fn form(rest: &[u8]) -> Option<(Bytes, usize)> {
    if rest.first() == Some(&b'+') { Some((Bytes::one(b' '), 1)) } else { percent(rest) }
}

/// A page's.
fn entity(rest: &[u8]) -> Option<(Bytes, usize)> {
    if rest.first() != Some(&b'&') {
        return None;
    }
    let end = rest.iter().take(12).position(|byte| *byte == b';')?;
    let c = match &rest[1..end] {
        b"amp" => '&',
        b"apos" => '\'',
        b"gt" => '>',
        b"lt" => '<',
        b"nbsp" => '\u{a0}',
        b"quot" => '"',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    };
    Some((Bytes::char(c), end + 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
