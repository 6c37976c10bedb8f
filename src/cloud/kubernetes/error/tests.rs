use super::*;

#[expect(clippy::unnecessary_box_returns, reason = "as the errors hold it")]
fn refusal(request: &str, status: u16) -> Box<Refusal> {
    Box::new(Refusal {
        server: "https://k:6443".to_owned(),
        request: request.to_owned(),
        status,
        reason: String::new(),
        message: "no".to_owned(),
        audit_id: None,
    })
}

fn unreachable(cause: Unreachable) -> Error {
    let server = "https://k:6443".to_owned();
    Error::Unreachable { server, cause, reason: "why".to_owned(), may_have_acted: false }
}

#[test]
fn what_passes_is_told_from_what_stays() {
    let transient = [
        unreachable(Unreachable::Broken),
        unreachable(Unreachable::Refused),
        unreachable(Unreachable::TimedOut),
        Error::Api(refusal("GET /x", 429)),
        Error::Api(refusal("GET /x", 503)),
    ];
    for error in transient {
        assert!(error.is_transient(), "{error}");
    }
    let lasting = [
        unreachable(Unreachable::Untrusted),
        unreachable(Unreachable::Name),
        unreachable(Unreachable::Proxy),
        Error::Api(refusal("GET /x", 404)),
        Error::Api(refusal("GET /x", 501)),
        Error::Forbidden(refusal("GET /x", 403)),
    ];
    for error in lasting {
        assert!(!error.is_transient(), "{error}");
    }
}

#[test]
fn messages_say_who_answered_what() {
    let request = "PATCH /apis/apps/v1/namespaces/ns/daemonsets/d";
    let error = Error::Forbidden(refusal(request, 403));
    assert_eq!(error.to_string(), format!("https://k:6443 answered {request} with 403: no"));
    assert!(error.advice().unwrap().contains("--verb=patch --resource=daemonsets.apps"));
    let workload = Workload::new("ns", super::super::Kind::DaemonSet, "d").unwrap();
    let missing = |namespace_exists| {
        Error::WorkloadNotFound { workload: workload.clone(), namespace_exists }.to_string()
    };
    assert_eq!(missing(Some(true)), "there is no DaemonSet ns/d");
    assert_eq!(missing(None), "there is no DaemonSet ns/d");
    assert_eq!(missing(Some(false)), "there is no DaemonSet ns/d: the namespace does not exist");
}

#[test]
fn every_way_not_to_arrive_has_its_advice() {
    let all = [
        Unreachable::Broken,
        Unreachable::Name,
        Unreachable::Proxy,
        Unreachable::Refused,
        Unreachable::TimedOut,
        Unreachable::Tls,
        Unreachable::Untrusted,
    ];
    for cause in all {
        let advice = unreachable(cause).advice().unwrap();
        assert!(advice.ends_with(['.', '?']), "{advice}");
    }
}
