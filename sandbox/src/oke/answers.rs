//! What nobody who wrote this has seen the service do: each possible answer is a case that can be switched to. The
//! defaults are what its documentation suggests most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How this stand-in answers where the documentation leaves it open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OkeAnswers {
    /// The HTTP status of an accepted start or completion.
    pub accepted: u16,
    /// Whether such an answer names its work request.
    pub names_work_request: bool,
    /// The status of a cluster whose credentials were never rotated.
    pub never_rotated: NeverRotated,
    /// What the status is after a phase has failed.
    pub after_failure: AfterFailure,
    /// Where the rule is kept that a rotation may be completed after 24 hours only.
    pub day_rule: Rule,
    /// Since when those hours count, and the delay.
    pub counts_from: CountsFrom,
    /// Where the rule is kept that all nodes must be ready.
    pub node_rule: Rule,
    /// What a call is refused with that does not suit the state of the cluster.
    pub refusal: Refusal,
    /// When `timeCredentialExpiration` moves.
    pub expiry_moves: ExpiryMoves,
    /// `operationType` of the work requests of rotations.
    pub operation_type: String,
    /// What those name as changed; none: they name nothing.
    pub action_type: Option<String>,
    /// Whether a cluster is `UPDATING` while such a work request runs.
    pub updating: bool,
    /// Which etag `if-match` wants.
    pub etag: Etag,
    /// What a start or completion is answered with whose retry token was used before.
    pub replay: Replay,
    /// The certificates in a kubeconfig of an overlap.
    pub bundle: Bundle,
    /// How often the status is told as it was before, after each change.
    pub status_lag: u32,
    /// Values of enumerations that are told in place of others, such as `{"IN_PROGRESS": "PAUSED"}`.
    pub instead: BTreeMap<String, String>,
    /// Whether a work request that has ended can still be looked at.
    pub keeps_work_requests: bool,
    /// How many things a page of a list has where the request does not say.
    pub page_size: usize,
    /// `retry-after` of a work request that has not ended, in seconds.
    pub retry_after: Option<u64>,
}

impl Default for OkeAnswers {
    fn default() -> Self {
        Self {
            accepted: 202,
            names_work_request: true,
            never_rotated: NeverRotated::NotFound,
            after_failure: AfterFailure::Stuck,
            day_rule: Rule::AtTheCall,
            counts_from: CountsFrom::Start,
            node_rule: Rule::InTheWorkRequest,
            refusal: Refusal::Conflict,
            expiry_moves: ExpiryMoves::AtCompletion,
            operation_type: "CLUSTER_UPDATE".to_owned(),
            action_type: Some("CREATED".to_owned()),
            updating: true,
            etag: Etag::Cluster,
            replay: Replay::Same,
            bundle: Bundle::OldFirst,
            status_lag: 0,
            instead: BTreeMap::new(),
            keeps_work_requests: true,
            page_size: 100,
            retry_after: Some(1),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeverRotated {
    /// 404.
    NotFound,
    /// As if a rotation had been completed.
    Completed,
    /// An object whose members are null.
    Nulls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterFailure {
    /// As it was while the phase ran.
    Stuck,
    /// As it was before the phase.
    Back,
    /// `FAILED`, which is in no documentation.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    AtTheCall,
    /// Accepted; the work request then waits, or fails.
    InTheWorkRequest,
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsFrom {
    Start,
    /// Of the new credentials.
    Issue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 409, "not transient".
    Conflict,
    /// 409, which clients of Oracle's repeat for minutes.
    IncorrectState,
    /// 400.
    InvalidParameter,
    /// 422.
    UnprocessableEntity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryMoves {
    /// With the new credentials.
    AtIssue,
    AtCompletion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Etag {
    Cluster,
    Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// The same work request again.
    Same,
    /// 409.
    InvalidatedRetryToken,
    /// As if it were another call.
    Anew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bundle {
    NewFirst,
    OldFirst,
}
