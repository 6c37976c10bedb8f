//! Timestamps as they stand in objects of Kubernetes.

use jiff::Timestamp;
use serde_json::Value;

/// `2026-11-26T21:06:33Z`.
pub(super) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whether the timestamp of an object is older than that.
pub(super) fn is_older(at: &Value, than: Timestamp) -> bool {
    at.as_str().and_then(|text| text.parse::<Timestamp>().ok()).is_none_or(|at| at <= than)
}
