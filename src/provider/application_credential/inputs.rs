//! What the configuration changes of what the current generation is; and what it only writes down.

use std::collections::BTreeSet;

use crate::provider::application_credential::model::{AccessRule, ApplicationCredential};
use crate::provider::application_credential::private::Private;
use crate::provider::arguments::{as_keystone_keeps_it, moment, period};
use crate::provider::schedule::{Arguments, Scheduled};
use crate::rotation::Change;
use crate::tfplugin::model::{Attr, Set};

/// The inputs of a generation, compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    pub changes: Vec<Change>,
    /// Inputs whose values are not known yet.
    pub unknown: Vec<&'static str>,
}

impl Scheduled for ApplicationCredential {
    fn arguments(&self) -> Arguments<'_> {
        Arguments {
            expires_in: Some(&self.expires_in),
            overlap: &self.overlap,
            renew_before: &self.renew_before,
            rotate: &self.rotate,
            rotation_period: &self.rotation_period,
            triggers: &self.triggers,
        }
    }
}

/// What the user wants. With `ignore_changes` core hands over the state's value in place of the configuration's: beside
/// the argument that it excludes it cannot have been written down, and is no wish.
pub fn wishes(config: &ApplicationCredential) -> ApplicationCredential {
    let mut wishes = config.clone();
    if config.name.is_known() && !config.name_prefix.is_null() {
        wishes.name = Attr::Null;
    }
    if config.expires_at.is_known() && !config.expires_in.is_null() {
        wishes.expires_at = Attr::Null;
    }
    wishes
}

/// Compares the configuration with what the state says of the current generation. While the resource is
/// newly imported, arguments that Keystone cannot tell and that the state does not hold are recorded.
pub fn compare(
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
) -> Inputs {
    let mut inputs = Inputs::default();
    let recorded = |was_null: bool| private.imported && was_null;

    match &config.name {
        Attr::Known(name) if prior.name.known() != Some(name) => inputs.changed("name"),
        Attr::Unknown => inputs.unknown("name"),
        Attr::Known(_) => {}
        Attr::Null if recorded(prior.name_prefix.is_null()) => {}
        Attr::Null => inputs.argument("name_prefix", &config.name_prefix, &prior.name_prefix),
    }
    match &config.description {
        Attr::Unknown => inputs.unknown("description"),
        wanted if text(wanted) != text(&prior.description) => inputs.changed("description"),
        _ => {}
    }
    roles(&mut inputs, prior, config, private);
    access_rules(&mut inputs, &prior.access_rules, &config.access_rules);
    match &config.unrestricted {
        Attr::Unknown => inputs.unknown("unrestricted"),
        wanted => {
            let flag = |attr: &Attr<bool>| attr.known().copied().unwrap_or(false);
            if flag(wanted) != flag(&prior.unrestricted) {
                inputs.changed("unrestricted");
            }
        }
    }
    expiry(&mut inputs, prior, config, private);
    if !recorded(prior.secret_wo_version.is_null()) {
        inputs.argument("secret_wo_version", &config.secret_wo_version, &prior.secret_wo_version);
    }
    let compared = config.triggers_since(prior, private.imported);
    inputs.changes.extend(compared.changes);
    if compared.unknown {
        inputs.unknown("triggers");
    }
    inputs
}

impl Inputs {
    fn changed(&mut self, argument: &'static str) {
        self.changes.push(Change::Argument(argument));
    }

    fn unknown(&mut self, argument: &'static str) {
        self.unknown.push(argument);
    }

    fn argument<T: PartialEq>(&mut self, name: &'static str, wanted: &Attr<T>, prior: &Attr<T>) {
        match wanted {
            Attr::Unknown => self.unknown(name),
            wanted if wanted != prior => self.changed(name),
            _ => {}
        }
    }
}

/// Null and the empty text are the same to Keystone's readers.
fn text(attr: &Attr<String>) -> &str {
    attr.known().map_or("", String::as_str)
}

fn expiry(
    inputs: &mut Inputs,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
) {
    match (&config.expires_at, &config.expires_in) {
        (Attr::Unknown, _) => inputs.unknown("expires_at"),
        (Attr::Known(_), _) => {
            let kept = |text| moment(text).map(as_keystone_keeps_it);
            if kept(&config.expires_at) != kept(&prior.expires_at) {
                inputs.changed("expires_at");
            }
        }
        (Attr::Null, Attr::Unknown) => inputs.unknown("expires_in"),
        (Attr::Null, Attr::Known(_)) => {
            let recorded = private.imported && prior.expires_in.is_null();
            if !recorded && period(&config.expires_in) != period(&prior.expires_in) {
                inputs.changed("expires_in");
            }
        }
        (Attr::Null, Attr::Null) => {
            if !prior.expires_in.is_null() {
                inputs.changed("expires_in");
            } else if private.fixed_expiry {
                inputs.changed("expires_at");
            }
        }
    }
}

fn roles(
    inputs: &mut Inputs,
    prior: &ApplicationCredential,
    config: &ApplicationCredential,
    private: &Private,
) {
    let wanted = match &config.roles {
        Attr::Unknown => return inputs.unknown("roles"),
        Attr::Null => None,
        Attr::Known(Set(roles)) if roles.iter().any(Attr::is_unknown) => {
            return inputs.unknown("roles");
        }
        Attr::Known(roles) => Some(names(roles, private)),
    };
    let held = prior.roles.known().map(|roles| names(roles, private));
    if wanted == held {
        return;
    }
    let same = match (&wanted, &prior.effective_roles) {
        // "All of the login's" can be written down, not taken back to: what it would give is not known.
        (Some(wanted), Attr::Known(Set(effective))) => {
            let effective: BTreeSet<String> = effective.iter().cloned().collect();
            with_implied(wanted) == effective || *wanted == effective
        }
        // An imported credential whose roles are not written down stays as it is.
        (None, _) => private.imported,
        _ => false,
    };
    if !same {
        inputs.changed("roles");
    }
}

/// Roles by name where the id is known from the current credential.
fn names(roles: &Set<Attr<String>>, private: &Private) -> BTreeSet<String> {
    let known = roles.0.iter().filter_map(Attr::known);
    known.map(|role| private.roles.get(role).unwrap_or(role).clone()).collect()
}

/// With the roles that Keystone's own defaults imply: `admin` > `manager` > `member` > `reader`.
/// Other implications cannot be seen by ordinary users; where a cloud has some, writing an implied role
/// down, or leaving it out, is a change like any other.
fn with_implied(roles: &BTreeSet<String>) -> BTreeSet<String> {
    const CHAIN: [&str; 4] = ["admin", "manager", "member", "reader"];
    let highest = CHAIN.iter().position(|role| roles.contains(*role));
    let implied = highest.map_or(&[][..], |position| &CHAIN[position..]);
    roles.iter().cloned().chain(implied.iter().map(ToString::to_string)).collect()
}

fn access_rules(
    inputs: &mut Inputs,
    prior: &Attr<Set<AccessRule>>,
    config: &Attr<Set<AccessRule>>,
) {
    let Attr::Unknown = config else {
        let rules = |attr: &Attr<Set<AccessRule>>| {
            attr.known().map(|set| set.0.clone()).unwrap_or_default()
        };
        let wanted = rules(config);
        let unknown = |rule: &AccessRule| {
            rule.method.is_unknown() || rule.path.is_unknown() || rule.service.is_unknown()
        };
        if wanted.iter().any(unknown) {
            inputs.unknown("access_rules");
        } else if Set(wanted) != Set(rules(prior)) {
            inputs.changed("access_rules");
        }
        return;
    };
    inputs.unknown("access_rules");
}
