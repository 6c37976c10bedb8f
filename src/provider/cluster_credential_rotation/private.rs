//! What the resource remembers beside its attributes: one rotation in hand, and where a schedule began.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rotation::course::Sent;

/// The resource's private data. Terraform drops it with the process that dies in an update, while the attributes of
/// the last state stay: nothing that keeps a rotation from being made twice stands here alone, and that it is gone is
/// itself evidence ([`Private::died`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "upgrade::AnyVersion")]
pub struct Private {
    /// False only where there was no private data.
    pub intact: bool,
    /// The process of an update died in it, and no update has ended since.
    pub died: bool,
    /// The rotation in hand.
    pub flight: Option<Flight>,
    /// Imported, and not updated since: arguments that the platform cannot tell are recorded, not acted on.
    pub imported: bool,
    /// The `complete_generation` that the resource was created with: it cannot have named a rotation of this one.
    pub complete_at_first: Option<i64>,
    /// How long a credential of this kind lives.
    pub lifetime: Option<SignedDuration>,
    /// The platform's own: what it wants to know of the object without asking.
    pub memory: Value,
    /// What told the credential from others when this resource last answered for it: a rotation that it made, or
    /// one from outside that its schedule now counts from.
    pub signs: Option<Value>,
    /// From when a schedule counts that has seen no rotation of this resource: its import, its create, or a rotation
    /// from outside.
    pub since: Option<Timestamp>,
}

impl Private {
    /// For a resource that begins.
    pub fn begun() -> Self {
        Self { intact: true, ..Self::default() }
    }

    /// As the last run left it: whether that run died is remembered until an update ends.
    #[must_use]
    pub fn recovered(mut self) -> Self {
        self.died |= !self.intact;
        self.intact = true;
        self
    }
}

/// A rotation, from before it is sent until its proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// The name of the platform's block.
    pub platform: String,
    pub sent: Certainty,
    /// When it was sent, or found.
    pub sent_at: Timestamp,
    /// The platform's own notes.
    pub notes: Value,
}

/// [`Sent`], as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It is over without success, and is to be sent again.
    No,
    Unknown,
    Accepted,
}

impl From<Certainty> for Sent {
    fn from(certainty: Certainty) -> Self {
        match certainty {
            Certainty::No => Self::No,
            Certainty::Unknown => Self::Unknown,
            Certainty::Accepted => Self::Accepted,
        }
    }
}

/// What version 0.1.0 wrote, and what this one does.
mod upgrade {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{Certainty, Deserialize, Flight, Private, SignedDuration, Timestamp, Value};

    #[derive(Deserialize)]
    #[serde(default)]
    // The shape on the wire, of two versions.
    #[allow(clippy::struct_excessive_bools)]
    pub(super) struct AnyVersion {
        intact: bool,
        died: bool,
        flight: Option<Flight>,
        imported: bool,
        complete_at_first: Option<i64>,
        lifetime: Option<SignedDuration>,
        memory: Value,
        signs: Option<Value>,
        since: Option<Timestamp>,
        // 0.1.0
        adopted: bool,
        cluster_name: Option<String>,
        owner: Option<Value>,
        project_id: Option<String>,
        under_way: Option<UnderWay>,
    }

    impl Default for AnyVersion {
        fn default() -> Self {
            Self {
                // There was something to read.
                intact: true,
                died: false,
                flight: None,
                imported: false,
                complete_at_first: None,
                lifetime: None,
                memory: Value::Null,
                signs: None,
                since: None,
                adopted: false,
                cluster_name: None,
                owner: None,
                project_id: None,
                under_way: None,
            }
        }
    }

    /// The rotation in hand of 0.1.0, which knew one platform.
    #[derive(Deserialize)]
    struct UnderWay {
        #[serde(default)]
        ca_before: Option<String>,
        #[serde(default)]
        ca_sha256_before: Option<String>,
        #[serde(default)]
        known: BTreeSet<String>,
        #[serde(default)]
        owner_before: Option<String>,
        #[serde(default)]
        accepted: bool,
        sender: String,
        sent_at: Timestamp,
        #[serde(default)]
        restart: Option<Timestamp>,
        #[serde(default)]
        workloads: Option<BTreeSet<String>>,
    }

    impl From<AnyVersion> for Private {
        fn from(any: AnyVersion) -> Self {
            let memory = match any.memory {
                Value::Null if any.cluster_name.is_some() => json!({
                    "cluster_name": any.cluster_name,
                    "owner": any.owner,
                    "project_id": any.project_id,
                }),
                memory => memory,
            };
            let flight = any.under_way.map(|old| Flight {
                platform: "magnum".into(),
                sent: if old.accepted { Certainty::Accepted } else { Certainty::Unknown },
                sent_at: old.sent_at,
                notes: json!({
                    "ca_before": old.ca_before,
                    "ca_sha256_before": old.ca_sha256_before,
                    "known": old.known,
                    "left": old.workloads,
                    "owner_before": old.owner_before,
                    "restarted_at": old.restart,
                    "sender": old.sender,
                }),
            });
            Self {
                intact: any.intact,
                died: any.died,
                flight: any.flight.or(flight),
                imported: any.imported || any.adopted,
                complete_at_first: any.complete_at_first,
                lifetime: any.lifetime,
                memory,
                signs: any.signs,
                since: any.since,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let flight = Flight {
            platform: "magnum".into(),
            sent: Certainty::Accepted,
            sent_at: Timestamp::UNIX_EPOCH,
            notes: json!({ "known": ["a"] }),
        };
        let private = Private {
            flight: Some(flight),
            lifetime: Some(SignedDuration::from_hours(1)),
            memory: json!({ "cluster_name": "prod" }),
            signs: Some(json!(["a"])),
            since: Some(Timestamp::UNIX_EPOCH),
            ..Private::begun()
        };
        let written = serde_json::to_value(&private).unwrap();
        assert_eq!(serde_json::from_value::<Private>(written).unwrap(), private);
    }

    #[test]
    fn only_what_is_not_there_was_lost() {
        assert!(Private::default().recovered().died);
        assert!(!Private::begun().recovered().died);
        let of_0_1_0: Private = serde_json::from_value(json!({ "adopted": false })).unwrap();
        assert!(!of_0_1_0.recovered().died);
        // What was found out stays, until an update ends.
        assert!(Private::default().recovered().recovered().died);
    }

    #[test]
    fn a_rotation_in_hand_of_0_1_0_is_taken_up() {
        let written = json!({
            "adopted": false,
            "cluster_name": "prod",
            "owner": { "id": "u1", "name": "alice" },
            "rotated_outside": null,
            "since": null,
            "project_id": "p1",
            "under_way": {
                "ca_before": null,
                "ca_sha256_before": null,
                "known": ["a"],
                "owner_before": "u1",
                "accepted": true,
                "sender": "u1",
                "sent_at": "2026-11-22T10:00:00Z",
                "restart": "2026-11-22T10:00:05Z",
                "workloads": ["Deployment openstack-system/web"],
            },
        });
        let private: Private = serde_json::from_value(written).unwrap();
        let flight = private.flight.unwrap();
        assert_eq!((flight.platform.as_str(), flight.sent), ("magnum", Certainty::Accepted));
        assert_eq!(flight.notes["left"], json!(["Deployment openstack-system/web"]));
        assert_eq!(flight.notes["restarted_at"], json!("2026-11-22T10:00:05Z"));
        assert_eq!(private.memory["owner"]["name"], json!("alice"));
    }
}
