//! A consumer of the credential: logs in with what it was handed, as any OpenStack client does. And its owner, who
//! calls the cloud by hand.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

pub(crate) struct Credential {
    pub(crate) generation: i64,
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// The roles of the token, or what Keystone says against it.
pub(crate) async fn login(
    keystone: SocketAddr,
    credential: &Credential,
) -> Outcome<Result<Vec<String>, String>> {
    let body = json!({ "auth": { "identity": {
        "methods": ["application_credential"],
        "application_credential": { "id": credential.id, "secret": credential.secret },
    }}});
    let reply = exchange(keystone, "POST", "/v3/auth/tokens", "", &body).await?;
    let (head, body) = reply.split_once("\r\n\r\n").ok_or("Keystone's answer has no end")?;
    let status = head.split(' ').nth(1).ok_or("Keystone's answer has no status")?;
    let answer: Value = serde_json::from_str(body)?;
    if status == "201" {
        let roles = answer["token"]["roles"].as_array().ok_or("a token without roles")?;
        return Ok(Ok(roles
            .iter()
            .filter_map(|role| role["name"].as_str().map(str::to_owned))
            .collect()));
    }
    let message = answer["error"]["message"].as_str().unwrap_or("no reason given");
    Ok(Err(format!("{status} {}", message.trim_end_matches('.'))))
}

/// A user's token for a project.
pub(crate) async fn token(
    keystone: SocketAddr,
    user: &str,
    password: &str,
    project: &str,
) -> Outcome<String> {
    let domain = json!({ "name": "Default" });
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": {
            "user": { "name": user, "domain": domain, "password": password },
        }},
        "scope": { "project": { "name": project, "domain": domain } },
    }});
    let reply = exchange(keystone, "POST", "/v3/auth/tokens", "", &body).await?;
    let named = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-subject-token").then(|| value.to_owned())
    };
    Ok(reply.lines().find_map(named).ok_or("Keystone gave no token")?)
}

/// The JSON of a call's answer; null for no body.
pub(crate) async fn send(
    cloud: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Outcome<Value> {
    let reply = exchange(cloud, method, path, token, body).await?;
    let (_, body) = reply.split_once("\r\n\r\n").ok_or("the answer has no end")?;
    Ok(serde_json::from_str(body)?)
}

async fn exchange(
    cloud: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Outcome<String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let token = if token.is_empty() { String::new() } else { format!("X-Auth-Token: {token}\r\n") };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {cloud}\r\nContent-Type: application/json\r\n{token}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(cloud).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}
