//! `/v1/clustertemplates`, and the templates that are there at the start.

use axum::http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::model::{Driver, Magnum, NotOne, Template};
use super::{refuse, views};
use crate::http::Reply;

/// Finds one, or says why not.
pub(crate) fn found<'m>(
    magnum: &'m Magnum,
    id: &str,
    project: Option<&str>,
) -> Result<&'m Template, Reply> {
    magnum.find_template(id, project).map_err(|not_one| match not_one {
        NotOne::Unknown => refuse::not_found("ClusterTemplate", id),
        NotOne::Ambiguous => refuse::ambiguous("cluster template", "cluster templates"),
    })
}

pub(crate) fn list(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    if !call.reads(call.project()) {
        return Err(refuse::forbidden("clustertemplate:get_all"));
    }
    let base = call.site.base();
    let seen = magnum.templates.iter().filter(|t| t.public || t.project_id == call.project());
    let shown: Vec<Value> = seen.map(|template| views::template(&base, template)).collect();
    Ok(Reply::ok(&json!({ "clustertemplates": shown })))
}

pub(crate) fn show(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let project = (!call.caller.is_admin()).then(|| call.project());
    let template = found(magnum, call.ask.param("template"), project)?;
    if !template.public && !call.reads(&template.project_id) {
        return Err(refuse::forbidden("clustertemplate:get"));
    }
    Ok(Reply::ok(&views::template(&call.site.base(), template)))
}

/// Makes one, of what is asked for here: its name, image, labels, whether it has TLS.
pub(crate) fn create(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let body: Value = serde_json::from_slice(&call.ask.body).map_err(|_| refuse::no_json())?;
    let known = ["name", "image_id", "labels", "tls_disabled", "coe"];
    let mut keys = body.as_object().into_iter().flat_map(|members| members.keys());
    if let Some(unknown) = keys.find(|key| !known.contains(&key.as_str())) {
        return Err(refuse::unknown_attribute("cluster_template", unknown));
    }
    if !call.is_member(call.project()) || call.caller.project_id.is_none() {
        return Err(refuse::forbidden("clustertemplate:create"));
    }
    let template = Template {
        uuid: magnum.ids.uuid(),
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        driver: if body["image_id"] == "stub-norotate" { Driver::NoRotation } else { Driver::Full },
        labels: body["labels"].as_object().cloned().unwrap_or_default(),
        tls_disabled: body["tls_disabled"].as_bool().unwrap_or(false),
        project_id: call.project().to_owned(),
        user_id: call.caller.user_id.clone(),
        public: false,
        created_at: call.ask.now,
    };
    let base = call.site.base();
    let shown = views::template(&base, &template);
    let place = format!("{base}/v1/clustertemplates/{}", template.uuid);
    magnum.templates.push(template);
    Ok(Reply::json(StatusCode::CREATED, &shown).with_header(header::LOCATION, place))
}

pub(crate) fn delete(magnum: &mut Magnum, call: &Call<'_>) -> Answer {
    let project = (!call.caller.is_admin()).then(|| call.project());
    let template = found(magnum, call.ask.param("template"), project)?;
    if !call.is_member(&template.project_id) {
        return Err(refuse::forbidden("clustertemplate:delete"));
    }
    let uuid = template.uuid.clone();
    if magnum.clusters.iter().any(|cluster| cluster.template_id == uuid) {
        return Err(refuse::bad_request(&format!(
            "ClusterTemplate {uuid} is referenced by one or multiple clusters."
        )));
    }
    magnum.templates.retain(|template| template.uuid != uuid);
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

impl Magnum {
    /// Templates of that project, named as a cloud names them; the test bed's Magnum has the same.
    pub(crate) fn plant_templates(&mut self, project_id: &str, user_id: &str, now: Timestamp) {
        let tag = |tag: &str| Map::from_iter([("kube_tag".to_owned(), json!(tag))]);
        let templates = [
            ("tpl-full", Driver::Full, Map::new()),
            ("tpl-norotate", Driver::NoRotation, Map::new()),
            ("kubernetes-v1.33.8", Driver::Full, tag("v1.33.8")),
            ("kubernetes-v1.34.2", Driver::Full, tag("v1.34.2")),
        ];
        for (name, driver, labels) in templates {
            self.templates.push(Template {
                uuid: self.ids.uuid(),
                name: name.to_owned(),
                driver,
                labels,
                tls_disabled: false,
                project_id: project_id.to_owned(),
                user_id: user_id.to_owned(),
                public: false,
                created_at: now,
            });
        }
    }
}
