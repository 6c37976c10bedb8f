//! Secrets that must turn up nowhere but where the user sent them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Attributes that hold a secret, in whatever resource they are.
const SECRET_ATTRIBUTES: [&str; 4] = ["kubeconfig", "password", "secret", "token"];

/// The secrets that are known so far, each with what it is.
#[derive(Debug, Default)]
pub(crate) struct Canary(BTreeMap<String, String>);

impl Canary {
    /// From now on this text is searched for.
    pub(crate) fn watch(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 8, "{what}: too short to be searched for");
        self.0.insert(secret.to_owned(), what.to_owned());
    }

    /// Watches for the secrets of the provider's own resources in a state file.
    pub(crate) fn learn(&mut self, state: &Value) {
        let resources = state["resources"].as_array().into_iter().flatten();
        for resource in resources.filter(|resource| is_ours(resource)) {
            for instance in resource["instances"].as_array().into_iter().flatten() {
                for name in SECRET_ATTRIBUTES {
                    if let Some(secret) = instance["attributes"][name].as_str() {
                        self.watch(&format!("{}.{name}", resource["type"]), secret);
                    }
                }
            }
        }
    }

    /// Fails the test if one of these texts holds a secret, and says where; the secret is not printed again.
    #[track_caller]
    pub(crate) fn check(&self, where_from: &str, texts: &[(&str, &str)]) {
        for (place, text) in texts {
            for (secret, what) in &self.0 {
                if let Some((at, line)) =
                    text.lines().enumerate().find(|(_, line)| line.contains(secret.as_str()))
                {
                    let masked: String = line.replace(secret, "****").chars().take(400).collect();
                    panic!("{what} stands in {place} of `{where_from}`, line {}: {masked}", at + 1);
                }
            }
        }
    }
}

fn is_ours(resource: &Value) -> bool {
    resource["type"].as_str().is_some_and(|name| name.starts_with("rekey_"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Canary;

    fn learned() -> Canary {
        let mut canary = Canary::default();
        canary.learn(&json!({ "resources": [{
            "type": "rekey_application_credential",
            "instances": [{ "attributes": { "secret": "a-marker-secret", "name": "harmless-name" } }],
        }]}));
        canary
    }

    #[test]
    #[should_panic(expected = "secret stands in the log of `apply`, line 2")]
    fn finds_what_the_state_holds() {
        learned().check("apply", &[("the log", "first\nsecond a-marker-secret")]);
    }

    #[test]
    fn lets_other_attributes_pass() {
        learned().check("apply", &[("the log", "harmless-name")]);
    }
}
