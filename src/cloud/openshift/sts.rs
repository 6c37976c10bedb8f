//! AWS: who a pair of keys is. One call, signed as AWS has it (Signature Version 4); of AWS nothing else is known here.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::value::hexadecimal;
use crate::cloud::Surroundings;
use crate::cloud::http::{Client, Method, Options, Patience, Request, Url};
use crate::redaction::{ExposeSecret, SecretString};

/// An access key with its secret.
#[derive(Clone, Debug)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}

/// Whose keys they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub arn: String,
}

/// Why AWS does not say so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{address} is no address of STS: {why}")]
    Address { address: String, why: String },
    #[error("{0}")]
    NoAnswer(String),
    #[error("{host} answered {status}: {message}{}", .request_id.as_ref().map_or_else(String::new, |id| format!(" (request id {id})")))]
    Refused { host: String, status: u16, message: String, request_id: Option<String> },
}

/// Where STS is: as AWS's own SDKs find it, then as the cluster is configured, then as the region has it.
pub fn address(from: &Surroundings, configured: Option<&str>, region: &str) -> String {
    let ignored = from.environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let ignored = ignored.is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let set = |name: &str| from.environment.get(name).filter(|url| !url.is_empty() && !ignored);
    let overridden = set("AWS_ENDPOINT_URL_STS").or_else(|| set("AWS_ENDPOINT_URL"));
    if let Some(url) = overridden.map(String::as_str).or(configured) {
        return url.to_owned();
    }
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let region = if region.is_empty() { DEFAULT_REGION } else { region };
    format!("https://sts.{region}.{domain}")
}

/// `sts:GetCallerIdentity`, which no policy can forbid.
pub async fn caller(
    keys: &Keys,
    address: &str,
    region: &str,
    now: Timestamp,
    patience: &Patience,
) -> Result<Caller, Error> {
    let mut url = Url::parse(address)
        .map_err(|why| Error::Address { address: address.to_owned(), why: why.to_string() })?;
    if url.path().is_empty() {
        url.set_path("/");
    }
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => {
            let (address, why) = (address.to_owned(), "it has no host".to_owned());
            return Err(Error::Address { address, why });
        }
    };
    let region = if region.is_empty() { DEFAULT_REGION } else { region };
    let stamp = Stamp::of(now);
    let authorization = authorization(keys, &host, url.path(), region, &stamp);
    let mut request = Request::new(Method::POST, url)
        .repeatable()
        .header(CONTENT_TYPE, HeaderValue::from_static(FORM))
        .secret_header(http::header::AUTHORIZATION, &authorization.into())
        .hides(&keys.secret_access_key);
    if let Ok(date) = HeaderValue::from_str(&stamp.time) {
        request = request.header(HeaderName::from_static("x-amz-date"), date);
    }
    request.body = Some(BODY.as_bytes().into());
    let answer = Client::new(Options::default()).send(&request, patience).await;
    let answer = answer.map_err(|error| Error::NoAnswer(error.to_string()))?;
    let text = String::from_utf8_lossy(&answer.body);
    let said =
        |name: &str| element(&text, name).map(|text| text.chars().take(MOST).collect::<String>());
    if answer.status.is_success()
        && let (Some(account), Some(arn)) = (said("Account"), said("Arn"))
    {
        return Ok(Caller { account, arn });
    }
    let message = match (said("Code"), said("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "no answer of STS".to_owned(),
    };
    let message = crate::redaction::clean_message(&message).into_owned();
    Err(Error::Refused {
        host,
        status: answer.status.as_u16(),
        message,
        request_id: said("RequestId"),
    })
}

/// A moment as a signature has it.
struct Stamp {
    /// `20261122T080338Z`
    time: String,
    /// `20261122`
    date: String,
}

impl Stamp {
    fn of(now: Timestamp) -> Self {
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        Self { date: time.chars().take(8).collect(), time }
    }
}

/// The header that signs the one request there is.
fn authorization(keys: &Keys, host: &str, path: &str, region: &str, stamp: &Stamp) -> String {
    let Stamp { time, date } = stamp;
    let signed = "content-type;host;x-amz-date";
    let canonical = format!(
        "POST\n{path}\n\ncontent-type:{FORM}\nhost:{host}\nx-amz-date:{time}\n\n{signed}\n{}",
        sha256(BODY)
    );
    let scope = format!("{date}/{region}/sts/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(&canonical));
    let secret = zeroize::Zeroizing::new(format!("AWS4{}", keys.secret_access_key.expose_secret()));
    let key = [date.as_str(), region, "sts", "aws4_request"]
        .into_iter()
        .fold(zeroize::Zeroizing::new(secret.as_bytes().to_vec()), |key, part| hmac(&key, part));
    let signature = hexadecimal(&hmac(&key, &to_sign));
    let id = &keys.access_key_id;
    format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}")
}

fn hmac(key: &[u8], text: &str) -> zeroize::Zeroizing<Vec<u8>> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    zeroize::Zeroizing::new(ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec())
}

fn sha256(text: &str) -> String {
    hexadecimal(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}

/// The text of the first element of that name: STS's answers are flat.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner.trim())
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const DEFAULT_REGION: &str = "us-east-1";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// Characters of anything that an answer says.
const MOST: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::stub::{Reply, Stub};

    fn keys() -> Keys {
        Keys {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        }
    }

    fn now() -> Timestamp {
        "2015-08-30T12:36:00Z".parse().unwrap()
    }

    fn answer(status: u16, body: &str) -> Reply {
        Reply::Answer { status, headers: Vec::new(), body: body.to_owned() }
    }

    #[test]
    fn the_signing_key_is_that_of_awss_own_example() {
        // From AWS's documentation of Signature Version 4: 20150830, us-east-1, iam.
        let secret = keys().secret_access_key;
        let start = format!("AWS4{}", secret.expose_secret()).into_bytes();
        let key = ["20150830", "us-east-1", "iam", "aws4_request"]
            .into_iter()
            .fold(zeroize::Zeroizing::new(start), |key, part| hmac(&key, part));
        assert_eq!(
            hexadecimal(&key),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    #[tokio::test]
    async fn a_caller_is_told_by_account_and_arn() {
        let stub = Stub::replies(vec![answer(
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/root</Arn>\n\
             <UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        )])
        .await;
        let address = stub.url("").to_string();
        let found = caller(&keys(), &address, "eu-west-1", now(), &Patience::default()).await;
        let arn = "arn:aws:iam::123456789012:user/root".to_owned();
        assert_eq!(found, Ok(Caller { account: "123456789012".to_owned(), arn }));
        let seen = &stub.seen()[0];
        assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST /", BODY));
        assert_eq!(seen.headers["x-amz-date"], "20150830T123600Z");
        let signed = &seen.headers["authorization"];
        assert!(signed.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/sts/aws4_request, "
        ));
        let stamp = Stamp::of(now());
        assert_eq!(
            *signed,
            authorization(&keys(), &seen.headers["host"], "/", "eu-west-1", &stamp)
        );
    }

    #[tokio::test]
    async fn a_refusal_names_the_code_and_no_secret() {
        let echo = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        crate::redaction::register(echo);
        let stub = Stub::replies(vec![answer(
            403,
            &format!(
                "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token {echo} is \
                 invalid.</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
            ),
        )])
        .await;
        let found = caller(&keys(), stub.url("").as_str(), "", now(), &Patience::default()).await;
        let said = found.unwrap_err().to_string();
        assert!(
            said.contains("403: InvalidClientTokenId") && said.contains("request id r-1"),
            "{said}"
        );
        assert!(!said.contains(echo), "{said}");
    }

    #[test]
    fn the_address_is_found_as_awss_sdks_find_it() {
        let from = |pairs: &[(&str, &str)]| Surroundings {
            environment: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Surroundings::default()
        };
        let none = from(&[]);
        assert_eq!(address(&none, None, "eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
        assert_eq!(address(&none, None, "cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
        assert_eq!(address(&none, None, ""), "https://sts.us-east-1.amazonaws.com");
        assert_eq!(address(&none, Some("https://sts.example.com"), "x"), "https://sts.example.com");
        let both = [("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_STS", "http://b")];
        assert_eq!(address(&from(&both), Some("http://c"), "x"), "http://b");
        assert_eq!(address(&from(&both[..1]), Some("http://c"), "x"), "http://a");
        let ignored = [both[0], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(address(&from(&ignored), Some("http://c"), "x"), "http://c");
    }
}
