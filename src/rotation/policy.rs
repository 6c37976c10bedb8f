//! What the user wants of the life of a credential, and when it is due.

use jiff::Timestamp;

use super::period::Period;
use super::reason::{Due, Governor};

/// The arguments that say when, not what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub expires_in: Option<Period>,
    pub overlap: Option<Period>,
    pub renew_before: Option<Period>,
    /// False holds every scheduled rotation and revocation.
    pub rotate: bool,
    pub rotation_period: Option<Period>,
}

impl Policy {
    /// When the schedule next calls for a generation: the earlier of age and expiry.
    ///
    /// `since` is when the current generation was issued, or first seen where that cannot be known.
    pub fn next(
        &self,
        since: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    ) -> Option<Timestamp> {
        self.by_age(since).into_iter().chain(self.by_expiry(expires_at)).min()
    }

    /// When an old generation is to be revoked: `overlap` after it was retired, or when it expires.
    /// Without an overlap: at once.
    pub fn revoke_after(&self, retired: Timestamp, expires_at: Option<Timestamp>) -> Timestamp {
        let end = self.overlap.map_or(retired, |overlap| overlap.after(retired));
        expires_at.map_or(end, |expiry| expiry.min(end))
    }

    /// Which of the arguments differ.
    pub fn changed_from(&self, old: &Self) -> Vec<Governor> {
        [
            (self.expires_in != old.expires_in, Governor::ExpiresIn),
            (self.overlap != old.overlap, Governor::Overlap),
            (self.renew_before != old.renew_before, Governor::RenewBefore),
            (self.rotation_period != old.rotation_period, Governor::RotationPeriod),
        ]
        .into_iter()
        .filter_map(|(differs, governor)| differs.then_some(governor))
        .collect()
    }

    fn by_age(&self, since: Option<Timestamp>) -> Option<Timestamp> {
        Some(self.rotation_period?.after(since?))
    }

    fn by_expiry(&self, expires_at: Option<Timestamp>) -> Option<Timestamp> {
        Some(self.renew_before?.before(expires_at?))
    }
}

/// What Read saw of the generations that the state knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub current: Current,
    pub previous: Vec<Previous>,
}

/// The generation that consumers are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    pub present: bool,
    /// When it was issued, or first seen where that cannot be known.
    pub since: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A generation in its overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    pub generation: u64,
    pub revoke_after: Timestamp,
    /// Whether the caller may delete it at all.
    pub removable: bool,
}

/// What is due at `now`, in a stable order. `rotate` is not asked here: holding is Plan's affair.
pub fn due(observed: &Observed, policy: &Policy, now: Timestamp) -> Vec<Due> {
    let Observed { current, previous } = observed;
    let mut found = Vec::new();
    if current.present {
        if let Some(deadline) = current.expires_at.filter(|_| policy.expires_in.is_some()) {
            found.push(Due::Expired { deadline });
        }
        found.extend(
            policy.by_expiry(current.expires_at).map(|deadline| Due::RenewBefore { deadline }),
        );
        found.extend(policy.by_age(current.since).map(|deadline| Due::RotationPeriod { deadline }));
    } else {
        found.push(Due::Vanished);
    }
    let old = previous.iter().filter(|old| old.removable);
    found.extend(
        old.map(|old| Due::Overlap { generation: old.generation, deadline: old.revoke_after }),
    );
    found.retain(|due| due.deadline().is_none_or(|deadline| deadline <= now));
    found.sort();
    found
}
