//! A server for tests: answers as told, misbehaves as told, remembers what it was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::http::Url;

/// What comes back for one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Reads the request, then closes the connection without a word.
    Cut,
    /// Promises more bytes than it sends, then closes.
    Truncated {
        status: u16,
        body: String,
    },
    /// Reads the request, then says something that is not HTTP.
    NoHttp(&'static str),
    /// Reads the request and says nothing for a long time.
    Silence,
    /// Answers like the first after some time.
    Slow(Duration, Box<Reply>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.to_string() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /v3/users?name=x`.
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// A running server; ends with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Stub {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// `answer` gets the number of the request, from 0, and the request.
    pub(crate) async fn start(
        answer: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self { port: listener.local_addr().unwrap().port(), seen: Arc::default() };
        let (seen, answer) = (Arc::clone(&stub.seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move { serve(socket, &seen, &*answer).await });
            }
        });
        stub
    }

    /// Replies in this order; the last one again and again.
    pub(crate) async fn replies(replies: Vec<Reply>) -> Self {
        Self::start(move |number, _| replies[number.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

/// A port where nobody listens.
pub(crate) async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn serve(
    mut socket: TcpStream,
    seen: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(usize, &Seen) -> Reply + Send + Sync),
) {
    let Some(request) = read(&mut socket).await else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let mut reply = answer(number, &request);
    if let Reply::Slow(delay, then) = reply {
        tokio::time::sleep(delay).await;
        reply = *then;
    }
    let (status, headers, body, promised) = match reply {
        Reply::Answer { status, headers, body } => {
            let length = body.len();
            (status, headers, body, length)
        }
        Reply::Truncated { status, body } => {
            let length = body.len() + 100;
            (status, Vec::new(), body, length)
        }
        Reply::Cut | Reply::Slow(..) => return,
        Reply::NoHttp(text) => {
            let _ = socket.write_all(text.as_bytes()).await;
            return;
        }
        Reply::Silence => return tokio::time::sleep(Duration::from_mins(10)).await,
    };
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {promised}\r\n{headers}connection: close\r\n\r\n{body}"
    );
    // who has gone away does not want it
    let _ = socket.write_all(text.as_bytes()).await;
    let _ = socket.shutdown().await;
}

async fn read(socket: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    while bytes.len() < head + 4 + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[head + 4..].to_vec()).unwrap();
    Some(Seen { line, headers, body })
}
