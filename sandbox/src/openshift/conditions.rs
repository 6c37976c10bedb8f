//! A `CredentialsRequest`'s conditions: added when they become true, kept with the status False afterwards.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::time::seconds;

/// What a `CredentialsRequest` can fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    DeprovisionFailure,
    InsufficientCloudCreds,
    MissingTargetNamespace,
    ProvisionFailure,
}

pub(super) const FAILURES: [Kind; 4] = [
    Kind::DeprovisionFailure,
    Kind::InsufficientCloudCreds,
    Kind::MissingTargetNamespace,
    Kind::ProvisionFailure,
];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::DeprovisionFailure => "CredentialsDeprovisionFailure",
            Self::InsufficientCloudCreds => "InsufficientCloudCreds",
            Self::MissingTargetNamespace => "MissingTargetNamespace",
            Self::ProvisionFailure => "CredentialsProvisionFailure",
        }
    }

    /// Its reasons: True, False.
    fn reasons(self) -> (&'static str, &'static str) {
        match self {
            Self::DeprovisionFailure => {
                ("CloudCredDeprovisionFailure", "CloudCredDeprovisionSuccess")
            }
            Self::InsufficientCloudCreds => ("CloudCredsInsufficient", "CloudCredsSufficient"),
            Self::MissingTargetNamespace => ("NamespaceMissing", "NamespaceExists"),
            Self::ProvisionFailure => {
                ("CredentialsProvisionFailure", "CredentialsProvisionSuccess")
            }
        }
    }
}

/// It holds, for this reason.
pub(super) fn fails(status: &mut Value, kind: Kind, message: &str, now: Timestamp) {
    set(status, kind.name(), true, kind.reasons().0, message, now);
}

/// It does not hold; said only where it did.
pub(super) fn clears(status: &mut Value, kind: Kind, message: &str, now: Timestamp) {
    if is_true(find(status, kind.name())) {
        set(status, kind.name(), false, kind.reasons().1, message, now);
    }
}

/// It is for another platform: no failure counts any more.
pub(super) fn ignore(status: &mut Value, platform: &str, now: Timestamp) {
    let message = format!("CredentialsRequest is not for platform {platform}");
    set(status, "Ignored", true, "InfrastructureMismatch", &message, now);
    for kind in FAILURES {
        if find(status, kind.name()).is_object() {
            set(status, kind.name(), false, "InfrastructureMismatch", &message, now);
        }
    }
}

/// Since when any failure holds.
pub(super) fn failing_since(status: &Value) -> Option<&Value> {
    let failures = FAILURES.into_iter().map(|kind| find(status, kind.name()));
    failures.filter(|condition| is_true(condition)).map(|c| &c["lastTransitionTime"]).next()
}

/// What is the same is not written again, not even the time at which it was looked at.
fn set(status: &mut Value, name: &str, holds: bool, reason: &str, message: &str, now: Timestamp) {
    let holds = if holds { "True" } else { "False" };
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(all) = status["conditions"].as_array_mut() else { return };
    let now = seconds(now);
    let Some(known) = all.iter_mut().find(|condition| condition["type"] == name) else {
        all.push(json!({
            "type": name,
            "status": holds,
            "reason": reason,
            "message": message,
            "lastProbeTime": now,
            "lastTransitionTime": now,
        }));
        return;
    };
    if known["status"] == holds && known["reason"] == reason && known["message"] == message {
        return;
    }
    if known["status"] != holds {
        known["lastTransitionTime"] = json!(now);
    }
    known["lastProbeTime"] = json!(now);
    known["status"] = json!(holds);
    known["reason"] = json!(reason);
    known["message"] = json!(message);
}

fn find<'a>(status: &'a Value, name: &str) -> &'a Value {
    let all = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|condition| condition["type"] == name).unwrap_or(&Value::Null)
}

fn is_true(condition: &Value) -> bool {
    condition["status"] == "True"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_added_when_it_becomes_true_and_stays_as_false() {
        let at = |second| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second);
        let mut status = json!({});
        clears(&mut status, Kind::ProvisionFailure, "", at(0));
        assert_eq!(status, json!({}));
        fails(&mut status, Kind::ProvisionFailure, "no", at(1));
        let first = status.clone();
        fails(&mut status, Kind::ProvisionFailure, "no", at(2));
        assert_eq!(status, first);
        fails(&mut status, Kind::ProvisionFailure, "nein", at(3));
        assert_eq!(status["conditions"][0]["lastTransitionTime"], "1970-01-01T00:00:01Z");
        assert_eq!(status["conditions"][0]["lastProbeTime"], "1970-01-01T00:00:03Z");
        assert!(failing_since(&status).is_some());
        clears(&mut status, Kind::ProvisionFailure, "yes", at(4));
        assert_eq!(status["conditions"][0]["reason"], "CredentialsProvisionSuccess");
        assert!(failing_since(&status).is_none());
    }
}
