//! `/` and `/v1`: which versions of the API there are; and which one a request wants.

use axum::http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use super::call::Answer;
use super::microversion::{OLDEST, Version};
use super::refuse;
use super::site::Site;
use crate::http::{Ask, Reply};

const API_VERSION: HeaderName = HeaderName::from_static("openstack-api-version");
const MINIMUM_VERSION: HeaderName = HeaderName::from_static("openstack-api-minimum-version");
const MAXIMUM_VERSION: HeaderName = HeaderName::from_static("openstack-api-maximum-version");
/// What a header may call the service; answers have the last one.
const TYPES: [&str; 3] =
    ["container-infra", "container-infrastructure", "container-infrastructure-management"];

/// `GET /`.
pub(crate) fn list(site: &Site) -> Answer {
    Ok(Reply::ok(&json!({
        "name": "OpenStack Magnum API",
        "description": "Magnum is an OpenStack project which aims to provide container cluster management.",
        "versions": [{
            "id": "v1",
            "links": [{ "href": format!("{}/v1/", site.base()), "rel": "self" }],
            "status": "CURRENT",
            "max_version": site.magnum().newest.to_string(),
            "min_version": OLDEST.to_string(),
        }],
    })))
}

/// `GET /v1`.
pub(crate) fn show(site: &Site) -> Answer {
    let base = site.base();
    let links = |path: &str| {
        json!([
            { "href": format!("{base}/v1/{path}"), "rel": "self" },
            { "href": format!("{base}/{path}"), "rel": "bookmark" },
        ])
    };
    let mut body = json!({
        "id": "v1",
        "media_types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.magnum.v1+json",
        }],
        "links": [
            { "href": format!("{base}/v1/"), "rel": "self" },
            {
                "href": "http://docs.openstack.org/developer/magnum/dev/api-spec-v1.html",
                "rel": "describedby",
                "type": "text/html",
            },
        ],
    });
    for name in ["clustertemplates", "clusters", "certificates", "credentials"] {
        body[name] = links(&format!("{name}/"));
    }
    Ok(Reply::ok(&body))
}

/// The version of a request's header; the oldest without one.
pub(crate) fn wanted(site: &Site, ask: &Ask) -> Result<Version, Reply> {
    let Some(header) = ask.header("openstack-api-version") else { return Ok(OLDEST) };
    let mut words = header.split_whitespace();
    let service = words.next().unwrap_or_default();
    let text = words.next().unwrap_or_default();
    if !TYPES.contains(&service) || text.is_empty() {
        let detail = "Invalid service type for OpenStack-API-Version header";
        return Err(refuse::not_acceptable(ask, detail));
    }
    let newest = site.magnum().newest;
    if text == "latest" {
        return Ok(newest);
    }
    let numbers = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match numbers {
        None => Err(refuse::not_acceptable(ask, "Invalid value for OpenStack-API-Version header")),
        Some((1, minor)) if OLDEST.0 <= minor && minor <= newest.0 => Ok(Version(minor)),
        Some(_) => Err(named(unsupported(ask, text, newest), newest, text)
            .with_header(header::VARY, "OpenStack-API-Version")),
    }
}

fn unsupported(ask: &Ask, text: &str, newest: Version) -> Reply {
    let service = TYPES[2];
    let mut error: Value = json!({
        "code": "magnum.microversion-unsupported",
        "title": "Requested microversion is unsupported",
        "max_version": newest.to_string(),
        "min_version": OLDEST.to_string(),
        "links": [{
            "rel": "help",
            "href": "http://docs.openstack.org/api-guide/compute/microversions.html",
        }],
    });
    if refuse::wants_json(ask) {
        // Without a space between the sentences of the one, as in the real one.
        let why = if text.starts_with("1.") {
            format!(
                "Version {text} was requested but the minor version is not supported by this service. "
            )
        } else {
            format!(
                "Mutually exclusive versions requested. Version {text} requested but not supported by this service."
            )
        };
        error["description"] = json!(format!(
            "{why}The supported version range is: [{service} {OLDEST}, {service} {newest}]."
        ));
    }
    Reply::json(StatusCode::NOT_ACCEPTABLE, &json!({ "errors": [error] }))
}

/// With the three headers.
pub(crate) fn named(reply: Reply, newest: Version, version: &str) -> Reply {
    let service = TYPES[2];
    reply
        .with_header(MINIMUM_VERSION, format!("{service} {OLDEST}"))
        .with_header(MAXIMUM_VERSION, format!("{service} {newest}"))
        .with_header(API_VERSION, format!("{service} {version}"))
}
