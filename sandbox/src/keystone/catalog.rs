//! Versions and the service catalog.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::answer::Answer;
use super::caller::Caller;
use super::model::{Keystone, Service};
use super::refuse;
use crate::http::{Ask, Reply};

const REGION: &str = "RegionOne";

/// `GET /`.
pub(crate) fn versions(keystone: &mut Keystone, _: &Ask) -> Answer {
    let body = json!({ "versions": { "values": [version_body(keystone)] } });
    Ok(Reply::json(StatusCode::MULTIPLE_CHOICES, &body)
        .with_header(header::LOCATION, format!("{}/v3/", keystone.base)))
}

/// `GET /v3`.
pub(crate) fn version(keystone: &mut Keystone, _: &Ask) -> Answer {
    Ok(Reply::ok(&json!({ "version": version_body(keystone) })))
}

fn version_body(keystone: &Keystone) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{}/v3/", keystone.base) }],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}

/// `GET /v3/auth/catalog`.
pub(crate) fn show(keystone: &mut Keystone, ask: &Ask, caller: &Caller) -> Answer {
    if caller.project_id.is_none() {
        return Err(refuse::forbidden("You are not authorized to perform the requested action."));
    }
    let this = format!("{}{}", keystone.base, ask.path);
    let body = json!({ "catalog": keystone.catalog(), "links": { "self": this } });
    Ok(Reply::ok(&body))
}

impl Keystone {
    /// What is served here, under its type. Ids are the same in every answer.
    pub(super) fn catalog(&self) -> Value {
        self.services.iter().map(|service| self.service_body(service)).collect()
    }

    fn service_body(&self, service: &Service) -> Value {
        let id = |suffix: usize| {
            let spelled =
                service.kind.bytes().fold(0_u128, |sum, byte| (sum << 8) | u128::from(byte));
            format!("{:031x}{suffix}", spelled & (u128::MAX >> 4))
        };
        let endpoints: Vec<Value> = ["public", "internal", "admin"]
            .iter()
            .enumerate()
            .map(|(index, interface)| {
                json!({
                    "id": id(index + 1),
                    "interface": interface,
                    "region_id": REGION,
                    "url": format!("{}{}", self.base, service.path),
                    "region": REGION,
                })
            })
            .collect();
        json!({ "endpoints": endpoints, "id": id(0), "type": service.kind, "name": service.name })
    }
}
