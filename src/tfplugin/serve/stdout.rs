//! The only writer to stdout, which belongs to the handshake: a host reads its first line as that.

use std::io::{self, Write as _};

/// Writes whole lines, at once.
pub(super) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
