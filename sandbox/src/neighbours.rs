//! What one part of a sandbox asks of the clouds beside it, without knowing them: who somebody is, and that what is due
//! has happened. The clouds themselves, and which of them answers, are in `clouds`, above all that asks.

use jiff::Timestamp;

use crate::authority::Subject;

pub(crate) trait Neighbours: Send + Sync {
    /// Lets the clouds that have clusters do what is due: their servers may have another CA by now.
    fn catch_up(&self, now: Timestamp);

    /// The name of the user whom a token was issued to, whether it is good or not.
    fn user_of_token(&self, token: &str) -> Option<String>;

    /// The name of whoever a signed request claims to be from.
    fn signer(&self, authorization: &str) -> Option<String>;

    /// Whom a bearer token is for that comes to a cluster's API server at that address.
    fn bearer(&self, token: &str, address: &str, now: Timestamp) -> Option<Subject>;
}
