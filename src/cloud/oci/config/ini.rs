//! The file `~/.oci/config`: sections of `key = value`, as Python's configparser reads them without
//! interpolation. Every section has what `[DEFAULT]` has and it does not say itself.

use std::collections::BTreeMap;

/// Profiles by name; keys in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

/// One profile's view of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    own: BTreeMap<String, String>,
    inherited: BTreeMap<String, String>,
}

impl File {
    /// Fails with the line that cannot be read, without its contents.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut file = Self::default();
        let mut current: Option<String> = None;
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let number = number + 1;
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                let name = name.0.to_owned();
                if file.sections.insert(name.clone(), BTreeMap::new()).is_some() {
                    return Err(format!("line {number}: there are two profiles [{name}]"));
                }
                current = Some(name);
                continue;
            }
            let Some(section) = current.as_ref().and_then(|name| file.sections.get_mut(name))
            else {
                return Err(format!("line {number} stands before the first profile"));
            };
            // What has no sign is passed over, as by Oracle's SDK for Go.
            let Some(at) = line.find(['=', ':']) else { continue };
            let (key, value) = (line[..at].trim().to_ascii_lowercase(), line[at + 1..].trim());
            if section.insert(key.clone(), value.to_owned()).is_some() {
                return Err(format!("line {number}: the profile says {key} twice"));
            }
        }
        Ok(file)
    }

    pub(super) fn profile(&self, name: &str) -> Option<Profile> {
        let inherited = self.sections.get(DEFAULT).cloned().unwrap_or_default();
        Some(Profile { own: self.sections.get(name)?.clone(), inherited })
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.sections.keys().map(String::as_str).collect()
    }
}

impl Profile {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.own(key).or_else(|| filled(&self.inherited, key))
    }

    /// What the profile says itself.
    pub(super) fn own(&self, key: &str) -> Option<&str> {
        filled(&self.own, key)
    }
}

pub(super) const DEFAULT: &str = "DEFAULT";

fn filled<'m>(map: &'m BTreeMap<String, String>, key: &str) -> Option<&'m str> {
    map.get(key).map(String::as_str).filter(|value| !value.is_empty())
}
