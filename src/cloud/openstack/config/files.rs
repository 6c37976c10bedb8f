//! clouds.yaml, secure.yaml and clouds-public.yaml: where they are looked for, and what they say
//! together. openstacksdk's search order; of each kind only the first file found counts.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::ConfigError;
use super::yaml::{Map, Node, parse_json, parse_yaml};
use crate::cloud::Surroundings;

/// No configuration is larger, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What the files say.
pub(super) struct Files {
    /// By name, secure.yaml merged in, keys with underscores.
    pub(super) clouds: Map,
    /// The clouds.yaml that was found.
    pub(super) path: Option<PathBuf>,
    /// All places where one would have been found.
    pub(super) looked_in: Vec<PathBuf>,
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
        let chosen = |variable: &str| {
            let path = from.environment.get(variable).filter(|path| !path.is_empty());
            path.map(|path| from.current_dir.join(path))
        };
        let (path, clouds) =
            first(&directories, "clouds", chosen("OS_CLIENT_CONFIG_FILE"))?.unzip();
        let mut clouds = clouds.map(|node| section(node, "clouds")).unwrap_or_default();
        if let Some((_, secure)) = first(&directories, "secure", chosen("OS_CLIENT_SECURE_FILE"))? {
            merge(&mut clouds, section(secure, "clouds"));
        }
        let (public, profiles) = first(&directories, "clouds-public", None)?.unzip();
        let profiles = profiles.map(|node| section(node, "public_clouds")).unwrap_or_default();
        let looked_in = directories.iter().map(|directory| directory.join("clouds.yaml")).collect();
        Ok(Self { clouds, path, looked_in, profiles: Profiles { path: public, profiles } })
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

/// The first file of that name that exists and may be read, with what it says.
fn first(
    directories: &[PathBuf],
    stem: &str,
    chosen: Option<PathBuf>,
) -> Result<Option<(PathBuf, Node)>, ConfigError> {
    let suffixes = ["yaml", "yml", "json"];
    let usual = directories.iter().flat_map(|directory| {
        suffixes.iter().map(move |suffix| directory.join(format!("{stem}.{suffix}")))
    });
    for path in chosen.into_iter().chain(usual) {
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        let complain = |what: &str| ConfigError {
            message: format!("{} cannot be used: {what}", path.display()),
            setting: None,
        };
        if metadata.len() > LARGEST {
            return Err(complain("it is too large for a configuration"));
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => continue,
            Err(error) => return Err(complain(&error.to_string())),
        };
        let json = path.extension().is_some_and(|extension| extension == "json");
        let parsed = if json { parse_json(&text) } else { parse_yaml(&text) };
        // openstacksdk goes on to the next file; a login that is not the one meant is worse than
        // none
        let node = normalised(parsed.map_err(|why| complain(&why))?);
        if !matches!(node, Node::Map(_) | Node::Null) {
            return Err(complain("it is not a mapping with a key clouds"));
        }
        return Ok(Some((path, node)));
    }
    Ok(None)
}

fn section(node: Node, key: &str) -> Map {
    let Node::Map(mut map) = node else { return Map::new() };
    match map.remove(key) {
        Some(Node::Map(section)) => section,
        _ => Map::new(),
    }
}

/// Below the names of clouds and profiles `-` and `_` are the same in keys.
fn normalised(node: Node) -> Node {
    fn keys(node: Node, depth: usize) -> Node {
        match node {
            // 0: sections, 1: names, which stay as they are
            Node::Map(map) => Node::Map(
                map.into_iter()
                    .map(|(key, node)| {
                        let key = if depth == 1 { key } else { key.replace('-', "_") };
                        (key, keys(node, depth + 1))
                    })
                    .collect(),
            ),
            Node::List(items) => {
                Node::List(items.into_iter().map(|item| keys(item, depth + 1)).collect())
            }
            other => other,
        }
    }
    keys(node, 0)
}
