//! What a login may do, asked of the API server before anything is touched.

use serde::Deserialize;
use serde_json::json;

use super::client::{Answer, Client};
use super::error::Error;
use super::permission::Permission;
use crate::cloud::http::{Method, Patience};

impl Client {
    /// Those of `wanted` that this login does not have, by the server's own judgement
    /// (`SelfSubjectAccessReview`): nothing is touched.
    pub async fn missing_permissions(
        &self,
        wanted: &[Permission],
        patience: &Patience,
    ) -> Result<Vec<Permission>, Error> {
        let mut missing = Vec::new();
        for permission in wanted {
            if !self.may(permission, patience).await? {
                missing.push(permission.clone());
            }
        }
        Ok(missing)
    }

    async fn may(&self, permission: &Permission, patience: &Patience) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Review {
            status: Status,
        }
        #[derive(Deserialize)]
        struct Status {
            allowed: bool,
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": permission },
        });
        let request = self.with_body(Method::POST, REVIEWS, &review, "application/json")?.reads();
        let answer: Answer<Review> = self.call(&request, patience).await?;
        Ok(answer.body.status.allowed)
    }
}

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
