//! The two calls that change anything: start, and complete. In which order they look at things, and what they refuse.

use axum::http::{HeaderName, StatusCode};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::Value;

use super::answers::{Etag, Replay, Rule};
use super::call::{Answer, Call};
use super::clusters::{etag, status_etag};
use super::model::{Cluster, Oke, Phase, Token, Trouble, WorkKind};
use super::ocid::regional_ocid;
use super::people::Access;
use super::refuse;
use crate::http::Reply;

const WORK_REQUEST: HeaderName = HeaderName::from_static("opc-work-request-id");
const DAY: SignedDuration = SignedDuration::from_hours(24);
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 90);

pub(crate) fn start(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let place = oke.cluster(call, Access::Manage)?;
    if let Some(reply) = oke.replayed(call)? {
        return Ok(reply);
    }
    let delay = delay(&call.ask.body)?;
    oke.is_current(call, place)?;
    let cluster = &oke.clusters[place];
    can_change(cluster)?;
    let unsuitable = |message: &str| refuse::unsuitable(oke.answers.refusal, message);
    if waits(cluster) {
        return Err(unsuitable("A credential rotation is already in progress for this cluster."));
    }
    if minor(&cluster.kubernetes_version) < 20 {
        return Err(unsuitable(
            "Credential rotation is supported for Kubernetes version 1.20 and later.",
        ));
    }
    if !cluster.virtual_pools.is_empty() {
        return Err(unsuitable(
            "Credential rotation is not supported for clusters with virtual nodes.",
        ));
    }
    if oke.answers.node_rule == Rule::AtTheCall && !cluster.nodes_are_ready() {
        return Err(unsuitable("All worker nodes must be READY."));
    }
    Ok(oke.begin(call, place, WorkKind::Start, delay))
}

pub(crate) fn complete(oke: &mut Oke, call: &Call<'_>) -> Answer {
    let place = oke.cluster(call, Access::Manage)?;
    if let Some(reply) = oke.replayed(call)? {
        return Ok(reply);
    }
    oke.is_current(call, place)?;
    let cluster = &oke.clusters[place];
    can_change(cluster)?;
    let unsuitable = |message: &str| refuse::unsuitable(oke.answers.refusal, message);
    if !waits(cluster) {
        return Err(unsuitable("There is no credential rotation to complete."));
    }
    let early = cluster.may_complete_at(&oke.answers).is_some_and(|from| call.ask.now < from);
    let message = "The new credentials must be at least 24 hours old.";
    match oke.answers.day_rule {
        Rule::AtTheCall if early => return Err(unsuitable(message)),
        Rule::InTheWorkRequest if early => {
            let trouble = Trouble { message: message.to_owned(), after_effect: false };
            oke.clusters[place].trouble = Some(trouble);
        }
        _ => {}
    }
    if oke.answers.node_rule == Rule::AtTheCall && !oke.clusters[place].nodes_are_ready() {
        return Err(unsuitable("All worker nodes must be READY."));
    }
    Ok(oke.begin(call, place, WorkKind::Complete, SignedDuration::ZERO))
}

/// New credentials are there, or a completion has failed.
fn waits(cluster: &Cluster) -> bool {
    let phase = cluster.rotation.as_ref().map(|rotation| rotation.phase);
    matches!(phase, Some(Phase::Overlap | Phase::Retiring))
}

fn can_change(cluster: &Cluster) -> Result<(), Reply> {
    if let Some(work) = &cluster.work {
        return Err(refuse::busy(&work.request));
    }
    if cluster.state == "ACTIVE" {
        return Ok(());
    }
    let message = format!("The cluster is {}.", cluster.state);
    Err(refuse::error(StatusCode::CONFLICT, "IncorrectState", &message))
}

fn delay(body: &[u8]) -> Result<SignedDuration, Reply> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| refuse::parameter("The request's body could not be parsed."))?;
    let text = body["autoCompletionDelayDuration"].as_str();
    let text = text.ok_or_else(|| refuse::missing("autoCompletionDelayDuration"))?;
    let refused = || {
        refuse::parameter(&format!(
            "autoCompletionDelayDuration must be between P1D and P90D, not {text}"
        ))
    };
    let span: Span = text.parse().map_err(|_| refused())?;
    // Whether the service knows weeks and months is not known; whoever sends them cannot rely on it.
    if !text.starts_with('P')
        || i32::from(span.get_years()) + span.get_months() + span.get_weeks() != 0
    {
        return Err(refused());
    }
    let delay = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refused())?;
    if (DAY..=LONGEST).contains(&delay) { Ok(delay) } else { Err(refused()) }
}

fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|text| text.parse().ok()).unwrap_or_default()
}

impl Oke {
    /// What the call with this retry token was answered with before, for a day.
    fn replayed(&self, call: &Call<'_>) -> Result<Option<Reply>, Reply> {
        let Some(text) = call.ask.header("opc-retry-token") else { return Ok(None) };
        let fresh = |token: &&Token| call.ask.now.duration_since(token.at) < DAY;
        let of_call = |token: &&Token| token.text == text && token.call == name(call);
        let Some(token) = self.tokens.iter().find(of_call).filter(fresh) else { return Ok(None) };
        match self.answers.replay {
            Replay::Same => Ok(Some(self.accepted(&token.request))),
            Replay::InvalidatedRetryToken => Err(refuse::used_token()),
            Replay::Anew => Ok(None),
        }
    }

    fn is_current(&self, call: &Call<'_>, place: usize) -> Result<(), Reply> {
        let Some(wanted) = call.ask.header("if-match") else { return Ok(()) };
        let cluster = &self.clusters[place];
        let current = match self.answers.etag {
            Etag::Cluster => etag(cluster),
            Etag::Status => status_etag(cluster),
        };
        if wanted == current { Ok(()) } else { Err(refuse::stale()) }
    }

    fn begin(
        &mut self,
        call: &Call<'_>,
        place: usize,
        kind: WorkKind,
        delay: SignedDuration,
    ) -> Reply {
        let (id, now) = (regional_ocid("clustersworkrequest", &mut self.ids), call.ask.now);
        let Self { answers, clusters, requests, .. } = self;
        let cluster = &mut clusters[place];
        let before = cluster.shown(answers);
        match kind {
            WorkKind::Start => cluster.start(delay, false, now),
            _ => cluster.retiring(),
        }
        cluster.begin(answers, requests, id.clone(), kind, false, now);
        cluster.lags_behind(answers, before);
        if let Some(text) = call.ask.header("opc-retry-token") {
            let (text, call) = (text.to_owned(), name(call));
            self.tokens.push(Token { text, call, request: id.clone(), at: now });
        }
        self.accepted(&id)
    }

    fn accepted(&self, request: &str) -> Reply {
        let status = StatusCode::from_u16(self.answers.accepted).unwrap_or(StatusCode::ACCEPTED);
        let reply = Reply::empty(status);
        if self.answers.names_work_request {
            reply.with_header(WORK_REQUEST, request)
        } else {
            reply
        }
    }
}

fn name(call: &Call<'_>) -> String {
    format!("{} {}", call.ask.method, call.ask.path)
}
