//! YAML and JSON as a tree in which every scalar keeps the text it was written in.
//!
//! A typed reading would turn a project id such as `12e34` into a number and back into another
//! text, and a password `yes` into `true`. What is a truth is for the reader of the key to say.
//! Kubernetes' tools read typed: for them there is [`Node::into_json`].

mod json;

use std::collections::BTreeMap;
use std::ops::Deref;

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use zeroize::Zeroizing;

/// A value. Has no `Debug`: it may be a secret. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::cloud) enum Node {
    List(Vec<Node>),
    Map(Map),
    Null,
    Text(Text),
}

/// A scalar as it was written. Wiped when dropped.
#[derive(Clone)]
pub(in crate::cloud) struct Text {
    text: Zeroizing<String>,
    /// Without quotes: what a typed reader may take for a number or a truth.
    plain: bool,
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

pub(in crate::cloud) type Map = BTreeMap<String, Node>;

impl Node {
    /// A scalar.
    pub(in crate::cloud) fn of(text: impl Into<String>) -> Self {
        Self::Text(Text { text: Zeroizing::new(text.into()), plain: false })
    }

    /// A scalar's text; None for null, lists and maps.
    pub(in crate::cloud) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) | Self::Null => None,
        }
    }

    pub(in crate::cloud) fn map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// Why a text cannot be read; quotes nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cloud) struct Malformed {
    /// From 1; where it was noticed.
    pub line: usize,
    pub why: String,
}

/// The first document; an error says where it is wrong, without quoting it. One with tags that somebody else resolves
/// (`!vault`) is wrong: what stands there is not the value.
pub(in crate::cloud) fn parse_yaml(text: &str) -> Result<Node, String> {
    let first = Documents { refuses_tags: true, ..Documents::of(text) }.next();
    first.unwrap_or(Ok(Node::Null)).map_err(|malformed| malformed.why)
}

/// The documents of a text, until one cannot be read.
pub(in crate::cloud) struct Documents<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    builder: Builder,
    refuses_tags: bool,
}

impl<'a> Documents<'a> {
    pub(in crate::cloud) fn of(text: &'a str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            builder: Builder::default(),
            refuses_tags: false,
        }
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Node, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (event, place) = match self.parser.next()? {
                Ok(step) => step,
                Err(error) => {
                    let (line, column) = (error.marker().line(), error.marker().col() + 1);
                    let why = format!("it is not YAML (line {line}, column {column})");
                    return Some(Err(Malformed { line, why }));
                }
            };
            if self.refuses_tags && tag(&event).is_some_and(means_nothing) {
                let line = place.start.line();
                // not quoted: a password may begin with that character
                let why = format!(
                    "it has a tag near line {line}, a word that begins with !, which means nothing here: quote a text \
                     that begins so, and write out what another program would fill in (!vault, !ENV)"
                );
                return Some(Err(Malformed { line, why }));
            }
            match self.builder.take(event) {
                Ok(true) => {
                    let builder = std::mem::take(&mut self.builder);
                    return Some(Ok(builder.root.unwrap_or(Node::Null)));
                }
                Ok(false) => {}
                Err(why) => {
                    return Some(Err(Malformed { line: place.start.line(), why }));
                }
            }
        }
    }
}

fn tag<'e>(event: &'e Event<'_>) -> Option<&'e Tag> {
    match event {
        Event::Scalar(.., tag) | Event::SequenceStart(.., tag) | Event::MappingStart(.., tag) => {
            tag.as_deref()
        }
        _ => None,
    }
}

/// Whether a tag says of a value that it is not what stands there.
fn means_nothing(tag: &Tag) -> bool {
    tag.is_custom() && !is_text(tag) && !(is_yaml(tag) && tag.suffix() == "timestamp")
}

/// `!!str`, or a lone `!`, which says the same.
fn is_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema_tag("str")
        || matches!((tag.handle(), tag.suffix()), ("!", "") | ("", "!"))
}

fn is_yaml(tag: &Tag) -> bool {
    tag.handle() == "tag:yaml.org,2002:"
}

pub(in crate::cloud) fn parse_json(text: &str) -> Result<Node, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        format!("it is not JSON (line {}, column {})", error.line(), error.column())
    })?;
    Ok(from_json(value))
}

fn from_json(value: serde_json::Value) -> Node {
    use serde_json::Value;
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::of(value.to_string()),
        Value::Number(number) => Node::of(number.to_string()),
        Value::String(text) => Node::of(text),
        Value::Array(items) => Node::List(items.into_iter().map(from_json).collect()),
        Value::Object(items) => {
            Node::Map(items.into_iter().map(|(key, item)| (key, from_json(item))).collect())
        }
    }
}

/// A tree in the making.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    /// Bytes of everything that was copied, by an anchor or an alias: a bound on trees that double at
    /// each step, and on anchors within anchors.
    copied: usize,
    root: Option<Node>,
}

struct Open {
    anchor: usize,
    key: Option<Node>,
    node: Node,
    /// `<<`: gives way to what is written here.
    merged: Vec<Node>,
}

impl Builder {
    /// True at the end of a document.
    fn take(&mut self, event: Event<'_>) -> Result<bool, String> {
        const DEEPEST: usize = 64;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain || tag.is_some_and(|tag| is_text(&tag));
                let node = if quoted { Node::of(text.into_owned()) } else { plain(&text) };
                self.add(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => self.push(Node::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, _) => self.push(Node::Map(Map::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(id) => {
                let size = self.anchors.get(&id).map_or(0, size);
                self.count(size)?;
                let node = self.anchors.get(&id).cloned().unwrap_or(Node::Null);
                self.add(node, 0)?;
            }
            Event::DocumentEnd => return Ok(true),
            _ => {}
        }
        if self.open.len() > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        Ok(false)
    }

    fn push(&mut self, node: Node, anchor: usize) {
        self.open.push(Open { anchor, key: None, node, merged: Vec::new() });
    }

    fn count(&mut self, bytes: usize) -> Result<(), String> {
        const MOST_COPIED: usize = 8 * 1024 * 1024;
        self.copied = self.copied.saturating_add(bytes);
        if self.copied > MOST_COPIED {
            return Err("its anchors and aliases add up to too much".to_owned());
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(Open { anchor, mut node, merged, .. }) = self.open.pop() else { return Ok(()) };
        if let Node::Map(map) = &mut node {
            // of several `<<` the last counts, within the list of one the first
            let sources = merged.into_iter().rev().flat_map(|source| match source {
                Node::List(items) => items,
                single => vec![single],
            });
            for source in sources {
                let Node::Map(items) = source else {
                    return Err("it merges (<<) something that is no mapping".to_owned());
                };
                for (key, item) in items {
                    map.entry(key).or_insert(item);
                }
            }
        }
        self.add(node, anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.count(size(&node))?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match (&mut open.node, open.key.take()) {
            (Node::List(items), _) => items.push(node),
            (Node::Map(_), None) => open.key = Some(node),
            (Node::Map(_), Some(Node::Text(key))) if key.plain && &*key == "<<" => {
                open.merged.push(node);
            }
            // the last of equal keys counts; a key that is a list or map is none of ours
            (Node::Map(map), Some(key)) => {
                if let Some(key) = key.text() {
                    map.insert(key.to_owned(), node);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn plain(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        _ => Node::Text(Text { text: Zeroizing::new(text.to_owned()), plain: true }),
    }
}

/// In bytes, about.
fn size(node: &Node) -> usize {
    const NODE: usize = size_of::<Node>();
    match node {
        Node::List(items) => NODE + items.iter().map(size).sum::<usize>(),
        Node::Map(items) => {
            NODE + items.iter().map(|(key, item)| NODE + key.len() + size(item)).sum::<usize>()
        }
        Node::Null => NODE,
        Node::Text(text) => NODE + text.len(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(node: &Node) -> String {
        match node {
            Node::List(items) => {
                format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" "))
            }
            Node::Map(map) => {
                let items: Vec<_> =
                    map.iter().map(|(key, node)| format!("{key}={}", show(node))).collect();
                format!("{{{}}}", items.join(" "))
            }
            Node::Null => "null".to_owned(),
            Node::Text(text) => text.to_string(),
        }
    }

    #[test]
    fn scalars_keep_their_text() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parse_yaml(text).map(|node| show(&node)), Ok(expected.to_owned()), "{text}");
        };
        check("a: 12e34", "{a=12e34}");
        check("a: 0123", "{a=0123}");
        check("a: 1.10", "{a=1.10}");
        check("a: yes", "{a=yes}");
        check("a: '~'", "{a=~}");
        check("a: ~", "{a=null}");
        check("a:", "{a=null}");
        check("a: ''", "{a=}");
        check("a: !!str null", "{a=null}");
        check("a: \"tab\\tü \\u00fc\"", "{a=tab\tü ü}");
        check("a: |\n  two\n  lines\n", "{a=two\nlines\n}");
        check("- {a: [b, c]} # comment\n- d", "[{a=[b c]} d]");
        check("a: 1\na: 2", "{a=2}");
        check("", "null");
        check("a: 1\n---\nb: 2", "{a=1}");
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        let text = "base: &base {x: 1, y: 2}\nmore: &more {z: 3, y: 9}\n\
                    one: {<<: *base, y: own}\ntwo: {<<: [*base, *more]}\nthree: *base\n";
        let Ok(Node::Map(map)) = parse_yaml(text) else { panic!() };
        assert_eq!(show(&map["one"]), "{x=1 y=own}");
        assert_eq!(show(&map["two"]), "{x=1 y=2 z=3}");
        assert_eq!(show(&map["three"]), "{x=1 y=2}");
    }

    #[test]
    fn of_several_merges_the_last_counts_and_only_mappings_are_merged() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let read = parse_yaml(text).map(|node| show(&node));
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{text}");
        };
        let base = "- &one {x: 1, y: 1}\n- &two {x: 2, z: 2}\n- &text t\n";
        let with = |last: &str| format!("{base}- {last}\n");
        let seen = |last: &str| format!("[{{x=1 y=1}} {{x=2 z=2}} t {last}]");
        check(&with("{<<: *one, <<: *two}"), Ok(&seen("{x=2 y=1 z=2}")));
        check(&with("{<<: [*one, *two]}"), Ok(&seen("{x=1 y=1 z=2}")));
        check(&with("{'<<': *one}"), Ok(&seen("{<<={x=1 y=1}}")));
        for no_mapping in ["*text", "5", "", "[*one, 5]"] {
            let text = with(&format!("{{<<: {no_mapping}}}"));
            check(&text, Err("it merges (<<) something that is no mapping"));
        }
    }

    #[test]
    fn what_another_program_would_fill_in_is_not_taken_for_the_value() {
        for value in [
            "!vault |\n  $ANSIBLE_VAULT;1.1\n",
            "!ENV PW",
            "!hunter2",
            "!!binary aHVudGVyMg==",
            "!a [b]",
        ] {
            let error = parse_yaml(&format!("a: b\nc: {value}")).err().unwrap();
            assert!(error.starts_with("it has a tag near line "), "{value}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let known = "{a: !!str 12, b: ! 12, c: !!int '5', d: !!map {}, e: !!timestamp 2026-01-01}";
        assert_eq!(
            parse_yaml(known).map(|node| show(&node)),
            Ok("{a=12 b=12 c=5 d={} e=2026-01-01}".to_owned())
        );
    }

    #[test]
    fn bombs_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            text = format!("{text}a{level}: &a{level} [{below}*a{}]\n", level - 1);
        }
        let complaint = Some("its anchors and aliases add up to too much");
        assert_eq!(parse_yaml(&text).err().as_deref(), complaint);
        // nothing refers to these anchors: keeping them would be enough
        let anchors: Vec<String> = (0..60).map(|level| format!("&a{level} [")).collect();
        let anchors = anchors.concat();
        let nested = format!("{anchors}{}{}", "x".repeat(2_000_000), "]".repeat(60));
        assert_eq!(parse_yaml(&nested).err().as_deref(), complaint);
        let deep = "[".repeat(100);
        assert!(parse_yaml(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a&*<:\\[\\]{}'\"|>#!%~, \\n\\t0é]{0,80}") {
            let _ = parse_yaml(&text);
            let _ = parse_json(&text);
        }

        #[test]
        fn any_quoted_text_survives(text in "\\PC{0,40}") {
            let yaml = format!("a: {}", serde_json::to_string(&text).unwrap());
            let Ok(Node::Map(map)) = parse_yaml(&yaml) else { panic!("{yaml}") };
            prop_assert_eq!(map["a"].text(), Some(text.as_str()));
        }
    }
}
