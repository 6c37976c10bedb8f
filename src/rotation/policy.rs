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
    /// When the schedule next calls for a generation: the first moment at which [`due`] finds one due.
    ///
    /// `since` is when the current generation was issued, or first seen where that cannot be known.
    pub fn next(
        &self,
        since: Option<Timestamp>,
        expires_at: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let ways = [self.by_age(since), self.by_expiry(expires_at), self.at_expiry(expires_at)];
        ways.into_iter().flatten().min()
    }

    /// Whether [`Policy::next`] may have a date for a generation that is issued under this policy.
    pub fn scheduled(&self) -> bool {
        self.expires_in.is_some() || self.renew_before.is_some() || self.rotation_period.is_some()
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

    /// Only where its successor gets a later expiry.
    fn at_expiry(&self, expires_at: Option<Timestamp>) -> Option<Timestamp> {
        expires_at.filter(|_| self.expires_in.is_some())
    }
}

/// What Read saw of the generations that the state knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub current: Current,
    /// Those that still exist.
    pub previous: Vec<Previous>,
}

impl Observed {
    /// Whether nothing is left, so that Terraform may forget the resource and create it anew. A stray is
    /// something: once the resource is forgotten, no later plan lists it.
    pub fn gone(&self, strays: bool) -> bool {
        !self.current.present && self.previous.is_empty() && !strays
    }
}

/// The generation that consumers are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    pub present: bool,
    /// When it was issued, or first seen where that cannot be known.
    pub since: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A generation in its overlap. Its dates are those of its retirement, not of its end: that follows from
/// the policy, and moves with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    pub generation: u64,
    /// When its successor took its place.
    pub retired: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// Whether the caller of this Read may delete it at all.
    pub removable: bool,
}

impl Previous {
    /// When it is to be revoked by this policy.
    pub fn revoke_after(&self, policy: &Policy) -> Timestamp {
        policy.revoke_after(self.retired, self.expires_at)
    }
}

/// What is due at `now`, in a stable order. `rotate` is not asked here: holding is Plan's affair.
pub fn due(observed: &Observed, policy: &Policy, now: Timestamp) -> Vec<Due> {
    let Observed { current, previous } = observed;
    let mut found = Vec::new();
    if current.present {
        found
            .extend(policy.at_expiry(current.expires_at).map(|deadline| Due::Expired { deadline }));
        found.extend(
            policy.by_expiry(current.expires_at).map(|deadline| Due::RenewBefore { deadline }),
        );
        found.extend(policy.by_age(current.since).map(|deadline| Due::RotationPeriod { deadline }));
    } else {
        found.push(Due::Vanished);
    }
    let old = previous.iter().filter(|old| old.removable);
    found.extend(old.map(|old| Due::Overlap {
        generation: old.generation,
        deadline: old.revoke_after(policy),
    }));
    found.retain(|due| due.deadline().is_none_or(|deadline| deadline <= now));
    found.sort();
    found
}

#[cfg(test)]
mod tests;
