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
    let workload = Workload::new("ns", super::super::workload::Kind::DaemonSet, "d").unwrap();
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
        Unreachable::Expired,
        Unreachable::Name,
        Unreachable::Proxy,
        Unreachable::Refused,
        Unreachable::TimedOut,
        Unreachable::Tls,
        Unreachable::Untrusted,
        Unreachable::WrongName,
        Unreachable::WrongUse,
    ];
    for cause in all {
        let advice = unreachable(cause).advice().unwrap();
        assert!(advice.ends_with(['.', '?']), "{advice}");
    }
}

/// Who is refused for another reason than a missing role is not told to make one.
#[test]
fn a_role_is_advised_only_where_it_helps() {
    let check = |message: &str, word: &str| {
        let mut refusal = refusal("PATCH /apis/apps/v1/namespaces/ns/deployments/d", 403);
        message.clone_into(&mut refusal.message);
        let advice = Error::Forbidden(refusal).advice().unwrap();
        assert!(advice.contains(word), "{message}: {advice}");
        assert_eq!(advice.contains("kubectl create role"), word == "role", "{advice}");
    };
    check(r#"deployments.apps "d" is forbidden: User "jane" cannot patch resource"#, "role");
    check(r#"deployments.apps "d" is forbidden: User "system:anonymous" cannot patch"#, "nobody");
    check(r#"admission webhook "policy.example" denied the request: no"#, "policy");
    check(
        r#"deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request"#,
        "policy",
    );
}

/// Whether a change may have been made, for whoever goes on after an error.
#[test]
fn what_may_have_acted_is_told() {
    let lost = |may_have_acted| Error::Unreachable {
        server: "https://k".to_owned(),
        cause: Unreachable::Broken,
        reason: "why".to_owned(),
        may_have_acted,
    };
    let unreadable =
        |request: &str| Error::Unreadable { request: request.to_owned(), reason: String::new() };
    let cases = [
        (lost(true), true),
        (lost(false), false),
        (Error::Api(refusal("PATCH /x", 500)), true),
        (Error::Api(refusal("GET /x", 500)), false),
        (Error::Api(refusal("PATCH /x", 409)), false),
        (unreadable("DELETE /x"), true),
        (unreadable("GET /x"), false),
        (Error::Stopped { what: "PATCH /x".to_owned() }, false),
    ];
    for (error, expected) in cases {
        assert_eq!(error.may_have_acted(), expected, "{error:?}");
    }
}
