//! What a failed attempt means: how far it came, whether it may have acted, and what happened, in words that an
//! operator knows. The libraries' own debug texts stay here.

use std::error::Error as StdError;
use std::io;

use reqwest::Url;
use rustls::pki_types::InvalidDnsNameError;
use rustls::{AlertDescription, CertificateError};

use super::names::Unknown;
use super::retry::Loss;
use super::verify::Flaw;
use super::{Unreachable, one_line};

/// An attempt that brought no answer, judged.
pub(super) struct Lost {
    pub(super) cause: Unreachable,
    pub(super) loss: Loss,
    pub(super) reason: String,
}

/// Host and port, as a person would write it.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// `proxied`: the way leads through a proxy. `answering`: a status had been read already.
pub(super) fn judge(
    error: &reqwest::Error,
    place: &str,
    proxy: Option<&str>,
    answering: bool,
) -> Lost {
    let told = |cause, loss, reason: String| Lost { cause, loss, reason: one_line(&reason) };
    let connecting = error.is_connect() && !answering;
    let sent = if connecting { Loss::NotSent } else { Loss::PerhapsSent };
    if let Some(unknown) = find::<Unknown>(error) {
        let loss = if unknown.passes { Loss::NotSent } else { Loss::Refused };
        return match proxy {
            Some(proxy) => {
                told(Unreachable::Proxy, loss, format!("the proxy at {proxy}: {unknown}"))
            }
            None => told(Unreachable::Name, loss, unknown.to_string()),
        };
    }
    // TLS checks the form of a name before anybody is asked for its address.
    if proxy.is_none() && find::<InvalidDnsNameError>(error).is_some() {
        let reason = format!("{place} has no address: it is not the form of a DNS name");
        return told(Unreachable::Name, Loss::Refused, reason);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        let (cause, words) = tls_words(tls);
        // a server that refuses the client's certificate says so before it reads anything
        let refused = connecting || (!answering && refuses_us(tls));
        let loss = if refused { Loss::Refused } else { Loss::PerhapsSent };
        return told(cause, loss, format!("{place} {words}"));
    }
    if error.is_timeout() {
        let reason = match (connecting, proxy) {
            (true, Some(proxy)) => {
                format!("no connection to {place} by the proxy at {proxy} came about in time")
            }
            (true, None) => format!("no connection to {place} came about in time"),
            (false, _) => format!("nothing came from {place} in time"),
        };
        return told(Unreachable::TimedOut, sent, reason);
    }
    if error.is_builder() {
        return told(
            Unreachable::Broken,
            Loss::Refused,
            format!("it cannot be sent: {}", innermost(error)),
        );
    }
    let os = find::<io::Error>(error).map(io::Error::kind);
    let what = innermost(error);
    if let (true, Some(proxy)) = (connecting, proxy) {
        let loss = match os {
            Some(io::ErrorKind::ConnectionRefused) => Loss::NotSent,
            _ => Loss::Refused,
        };
        return told(
            Unreachable::Proxy,
            loss,
            format!("the proxy at {proxy} does not let through: {what}"),
        );
    }
    if connecting {
        let cause = match os {
            Some(io::ErrorKind::TimedOut) => Unreachable::TimedOut,
            Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                Unreachable::Broken
            }
            _ => Unreachable::Refused,
        };
        return told(cause, sent, format!("no connection to {place}: {what}"));
    }
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        let reason = format!("what {place} answers is not HTTP: {what}");
        return told(Unreachable::Broken, Loss::NoHttp, reason);
    }
    told(Unreachable::Broken, sent, format!("the connection to {place} broke: {what}"))
}

/// What went wrong with TLS, as what is said of the server: "… shows a certificate for other names".
pub(super) fn tls_words(error: &rustls::Error) -> (Unreachable, String) {
    let said = |cause, words: &str| (cause, words.to_owned());
    match error {
        rustls::Error::InvalidCertificate(why) => certificate_words(why),
        rustls::Error::NoCertificatesPresented => {
            said(Unreachable::Untrusted, "shows no certificate")
        }
        rustls::Error::AlertReceived(alert) => (Unreachable::Tls, alert_words(*alert)),
        rustls::Error::PeerIncompatible(_) => said(
            Unreachable::Tls,
            "has no TLS version or cipher in common with this program, which speaks TLS 1.2 and 1.3",
        ),
        rustls::Error::InvalidMessage(_) => {
            said(Unreachable::Tls, "does not speak TLS; perhaps it is a port for plain http")
        }
        _ => said(Unreachable::Tls, "breaks the rules of TLS"),
    }
}

fn certificate_words(why: &CertificateError) -> (Unreachable, String) {
    let said =
        |cause, words: &str| (cause, format!("shows a certificate that is not trusted: {words}"));
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            said(Unreachable::Expired, "it has expired, or the clock of this machine is wrong")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            said(Unreachable::Expired, "it is not valid yet, or the clock of this machine is wrong")
        }
        CertificateError::NotValidForName => said(Unreachable::WrongName, "it is for another name"),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| readable(name)).collect();
            let expected = expected.to_str();
            let as_text = names.iter().any(|name| *name == expected);
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            let hint =
                if as_text { " (an address must stand in it as IP, not as DNS)" } else { "" };
            let words = format!("it is for {names}, not for {expected}{hint}");
            said(Unreachable::WrongName, &words)
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            said(Unreachable::WrongUse, "it is not for use by servers")
        }
        CertificateError::UnknownIssuer => {
            said(Unreachable::Untrusted, "no CA that is trusted signed it")
        }
        CertificateError::BadSignature => said(
            Unreachable::Untrusted,
            "its signature is not the trusted CA's (a CA of the same name with another key?)",
        ),
        CertificateError::BadEncoding => said(Unreachable::Untrusted, "it cannot be read"),
        CertificateError::Other(other) => match other.0.downcast_ref::<Flaw>() {
            Some(flaw) => said(Unreachable::Untrusted, &flaw.to_string()),
            None => said(Unreachable::Untrusted, &webpki_words(&other.to_string())),
        },
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => said(
            Unreachable::Untrusted,
            "it is signed in a way that is not supported (SHA-1, or an unusual curve)",
        ),
        _ => said(Unreachable::Untrusted, "it is not in order"),
    }
}

/// The checker's names for what it dislikes, as words.
fn webpki_words(name: &str) -> String {
    match name {
        "CaUsedAsEndEntity" => "it is a CA's own".to_owned(),
        "UnsupportedCriticalExtension" => {
            "it has a critical extension that is not known here".to_owned()
        }
        "NameConstraintViolation" => "its CA may not sign for this name".to_owned(),
        "UnsupportedCertVersion" => "it is of X.509 version 1".to_owned(),
        _ => "it is not in order".to_owned(),
    }
}

/// `DnsName("a.example")` as `a.example`.
fn readable(presented: &str) -> String {
    let inner = presented.split_once('(').map_or(presented, |(_, rest)| rest.trim_end_matches(')'));
    inner.trim_matches('"').to_owned()
}

fn alert_words(alert: AlertDescription) -> String {
    let what = match alert {
        AlertDescription::CertificateRequired => "it wants a client certificate and was shown none",
        AlertDescription::BadCertificate | AlertDescription::UnsupportedCertificate => {
            "it does not take the client certificate"
        }
        AlertDescription::UnknownCA => "it does not know the CA of the client certificate",
        AlertDescription::CertificateExpired => "the client certificate has expired",
        AlertDescription::CertificateRevoked => "the client certificate is revoked",
        AlertDescription::CertificateUnknown | AlertDescription::AccessDenied => {
            "it does not let in who holds this client certificate"
        }
        AlertDescription::UnrecognisedName => "it has no server of this name",
        AlertDescription::ProtocolVersion => "it speaks another version of TLS than 1.2 and 1.3",
        AlertDescription::HandshakeFailure => {
            "it has no cipher in common, or wants a client certificate"
        }
        _ => "it says that something is wrong with it",
    };
    format!("ends the TLS handshake: {what}")
}

/// Said of the client's certificate, before anything is read that was sent.
fn refuses_us(error: &rustls::Error) -> bool {
    use AlertDescription as Alert;
    matches!(
        error,
        rustls::Error::AlertReceived(
            Alert::AccessDenied
                | Alert::BadCertificate
                | Alert::CertificateExpired
                | Alert::CertificateRequired
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::UnsupportedCertificate
        )
    )
}

fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // io::Error hides what it wraps from `source`
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// The cause at the bottom, which says what happened; the layers above only say where.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map_or_else(|| "unknown".to_owned(), ToString::to_string)
}
