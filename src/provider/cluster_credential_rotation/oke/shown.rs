//! What the service's answers mean. Pure.
//!
//! The service has no word for a phase that failed: its status then stands still, goes back, or says something that no
//! documentation has. So a status is read together with the work request that would carry it out.

use crate::cloud::oci::container_engine::{
    CredentialRotation, RotationDetails, RotationStatus, WorkRequest, WorkStatus,
};
use crate::rotation::course::Phase;

/// How far the last rotation is; None where the answer does not say.
pub fn phase(rotation: &CredentialRotation) -> Option<Phase> {
    match (&rotation.status_details, &rotation.status) {
        (RotationDetails::IssuingNewCredentials, _) => Some(Phase::Issuing),
        (RotationDetails::NewCredentialsIssued, _)
        | (RotationDetails::Other(_), RotationStatus::Waiting) => Some(Phase::Overlap),
        (RotationDetails::RetiringOldCredentials, _) => Some(Phase::Retiring),
        (RotationDetails::Completed, _)
        | (RotationDetails::Other(_), RotationStatus::Completed) => Some(Phase::Completed),
        // Both phases are "in progress", and the date is there from the issue to the retirement.
        (RotationDetails::Other(_), RotationStatus::InProgress) => {
            let date = rotation.time_auto_completion_scheduled;
            Some(if date.is_some() { Phase::Retiring } else { Phase::Issuing })
        }
        (RotationDetails::Other(_), RotationStatus::Other(_)) => None,
    }
}

/// What is truly going on: a phase that the status shows, and whose work request has failed, is over.
pub fn standing(status: Option<Phase>, newest: Option<&WorkRequest>) -> Option<Phase> {
    let failed = newest.is_some_and(|work| is_lost(&work.status));
    match status {
        Some(Phase::Issuing) if failed => None,
        // The old credentials are not retired, and a completion may be asked for again.
        Some(Phase::Retiring) if failed => Some(Phase::Overlap),
        status => status,
    }
}

/// Ended without success.
pub fn is_lost(status: &WorkStatus) -> bool {
    matches!(status, WorkStatus::Canceled | WorkStatus::Failed)
}

/// Neither ended well nor badly; a status that nobody knows is taken for one that goes on, unless the service says when
/// the work was finished.
pub fn is_running(work: &WorkRequest) -> bool {
    let ended = [WorkStatus::Canceled, WorkStatus::Failed, WorkStatus::Succeeded];
    !ended.contains(&work.status) && work.time_finished.is_none()
}

/// Major and minor of `v1.33.1`.
pub fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Since this version of Kubernetes OKE rotates.
pub const ROTATES: (u32, u32) = (1, 20);

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(status: &str, details: &str) -> Option<Phase> {
        phase(&CredentialRotation {
            status: status.into(),
            status_details: details.into(),
            time_auto_completion_scheduled: None,
        })
    }

    #[test]
    fn the_details_say_what_the_status_leaves_open() {
        assert_eq!(shown("IN_PROGRESS", "ISSUING_NEW_CREDENTIALS"), Some(Phase::Issuing));
        assert_eq!(shown("WAITING", "NEW_CREDENTIALS_ISSUED"), Some(Phase::Overlap));
        assert_eq!(shown("IN_PROGRESS", "RETIRING_OLD_CREDENTIALS"), Some(Phase::Retiring));
        assert_eq!(shown("COMPLETED", "COMPLETED"), Some(Phase::Completed));
        assert_eq!(shown("PAUSED", "RETIRING_OLD_CREDENTIALS"), Some(Phase::Retiring));
    }

    #[test]
    fn a_word_that_nobody_knows_is_no_failure() {
        assert_eq!(shown("WAITING", "RESTING"), Some(Phase::Overlap));
        assert_eq!(shown("COMPLETED", ""), Some(Phase::Completed));
        assert_eq!(shown("IN_PROGRESS", "WORKING"), Some(Phase::Issuing));
        let late = CredentialRotation {
            status: "IN_PROGRESS".into(),
            status_details: "WORKING".into(),
            time_auto_completion_scheduled: "2026-12-01T00:00:00Z".parse().ok(),
        };
        assert_eq!(phase(&late), Some(Phase::Retiring));
        assert_eq!(shown("FAILED", "FAILED"), None);
        assert_eq!(shown("", ""), None);
    }

    #[test]
    fn a_phase_whose_work_has_failed_is_over() {
        let work = |status: &str| WorkRequest { status: status.into(), ..WorkRequest::default() };
        let check = |status: Phase, work_status: &str, expected: Option<Phase>| {
            assert_eq!(standing(Some(status), Some(&work(work_status))), expected, "{work_status}");
        };
        check(Phase::Issuing, "FAILED", None);
        check(Phase::Issuing, "CANCELED", None);
        check(Phase::Issuing, "IN_PROGRESS", Some(Phase::Issuing));
        // The status lags behind.
        check(Phase::Issuing, "SUCCEEDED", Some(Phase::Issuing));
        check(Phase::Retiring, "FAILED", Some(Phase::Overlap));
        check(Phase::Overlap, "FAILED", Some(Phase::Overlap));
        check(Phase::Completed, "FAILED", Some(Phase::Completed));
        assert_eq!(standing(Some(Phase::Issuing), None), Some(Phase::Issuing));
        assert_eq!(standing(None, Some(&work("FAILED"))), None);
    }

    #[test]
    fn work_that_nobody_knows_goes_on() {
        for (status, running, lost) in [
            ("ACCEPTED", true, false),
            ("IN_PROGRESS", true, false),
            ("CANCELING", true, false),
            ("PAUSED", true, false),
            ("SUCCEEDED", false, false),
            ("FAILED", false, true),
            ("CANCELED", false, true),
        ] {
            let work = WorkRequest { status: status.into(), ..WorkRequest::default() };
            assert_eq!((is_running(&work), is_lost(&work.status)), (running, lost), "{status}");
        }
        // Unless the service says that it is over.
        let time_finished = "2026-12-01T00:00:00Z".parse().ok();
        let over = WorkRequest { status: "PAUSED".into(), time_finished, ..WorkRequest::default() };
        assert_eq!((is_running(&over), is_lost(&over.status)), (false, false));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("v1.9.7").unwrap() < ROTATES);
        assert!(version("v1.33.1").unwrap() >= ROTATES);
        assert_eq!(version("soon"), None);
    }
}
