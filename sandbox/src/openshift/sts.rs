//! The one call of AWS' token service that tells whose a key is. It knows keys by their id; that the signature is
//! right is not looked at.

use std::io;
use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::cloud::Cloud;

/// Serves as long as it is kept.
#[derive(Debug)]
pub struct Sts {
    /// For `AWS_ENDPOINT_URL_STS`.
    pub url: String,
    task: JoinHandle<()>,
}

impl Sts {
    /// Of that cloud, on the current runtime.
    pub async fn start(cloud: Cloud) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(answer).with_state(cloud);
        let task = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, task })
    }
}

impl Drop for Sts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(cloud): State<Cloud>, headers: HeaderMap) -> Response {
    let signed = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scope = signed.and_then(|text| text.split_once("Credential=")).map(|(_, scope)| scope);
    let id = scope.and_then(|scope| scope.split('/').next()).unwrap_or_default();
    let xml = [(header::CONTENT_TYPE, "text/xml")];
    let Some(user) = cloud.whose(id) else {
        let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message>\
             </Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>";
        return (StatusCode::FORBIDDEN, xml, body).into_response();
    };
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::123456789012:user/{user}</Arn><UserId>{id}</UserId><Account>123456789012</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>"
    );
    (xml, body).into_response()
}
