//! Makes visible what a terminal would act upon instead of showing it. A service, a plugin or a file
//! gives names and messages; none of them may move the cursor, ring the bell or turn the text around.

use std::fmt::Write as _;

/// `text` with such characters written out, as `\u{1b}`; None where there are none. Line ends and tabs
/// stay.
pub(super) fn escaped(text: &str) -> Option<String> {
    if !text.chars().any(acts) {
        return None;
    }
    let mut all = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            // Writing to a String cannot fail.
            c if acts(c) => drop(write!(all, "\\u{{{:x}}}", u32::from(c))),
            c => all.push(c),
        }
    }
    Some(all)
}

fn acts(c: char) -> bool {
    let turns = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    // tags, and what has no width: two names would look alike
    let hides = matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    turns || hides || c.is_control() && !matches!(c, '\n' | '\t')
}
