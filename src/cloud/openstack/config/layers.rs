//! The layers of one cloud's configuration, one over the other: profile, cloud, region.

use std::collections::BTreeMap;

use super::choose::Chosen;
use super::files::{Files, merge};
use super::{Caveat, ConfigError, Settings};
use crate::cloud::Surroundings;
use crate::cloud::yaml::{Map, Node};

/// Replaces, but for `auth`, which is merged.
pub(super) fn overlay_map(into: &mut Map, from: Map) {
    for (key, node) in from {
        match (into.get_mut(&key), node) {
            (Some(Node::Map(old)), Node::Map(new)) if key == "auth" => merge(old, new),
            (_, node) => {
                into.insert(key, node);
            }
        }
    }
}

pub(super) fn add_profile(
    own: &Map,
    chosen: &Chosen,
    settings: &Settings,
    files: &Files,
    top: &mut Map,
    warnings: &mut Vec<Caveat>,
) -> Result<(), ConfigError> {
    // `cloud` is the key's old name
    let name = own.get("profile").or_else(|| own.get("cloud")).and_then(Node::text);
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(()) };
    if let Some(profile) = files.profile(name) {
        overlay_map(top, profile.clone());
        return Ok(());
    }
    let whose = chosen.name().map_or("OS_PROFILE".to_owned(), |cloud| format!("cloud \"{cloud}\""));
    let place = files.profile_place();
    let inside =
        own.get("auth").and_then(Node::map).is_some_and(|auth| auth.contains_key("auth_url"));
    if inside || own.contains_key("auth_url") || settings.auth_url.is_some() {
        warnings.push(Caveat::ProfileNotUsed { profile: name.to_owned(), whose, place });
        return Ok(());
    }
    Err(ConfigError::new(
        Some("cloud"),
        format!(
            "{whose} has the profile \"{name}\", which is expected in {place} and is not there; \
             the profiles that openstacksdk ships and those behind an address are not known here: \
             write auth_url (and regions) into clouds.yaml instead"
        ),
    ))
}

/// Chooses one of the regions and lays its values over the cloud's.
pub(super) fn apply_region(
    top: &mut Map,
    chosen: &Chosen,
    settings: &Settings,
    from: &Surroundings,
) -> Result<(), ConfigError> {
    let regions = top.remove("regions");
    let mut known: Vec<(String, Map)> = Vec::new();
    match regions.or_else(|| top.get("region_name").cloned()) {
        Some(Node::List(items)) => {
            for item in items {
                known.push(region(item)?);
            }
        }
        Some(Node::Text(text)) => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            known.extend(names.map(|name| (name.to_owned(), Map::new())));
        }
        _ => {}
    }
    let explicit = settings.region_name.as_deref().filter(|name| !name.is_empty());
    // who chooses the cloud by a variable chooses its region by one too, as with the openstack
    // command; a cloud chosen explicitly has nothing to do with the variables
    let by_variable = from.environment.get("OS_REGION_NAME").map(String::as_str);
    let by_variable = by_variable.filter(|name| {
        !name.is_empty() && settings.cloud.is_none() && matches!(chosen, Chosen::Named(_))
    });
    let wanted = explicit.or(by_variable);
    let (name, values) = match wanted {
        None => match known.into_iter().next() {
            Some(first) => first,
            None => return Ok(()),
        },
        Some(wanted) if known.is_empty() || *chosen == Chosen::Environment => {
            (wanted.to_owned(), Map::new())
        }
        Some(wanted) => {
            let names: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
            let all = names.join(", ");
            let Some(at) = known.iter().position(|(name, _)| name == wanted) else {
                let message =
                    format!("the cloud has no region \"{wanted}\"; clouds.yaml gives it: {all}");
                return Err(ConfigError::new(Some("region_name"), message));
            };
            known.swap_remove(at)
        }
    };
    overlay_map(top, values.into_iter().filter(|(_, node)| *node != Node::Null).collect());
    top.insert("region_name".to_owned(), Node::of(name));
    Ok(())
}

fn region(item: Node) -> Result<(String, Map), ConfigError> {
    let complaint = || {
        let message = "each entry of regions must be a name, or a mapping of name and values";
        ConfigError::new(Some("region_name"), message)
    };
    match item {
        Node::Text(name) => Ok((name.to_string(), Map::new())),
        Node::Map(mut entry) => {
            let Some(Node::Text(name)) = entry.remove("name") else { return Err(complaint()) };
            match entry.remove("values") {
                Some(Node::Map(values)) => Ok((name.to_string(), values)),
                None | Some(Node::Null) => Ok((name.to_string(), Map::new())),
                Some(_) => Err(complaint()),
            }
        }
        _ => Err(complaint()),
    }
}

/// Python's `str.format` with names only; a name that is not known stays as it is.
pub(super) fn formatted(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        let brace = &rest[at..];
        let name = brace.strip_prefix('{').and_then(|inside| Some(inside.split_once('}')?.0));
        if brace.starts_with("{{") || brace.starts_with("}}") {
            result.push_str(&brace[..1]);
            rest = &brace[2..];
        } else if let Some((name, value)) = name.and_then(|name| Some((name, values.get(name)?))) {
            result.push_str(value);
            rest = &brace[name.len() + 2..];
        } else {
            result.push_str(&brace[..1]);
            rest = &brace[1..];
        }
    }
    result.push_str(rest);
    result
}
