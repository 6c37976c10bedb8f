//! An application credential as Keystone lists it, the same in both data sources but for what may be asked by.

use jiff::Timestamp;

use crate::cloud::openstack::keystone::ApplicationCredential;
use crate::provider::application_credential::AccessRule;
use crate::provider::arguments::written;
use crate::tfplugin::model::{Attr, Model, Set};

/// A model with the attributes of a listed credential; `id`, `name` and `user_id` as they are given.
macro_rules! listed {
    ($(#[$about:meta])* $model:ident, id: $id:meta, name: $name:meta, user_id: $user:meta) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, Model)]
        pub struct $model {
            /// The requests that it may make; empty when every one that its roles allow.
            #[attr(computed)]
            pub access_rules: Attr<Set<AccessRule>>,
            /// Whole days until it expires; negative when it has, null when it never does.
            #[attr(computed)]
            pub days_left: Attr<i64>,
            /// What it is for.
            #[attr(computed)]
            pub description: Attr<String>,
            /// When it expires; null when it never does.
            #[attr(computed)]
            pub expires_at: Attr<String>,
            /// Its id.
            #[$id]
            pub id: Attr<String>,
            /// Its name.
            #[$name]
            pub name: Attr<String>,
            /// The project that it gives access to.
            #[attr(computed)]
            pub project_id: Attr<String>,
            /// The names of its roles.
            #[attr(computed)]
            pub roles: Attr<Set<String>>,
            /// Whether it may make and delete other application credentials.
            #[attr(computed)]
            pub unrestricted: Attr<bool>,
            /// Its owner; where it may be given, the default is the login's own user.
            #[$user]
            pub user_id: Attr<String>,
        }

        impl $model {
            /// What Keystone lists, seen at `now`.
            pub fn at(listed: &ApplicationCredential, now: Timestamp) -> Self {
                let rules = listed.access_rules.iter().map(AccessRule::from).collect();
                let roles = listed.roles.iter().map(|role| role.name.clone()).collect();
                Self {
                    access_rules: Attr::Known(rules),
                    days_left: listed.expires_at.map(|expiry| days(expiry, now)).into(),
                    description: listed.description.clone().into(),
                    expires_at: listed.expires_at.map(written).into(),
                    id: Attr::Known(listed.id.clone()),
                    name: Attr::Known(listed.name.clone()),
                    project_id: listed.project_id.clone().into(),
                    roles: Attr::Known(roles),
                    unrestricted: Attr::Known(listed.unrestricted),
                    user_id: Attr::Known(listed.user_id.clone()),
                }
            }
        }
    };
}

listed! {
    /// An application credential as Keystone lists it; never its secret.
    Credential,
    id: attr(computed),
    name: attr(computed),
    user_id: attr(computed)
}

listed! {
    /// One application credential, by its id or its name.
    One,
    id: attr(optional, computed, exactly_one_of("name")),
    name: attr(optional, computed),
    user_id: attr(optional, computed)
}

/// Whole days from `now` to the expiry.
fn days(expiry: Timestamp, now: Timestamp) -> i64 {
    (expiry.as_second() - now.as_second()).div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_negative_after_the_end() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(days(at(86_400), at(0)), 1);
        assert_eq!(days(at(86_399), at(0)), 0);
        assert_eq!(days(at(0), at(1)), -1);
    }
}
