//! A consumer of the credential: logs in with what it was handed, as any OpenStack client does.

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
    }}})
    .to_string();
    let request = format!(
        "POST /v3/auth/tokens HTTP/1.1\r\nHost: {keystone}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(keystone).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;

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
