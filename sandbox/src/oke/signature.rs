//! Requests that are signed as Oracle's cloud asks for it (signature version 1): what was signed, when, and by which
//! key. Who has that key is `people`.

use axum::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use ring::{digest, signature};

use crate::http::Ask;

/// So far may a request's date be from the service's.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Why a request is not taken for its sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// No signature, or one that leaves out what must be signed.
    Incomplete,
    /// Signed at another time.
    Skew { date: Timestamp, now: Timestamp },
    /// Of a key that nobody has, or of another message.
    Wrong,
}

/// An `Authorization` header, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) key_id: String,
    /// In lower case and in their order.
    headers: Vec<String>,
    signature: Vec<u8>,
}

impl Claim {
    pub(crate) fn parse(header: &str) -> Result<Self, Unproven> {
        let (scheme, text) = header.split_once(' ').ok_or(Unproven::Incomplete)?;
        if !scheme.eq_ignore_ascii_case("signature") {
            return Err(Unproven::Incomplete);
        }
        let parameters = parameters(text).ok_or(Unproven::Incomplete)?;
        let get = |name: &str| {
            let found = parameters.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| *value).ok_or(Unproven::Incomplete)
        };
        if get("algorithm")? != "rsa-sha256" || get("version")? != "1" {
            return Err(Unproven::Incomplete);
        }
        Ok(Self {
            key_id: get("keyId")?.to_owned(),
            headers: get("headers")?.split(' ').map(str::to_ascii_lowercase).collect(),
            signature: BASE64_STANDARD.decode(get("signature")?).map_err(|_| Unproven::Wrong)?,
        })
    }

    /// Whether a request that claims this was signed with that key (PKCS#1), lately.
    pub(crate) fn holds_for(&self, ask: &Ask, key: &[u8]) -> Result<(), Unproven> {
        self.names_all(&ask.method)?;
        if self.signs("x-content-sha256") {
            let hash = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, &ask.body));
            let length = ask.body.len().to_string();
            let told = (ask.header("x-content-sha256"), ask.header("content-length"));
            if told != (Some(&hash), Some(&length)) {
                return Err(Unproven::Wrong);
            }
        }
        let query = ask.raw_query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{}{query}", ask.path);
        self.holds(&ask.method, &target, |name| ask.header(name).map(str::to_owned), key, ask.now)
    }

    /// The same for what was signed to be sent by another: nothing but these headers is there.
    pub(crate) fn holds(
        &self,
        method: &Method,
        target: &str,
        header: impl Fn(&str) -> Option<String>,
        key: &[u8],
        now: Timestamp,
    ) -> Result<(), Unproven> {
        self.names_all(&Method::GET)?;
        let mut lines = Vec::new();
        for name in &self.headers {
            let line = if name == "(request-target)" {
                format!("{name}: {} {target}", method.as_str().to_ascii_lowercase())
            } else {
                format!("{name}: {}", header(name).ok_or(Unproven::Incomplete)?)
            };
            lines.push(line);
        }
        let date = ["x-date", "date"].into_iter().filter(|name| self.signs(name)).find_map(&header);
        let date = date.ok_or(Unproven::Incomplete)?;
        let date = rfc2822::DateTimeParser::new().parse_timestamp(&date);
        is_lately(date.map_err(|_| Unproven::Incomplete)?, now)?;
        signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key)
            .verify(lines.join("\n").as_bytes(), &self.signature)
            .map_err(|_| Unproven::Wrong)
    }

    fn signs(&self, name: &str) -> bool {
        self.headers.iter().any(|signed| signed == name)
    }

    /// What must be signed, is.
    fn names_all(&self, method: &Method) -> Result<(), Unproven> {
        let of_all = ["(request-target)", "host"];
        let of_bodies = ["content-length", "content-type", "x-content-sha256"];
        let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
        let mut wanted = of_all.iter().chain(of_bodies.iter().filter(|_| has_body));
        let dated = self.signs("date") || self.signs("x-date");
        if dated && wanted.all(|name| self.signs(name)) {
            Ok(())
        } else {
            Err(Unproven::Incomplete)
        }
    }
}

/// By the sandbox's clock, or by the machine's: a client whose clock was not moved must get in too.
fn is_lately(date: Timestamp, now: Timestamp) -> Result<(), Unproven> {
    let near = |clock: Timestamp| clock.duration_since(date).abs() <= SKEW;
    if near(now) || near(Timestamp::now()) { Ok(()) } else { Err(Unproven::Skew { date, now }) }
}

/// `name="value"`, separated by commas.
fn parameters(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = value.split_once('"')?;
        found.push((name.trim(), value));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::oke::keys::{Key, sign};

    const DATE: &str = "Thu, 05 Jan 2034 21:31:40 GMT";

    fn key() -> Key {
        Key::of_private(include_str!("keys/alice.pem")).unwrap()
    }

    fn now() -> Timestamp {
        "2034-01-05T21:31:40Z".parse().unwrap()
    }

    fn signed(headers: &str, text: &str) -> String {
        let signature = sign(include_str!("keys/alice.pem"), text).unwrap();
        format!(
            r#"Signature version="1",headers="{headers}",keyId="t/u/f",algorithm="rsa-sha256",signature="{signature}""#
        )
    }

    fn get(name: &str) -> Option<String> {
        match name {
            "date" | "x-date" => Some(DATE.to_owned()),
            "host" => Some("example.com".to_owned()),
            _ => None,
        }
    }

    fn verdict(header: &str, now: Timestamp) -> Result<(), Unproven> {
        Claim::parse(header)?.holds(&Method::GET, "/a?b=c%20d", get, key().public(), now)
    }

    #[test]
    fn any_order_any_case_and_either_date_are_accepted() {
        let text = format!("date: {DATE}\n(request-target): get /a?b=c%20d\nhost: example.com");
        let header = signed("date (request-target) host", &text);
        assert_eq!(verdict(&header, now()), Ok(()));
        let text = format!("host: example.com\nx-date: {DATE}\n(request-target): get /a?b=c%20d");
        assert_eq!(verdict(&signed("Host X-Date (request-target)", &text), now()), Ok(()));
    }

    #[test]
    fn another_message_another_time_and_a_shorter_list_are_refused() {
        let text = format!("date: {DATE}\n(request-target): get /other\nhost: example.com");
        let header = signed("date (request-target) host", &text);
        assert_eq!(verdict(&header, now()), Err(Unproven::Wrong));
        let text = format!("date: {DATE}\n(request-target): get /a?b=c%20d\nhost: example.com");
        let header = signed("date (request-target) host", &text);
        for minutes in [-6, 6] {
            let late = now() + SignedDuration::from_mins(minutes);
            assert_eq!(verdict(&header, late), Err(Unproven::Skew { date: now(), now: late }));
        }
        for short in ["date (request-target)", "date host", "(request-target) host"] {
            assert_eq!(verdict(&signed(short, ""), now()), Err(Unproven::Incomplete), "{short}");
        }
        for none in ["", "Basic abc", "Signature ", "Signature version=\"1\""] {
            assert_eq!(verdict(none, now()), Err(Unproven::Incomplete), "{none}");
        }
        let other = header.replace("rsa-sha256", "hmac-sha256");
        assert_eq!(verdict(&other, now()), Err(Unproven::Incomplete));
    }

    #[test]
    fn what_has_a_body_signs_its_hash_and_length_too() {
        let short = Claim::parse(&signed("date (request-target) host", "")).unwrap();
        assert_eq!(short.names_all(&Method::POST), Err(Unproven::Incomplete));
        let all = "date (request-target) host content-length content-type x-content-sha256";
        let whole = Claim::parse(&signed(all, "")).unwrap();
        assert_eq!(whole.names_all(&Method::POST), Ok(()));
    }
}
