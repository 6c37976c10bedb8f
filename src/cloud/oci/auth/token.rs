//! What a session's token says of its own life. Its signature is the service's business.

use crate::redaction::{ExposeSecret as _, SecretString};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// A minute before the end, as Oracle's SDKs do.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// Of a JWT; nothing where it is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
}

impl Claims {
    pub(super) fn of(token: &SecretString) -> Self {
        #[derive(Deserialize)]
        struct Body {
            exp: Option<f64>,
            iat: Option<f64>,
        }
        let body = token.expose_secret().split('.').nth(1).unwrap_or_default();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).unwrap_or_default();
        let Ok(body) = serde_json::from_slice::<Body>(&bytes) else { return Self::default() };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds; what is out of range is refused"
        )]
        let moment = |seconds: f64| Timestamp::from_second(seconds as i64).ok();
        Self { issued_at: body.iat.and_then(moment), expires_at: body.exp.and_then(moment) }
    }

    /// Shortly before its end; of a token that lives on for less, at its end.
    pub(super) fn renew_at(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.expires_at?;
        Some((end - MARGIN).max(now.min(end)))
    }

    /// In the middle of its life.
    pub(super) fn half_life(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.expires_at?;
        let begin = self.issued_at.unwrap_or(now).min(end);
        Some(begin + end.duration_since(begin) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn claims(body: &str) -> Claims {
        Claims::of(&format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(body)).into())
    }

    #[test]
    fn a_token_is_renewed_before_its_end() {
        let now = moment("2026-03-01T10:00:00Z");
        let claims = claims(r#"{"iat": 1772359200, "exp": 1772362800}"#);
        assert_eq!(claims.expires_at, Some(moment("2026-03-01T11:00:00Z")));
        assert_eq!(claims.renew_at(now), Some(moment("2026-03-01T10:59:00Z")));
        assert_eq!(claims.half_life(now), Some(moment("2026-03-01T10:30:00Z")));
        let late = moment("2026-03-01T10:59:30Z");
        assert_eq!(claims.renew_at(late), Some(late));
    }

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for text in ["", "opaque", "a.b.c", "e30.e30.x"] {
            assert_eq!(Claims::of(&text.into()), Claims::default(), "{text}");
        }
        assert_eq!(claims(r#"{"exp": 1e300}"#).expires_at, None);
        assert_eq!(Claims::default().renew_at(moment("2026-03-01T10:00:00Z")), None);
    }
}
