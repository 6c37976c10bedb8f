//! Sends one and the same list of requests to the sandbox and to a real Keystone or Magnum, and
//! compares the answers: status, the headers a client goes by, and the whole body, with ids, times,
//! certificates and secrets replaced by what kind of thing they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use jiff::SignedDuration;
use rekey_sandbox::Sandbox;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

use crate::support::magnum::Magnum;
use crate::support::openstack::{Keystone, http_client, unique};
use crate::support::tools::figure;

/// Headers whose whole value is compared.
const COMPARED: [&str; 8] = [
    "allow",
    "content-type",
    "location",
    "openstack-api-maximum-version",
    "openstack-api-minimum-version",
    "openstack-api-version",
    "vary",
    "www-authenticate",
];
/// Headers that must be there on both sides or on neither.
const PRESENT: [&str; 3] = ["x-openstack-request-id", "x-subject-token", "retry-after"];

/// Runs a script against both and fails the test with everything in which they differ.
pub(crate) async fn compare(script: impl AsyncFn(&mut Probe<'_>)) {
    let keystone = Keystone::get().await;
    let sandbox = Sandbox::start().await;
    sandbox.set_same_second_revocation(true);
    sandbox.set_passcode(None);
    let mut real = Probe::new(&keystone.auth_url, None);
    real.keep("admin", &keystone.administrator());
    script(&mut real).await;
    let mut stand_in = Probe::new(&sandbox.auth_url(), Some(&sandbox));
    stand_in.log_in_as_administrator(&sandbox.user("admin").password).await;
    script(&mut stand_in).await;
    report(&real, &stand_in);
}

/// The same with a Magnum beside the Keystone: paths that begin with `/v1` are Magnum's.
pub(crate) async fn compare_with_magnum(script: impl AsyncFn(&mut Probe<'_>)) {
    // SQLite under Magnum bears few writers at a time, and a cluster whose create finds it locked has failed.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    let magnum = Magnum::get().await;
    let (auth_url, magnum_url, password) = magnum.addresses();
    let mut real = Probe::new(auth_url, None);
    real.magnum = magnum_url.trim_end_matches("/v1").to_owned();
    real.log_in_as_administrator(password).await;
    script(&mut real).await;
    let sandbox = Sandbox::start().await;
    let mut stand_in = Probe::new(&sandbox.auth_url(), Some(&sandbox));
    stand_in.magnum = format!("http://{}/container-infra", sandbox.address());
    stand_in.log_in_as_administrator(&sandbox.user("admin").password).await;
    script(&mut stand_in).await;
    report(&real, &stand_in);
}

/// Fails with everything in which the two differ.
fn report(real: &Probe<'_>, stand_in: &Probe<'_>) {
    assert_eq!(real.trace.len(), stand_in.trace.len());
    let differences: Vec<String> = real
        .trace
        .iter()
        .zip(&stand_in.trace)
        .filter(|(real, stand_in)| real.answer != stand_in.answer)
        .map(|(real, stand_in)| {
            let mut lines = format!("## {}\n{}\n", real.what, real.request);
            differences_at("", &real.answer, &stand_in.answer, &mut lines);
            lines
        })
        .collect();
    let (different, all) = (differences.len(), real.trace.len());
    assert!(different == 0, "{different} of {all} answers differ\n\n{}", differences.join("\n"));
    figure(&format!("sandbox: {all} answers are those of the real service"));
}

/// One side of the comparison.
pub(crate) struct Probe<'s> {
    base: String,
    /// Without `/v1`; empty where there is none.
    magnum: String,
    http: reqwest::Client,
    /// What requests may name in braces: ids, tokens, secrets, a part of names unique to the run.
    vars: BTreeMap<String, String>,
    sandbox: Option<&'s Sandbox>,
    trace: Vec<Exchange>,
}

struct Exchange {
    what: String,
    request: String,
    answer: Value,
}

/// What came back, as it came.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl<'s> Probe<'s> {
    fn new(auth_url: &str, sandbox: Option<&'s Sandbox>) -> Self {
        Self {
            base: auth_url.trim_end_matches("/v3").to_owned(),
            magnum: String::new(),
            http: http_client(),
            vars: [("u".to_owned(), unique("u"))].into(),
            sandbox,
            trace: Vec::new(),
        }
    }

    async fn log_in_as_administrator(&mut self, own_password: &str) {
        let auth = password(
            "admin",
            own_password,
            Some(json!({ "name": "admin", "domain": { "id": "default" } })),
        );
        self.log_in("", "admin", auth).await;
        self.trace.clear();
    }

    /// Sends a request with the token of that name, and notes the answer.
    pub(crate) async fn send(
        &mut self,
        what: &str,
        request: &str,
        token: &str,
        body: Option<Value>,
    ) -> Answer {
        let token = format!("{{{token}}}");
        let headers = [("X-Auth-Token", token.as_str())];
        let headers = if token == "{}" { &[][..] } else { &headers[..] };
        let body = body.map(|body| body.to_string());
        let json = [("Content-Type", "application/json")];
        let headers = [headers, if body.is_some() { &json } else { &[] }].concat();
        self.send_raw(what, request, &headers, body.as_deref()).await
    }

    /// Sends just that.
    pub(crate) async fn send_raw(
        &mut self,
        what: &str,
        request: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        let (method, path) = request.split_once(' ').unwrap();
        let magnum = path.starts_with("/v1") || path == "/" && !self.magnum.is_empty();
        let base = if magnum { &self.magnum } else { &self.base };
        let url = format!("{base}{}", self.filled(path));
        let mut asked = self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        for (name, value) in headers {
            asked = asked.header(*name, self.filled(value));
        }
        if let Some(body) = body {
            asked = asked.body(self.filled(body));
        }
        let (status, headers, text) = loop {
            let again = asked.try_clone().unwrap();
            let answered = again.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            let status = answered.status().as_u16();
            let headers = answered.headers().clone();
            let text = answered.text().await.unwrap();
            // SQLite's own trouble on a busy machine: nothing has happened.
            if status != 500 || !text.contains("database is locked") {
                break (status, headers, text);
            }
        };
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let answer = json!({
            "status": status,
            "headers": self.headers(&headers),
            "body": self.normal("", &body),
        });
        self.trace.push(Exchange { what: what.to_owned(), request: request.to_owned(), answer });
        Answer { headers, body }
    }

    /// Logs in and keeps the token under that name.
    pub(crate) async fn log_in(&mut self, what: &str, token: &str, auth: Value) -> Answer {
        let answer = self.send(what, "POST /v3/auth/tokens", "", Some(auth)).await;
        if let Some(value) = answer.headers.get("x-subject-token") {
            self.keep(token, value.to_str().unwrap());
        }
        answer
    }

    /// From now on `{name}` stands for it in requests, and it is shown by that name.
    pub(crate) fn keep(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// Keeps a text of an answer.
    pub(crate) fn keep_from(&mut self, name: &str, value: &Value) {
        let text = value.as_str().unwrap_or_else(|| panic!("{name} is not a text: {value}"));
        self.keep(name, text);
    }

    /// Notes what an answer's normal form leaves out, such as an order.
    pub(crate) fn note(&mut self, what: &str, noted: Value) {
        let request = "(noted)".to_owned();
        self.trace.push(Exchange { what: what.to_owned(), request, answer: noted });
    }

    /// Waits until nothing is in progress with the cluster of that name in the log; looks without leaving a trace.
    pub(crate) async fn settled(&mut self, cluster: &str) {
        let url = format!("{}/v1/clusters/{}", self.magnum, self.filled(cluster));
        let looking = async {
            loop {
                let asked = self.http.get(&url).header("X-Auth-Token", &self.vars["admin"]);
                let answer: Value = asked.send().await.unwrap().json().await.unwrap();
                // A cluster is there only a moment after its create was answered.
                match answer["status"].as_str() {
                    Some(status) if !status.ends_with("_IN_PROGRESS") => return,
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        let patience = Duration::from_mins(10);
        tokio::time::timeout(patience, looking).await.expect("the cluster never settles");
    }

    /// Lets time go by: truly for the real one, by its clock for the sandbox.
    pub(crate) async fn wait(&self, seconds: i64) {
        match self.sandbox {
            Some(sandbox) => sandbox.advance(SignedDuration::from_secs(seconds)),
            None => tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs())).await,
        }
    }

    /// What this side takes for the present, so many seconds on.
    pub(crate) fn in_seconds(&self, seconds: i64) -> String {
        let now = self.sandbox.map_or_else(jiff::Timestamp::now, Sandbox::now);
        let at = now + SignedDuration::from_secs(seconds);
        at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    fn filled(&self, text: &str) -> String {
        self.vars.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    fn headers(&self, headers: &HeaderMap) -> Value {
        let mut shown = BTreeMap::new();
        for name in COMPARED {
            if let Some(value) = headers.get(name) {
                let mut value = value.to_str().unwrap().to_owned();
                if name == "allow" {
                    // A set; OPTIONS is Flask's own.
                    let mut methods: Vec<&str> =
                        value.split([',', ' ']).filter(|m| !["", "OPTIONS"].contains(m)).collect();
                    methods.sort_unstable();
                    value = methods.join(",");
                }
                shown.insert(name, self.shown(&value));
            }
        }
        for name in PRESENT {
            if headers.contains_key(name) {
                shown.insert(name, "<there>".to_owned());
            }
        }
        json!(shown)
    }

    fn normal(&self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                members.iter().map(|(key, value)| (key.clone(), self.normal(key, value))).collect()
            }
            // Those of other tests are beside ours.
            Value::Array(items) if ["clusters", "clustertemplates"].contains(&key) => items
                .iter()
                .filter(|item| {
                    item["name"].as_str().is_none_or(|name| name.contains(&self.vars["u"]))
                })
                .map(|item| self.normal("", item))
                .collect(),
            Value::String(text) if text.starts_with("-----BEGIN CERTIFICATE-----") => {
                format!("<certificate, ends with a line: {}>", text.ends_with('\n')).into()
            }
            Value::Array(items) if key == "catalog" => {
                // The two serve different things.
                items
                    .iter()
                    .filter(|item| item["type"] == "identity")
                    .map(|i| self.normal("", i))
                    .collect()
            }
            Value::Array(items) => {
                let mut items: Vec<Value> =
                    items.iter().map(|item| self.normal(key, item)).collect();
                // The real one's order is that of a hash or of random ids.
                if ["access_rules", "methods", "projects", "roles"].contains(&key) {
                    items.sort_by_key(ToString::to_string);
                }
                Value::Array(items)
            }
            Value::String(text) if key == "secret" => {
                Value::String(format!("<secret of {} characters>", text.len()))
            }
            Value::String(_) if key == "audit_ids" => "<audit id>".into(),
            Value::String(text) => self.shown(text).into(),
            other => other.clone(),
        }
    }

    /// A text without what differs from run to run.
    fn shown(&self, text: &str) -> String {
        // What follows there is Keystone's own schema.
        let text = text.split_once("\n\nFailed validating").map_or(text, |(said, _)| said);
        let mut text = text.replace(&self.base, "<base>");
        if !self.magnum.is_empty() {
            // The stand-in's begins as its Keystone's does.
            let path = self.magnum.strip_prefix(&self.base).unwrap_or_default();
            text = text.replace(&self.magnum, "<magnum>");
            if !path.is_empty() {
                text = text.replace(&format!("<base>{path}"), "<magnum>");
            }
        }
        for (name, value) in &self.vars {
            if !value.is_empty() {
                text = text.replace(value, &format!("{{{name}}}"));
            }
        }
        let digits: String =
            text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        if digits.starts_with("9999-99-99T99:99:99") {
            return digits;
        }
        let mut out = String::new();
        for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let (body, end) = match word.char_indices().next_back() {
                Some((at, last)) if !last.is_ascii_alphanumeric() => word.split_at(at),
                _ => (word, ""),
            };
            let is_id = body.len() == 32 && body.bytes().all(|b| b.is_ascii_hexdigit());
            out.push_str(if is_id { "<id>" } else { body });
            out.push_str(end);
        }
        // Magnum's own credentials end in eight random digits.
        match out.rsplit_once('-') {
            Some((start, _)) if start.starts_with("magnum-") => format!("{start}-<digits>"),
            _ => without_uuids(&out),
        }
    }
}

fn without_uuids(text: &str) -> String {
    let is_uuid = |part: &str| {
        let lengths = [8, 4, 4, 4, 12];
        let parts: Vec<&str> = part.split('-').collect();
        parts.len() == lengths.len()
            && parts.iter().zip(lengths).all(|(part, length)| part.len() == length)
            && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.get(..36).is_some_and(is_uuid) {
            out.push_str("<uuid>");
            rest = &rest[36..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Writes one line for each place in which two answers differ.
fn differences_at(place: &str, real: &Value, stand_in: &Value, out: &mut String) {
    match (real, stand_in) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let member =
                    |of: &Map<String, Value>| of.get(key).cloned().unwrap_or("<absent>".into());
                differences_at(&format!("{place}/{key}"), &member(one), &member(other), out);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differences_at(&format!("{place}/{index}"), one, other, out);
            }
        }
        _ if real == stand_in => {}
        _ => drop(writeln!(out, "{place}\n  real:    {real}\n  sandbox: {stand_in}")),
    }
}

/// A login's body by user name and password, scoped to that project if one is given.
pub(crate) fn password(name: &str, password: &str, project: Option<Value>) -> Value {
    let user = json!({ "name": name, "domain": { "id": "default" }, "password": password });
    let mut auth = json!({ "identity": { "methods": ["password"], "password": { "user": user } } });
    if let Some(project) = project {
        auth["scope"] = json!({ "project": project });
    }
    json!({ "auth": auth })
}

/// A login's body by application credential.
pub(crate) fn credential(payload: &Value) -> Value {
    json!({ "auth": { "identity": {
        "methods": ["application_credential"],
        "application_credential": payload,
    }}})
}
