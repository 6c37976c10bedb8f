//! clouds.yaml, secure.yaml and clouds-public.yaml: where they are looked for, and what they say
//! together. openstacksdk's search order; of each kind only the first file found counts.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::ConfigError;
use crate::cloud::Surroundings;
use crate::cloud::files::{LARGEST, read};
use crate::cloud::yaml::{Map, Node, parse_json, parse_yaml};
use crate::redaction;

/// What the files say.
pub(super) struct Files {
    /// By name, secure.yaml merged in, keys with underscores.
    pub(super) clouds: Map,
    /// The clouds.yaml that was found.
    pub(super) path: Option<PathBuf>,
    /// All places where one would have been found.
    pub(super) looked_in: Vec<PathBuf>,
    home: Option<PathBuf>,
    profiles: Profiles,
}

/// clouds-public.yaml.
struct Profiles {
    path: Option<PathBuf>,
    profiles: Map,
}

impl Files {
    pub(super) fn read(from: &Surroundings) -> Result<Self, ConfigError> {
        let directories = search_path(from);
        let found = |stem: &str, variable: &'static str| match chosen(variable, from) {
            Some(path) => named(&path, variable).map(Some),
            None => first(&directories, stem),
        };
        let (path, clouds) = found("clouds", "OS_CLIENT_CONFIG_FILE")?.unzip();
        let mut clouds = clouds.map(|node| section(node, "clouds")).unwrap_or_default();
        if let Some((_, secure)) = found("secure", "OS_CLIENT_SECURE_FILE")? {
            merge(&mut clouds, section(secure, "clouds"));
        }
        let (public, profiles) = first(&directories, "clouds-public")?.unzip();
        let profiles = profiles.map(|node| section(node, "public_clouds")).unwrap_or_default();
        let looked_in = directories.iter().map(|directory| directory.join("clouds.yaml")).collect();
        let home = from.home_dir.clone();
        Ok(Self { clouds, path, looked_in, home, profiles: Profiles { path: public, profiles } })
    }

    /// The clouds.yaml, as a user writes it: `~/.config/openstack/clouds.yaml`.
    pub(super) fn place(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        let home = self.home.as_deref().filter(|home| home.parent().is_some());
        Some(match home.and_then(|home| path.strip_prefix(home).ok()) {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        })
    }

    /// The names that `cloud` may take.
    pub(super) fn names(&self) -> Vec<&str> {
        self.clouds.keys().map(String::as_str).collect()
    }

    /// A profile of clouds-public.yaml.
    pub(super) fn profile(&self, name: &str) -> Option<&Map> {
        self.profiles.profiles.get(name)?.map()
    }

    /// Where a profile is expected.
    pub(super) fn profile_place(&self) -> String {
        match &self.profiles.path {
            Some(path) => path.display().to_string(),
            None => "a clouds-public.yaml beside clouds.yaml".to_owned(),
        }
    }

    /// What was found, for an error: the names in the file, or the places looked at.
    pub(super) fn describe(&self) -> String {
        match &self.path {
            Some(path) if self.clouds.is_empty() => format!("{} has no clouds", path.display()),
            Some(path) => format!("{} has: {}", path.display(), self.names().join(", ")),
            None => {
                let places: Vec<_> =
                    self.looked_in.iter().map(|path| path.display().to_string()).collect();
                format!("there is no clouds.yaml (looked for {})", places.join(", "))
            }
        }
    }
}

/// Deep: maps are merged, anything else is replaced.
pub(super) fn merge(into: &mut Map, from: Map) {
    for (key, node) in from {
        match (into.get_mut(&key), node) {
            (Some(Node::Map(old)), Node::Map(new)) => merge(old, new),
            (_, node) => {
                into.insert(key, node);
            }
        }
    }
}

/// The working directory, the user's, the system's.
fn search_path(from: &Surroundings) -> Vec<PathBuf> {
    let variable = |name: &str| from.environment.get(name).filter(|value| !value.is_empty());
    let mut path = vec![from.current_dir.clone()];
    let home = from.home_dir.as_deref();
    if let Some(xdg) = variable("XDG_CONFIG_HOME").filter(|path| path.starts_with('/')) {
        path.push(Path::new(xdg).join("openstack"));
    } else if let Some(home) = home.filter(|_| cfg!(target_os = "macos")) {
        path.push(home.join("Library/Application Support/openstack"));
    }
    // inside a snap HOME is the snap's own
    let real_home = variable("SNAP_REAL_HOME").map(PathBuf::from);
    if let Some(home) = real_home.as_deref().or(home) {
        path.push(home.join(".config/openstack"));
    }
    path.extend(from.system_dirs.iter().map(|directory| directory.join("openstack")));
    path.dedup();
    path
}

/// The file that a variable names.
fn chosen(variable: &str, from: &Surroundings) -> Option<PathBuf> {
    let path = from.environment.get(variable).filter(|path| !path.is_empty())?;
    Some(from.current_dir.join(path))
}

/// What a file says that a variable names. openstacksdk passes over one that is not there; another file
/// may know another cloud by the same name.
fn named(path: &Path, variable: &str) -> Result<(PathBuf, Node), ConfigError> {
    match content(path) {
        Ok(node) => Ok((path.to_owned(), node)),
        Err(Unusable::File(why)) => {
            let tilde = path.iter().any(|part| part == "~");
            let hint = if tilde {
                " (nobody has expanded its ~; a shell does, outside of quotes)"
            } else {
                ""
            };
            let path = path.display();
            Err(ConfigError::new(
                None,
                format!(
                    "{variable} names {path}, which cannot be used: {why}{hint}; correct or unset it"
                ),
            ))
        }
        Err(Unusable::Content(why)) => Err(unusable(path, &why)),
    }
}

/// The first file of that name that exists, with what it says. One that exists and cannot be used is
/// the one that counts all the same: openstacksdk goes on to the next one, but a login that is not the
/// one meant is worse than none.
fn first(directories: &[PathBuf], stem: &str) -> Result<Option<(PathBuf, Node)>, ConfigError> {
    let suffixes = ["yaml", "yml", "json"];
    let usual = directories.iter().flat_map(|directory| {
        suffixes.iter().map(move |suffix| directory.join(format!("{stem}.{suffix}")))
    });
    for path in usual {
        // not there; or in a folder that this user may not enter, which is as good
        if std::fs::metadata(&path).is_err() {
            continue;
        }
        return match content(&path) {
            Ok(node) => Ok(Some((path, node))),
            Err(Unusable::Content(why) | Unusable::File(why)) => Err(unusable(&path, &why)),
        };
    }
    Ok(None)
}

/// Why a file says nothing.
enum Unusable {
    Content(String),
    File(String),
}

fn unusable(path: &Path, why: &str) -> ConfigError {
    ConfigError::new(None, format!("{} cannot be used: {why}", path.display()))
}

fn content(path: &Path) -> Result<Node, Unusable> {
    let bytes = read(path, LARGEST).map_err(|error| Unusable::File(in_words(&error)))?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Unusable::Content("it is not UTF-8".to_owned()))?;
    // some editors begin a file so
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = path.extension().is_some_and(|extension| extension == "json");
    let parsed = if json { parse_json(text) } else { parse_yaml(text) };
    let node = parsed.and_then(normalised).map_err(Unusable::Content)?;
    if !matches!(node, Node::Map(_) | Node::Null) {
        return Err(Unusable::Content("it is not a mapping with a key clouds".to_owned()));
    }
    register_secrets(&node);
    Ok(node)
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => "it is not there".to_owned(),
        ErrorKind::PermissionDenied => {
            "it may not be read by this user: look at its owner and its mode".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Every secret of every cloud: one that is not logged in to may be quoted as well.
fn register_secrets(node: &Node) {
    match node {
        Node::Map(map) => {
            for (key, node) in map {
                match node.text() {
                    Some(text) if redaction::is_secret_name(key) => redaction::register(text),
                    _ => register_secrets(node),
                }
            }
        }
        Node::List(items) => items.iter().for_each(register_secrets),
        Node::Text(text) if text.contains("PRIVATE KEY-----") => redaction::register(text),
        Node::Null | Node::Text(_) => {}
    }
}

fn section(node: Node, key: &str) -> Map {
    let Node::Map(mut map) = node else { return Map::new() };
    match map.remove(key) {
        Some(Node::Map(section)) => section,
        _ => Map::new(),
    }
}

/// Below the names of clouds and profiles `-` and `_` are the same in keys. A key in both spellings is an error: which
/// one counts is a matter of their order, and nobody means that.
fn normalised(node: Node) -> Result<Node, String> {
    fn keys(node: Node, depth: usize) -> Result<Node, String> {
        Ok(match node {
            // 0: sections, 1: names, which stay as they are
            Node::Map(map) => {
                let mut all = Map::new();
                for (key, node) in map {
                    let plain = if depth == 1 { key } else { key.replace('-', "_") };
                    if all.contains_key(&plain) {
                        let hyphens = plain.replace('_', "-");
                        return Err(format!("{hyphens} and {plain} are the same key; keep one"));
                    }
                    all.insert(plain, keys(node, depth + 1)?);
                }
                Node::Map(all)
            }
            Node::List(items) => {
                let items = items.into_iter().map(|item| keys(item, depth + 1));
                Node::List(items.collect::<Result<_, _>>()?)
            }
            other => other,
        })
    }
    keys(node, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read_is_not_said_to_be_missing() {
        // by the error: the superuser, as whom tests often run, may read everything
        let words = in_words(&ErrorKind::PermissionDenied.into());
        assert!(words.contains("may not be read by this user"), "{words}");
    }
}
