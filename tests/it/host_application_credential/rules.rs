//! Access rules, which Keystone leaves behind: those that were made for a credential go with it, and no
//! others do.

use serde_json::{Value as Json, json};

use super::{Bed, CI};
use crate::host::{PlanOptions, Workspace};
use crate::support::openstack::http_client;

fn rule(path: &str) -> Json {
    json!({ "service": "compute", "method": "GET", "path": path })
}

fn limited(paths: &[&str]) -> Json {
    let rules: Vec<Json> = paths.iter().map(|path| rule(path)).collect();
    json!({ "name_prefix": "ci-", "roles": ["member"], "access_rules": rules,
        "triggers": { "v": "1" } })
}

impl Bed {
    /// What alice has Keystone answer, past the provider.
    pub(super) async fn alice(&self, path: &str, body: Option<&Json>) -> Json {
        let account = self.cloud.user("alice");
        let login = json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user":
                { "id": account.id, "password": account.password } } },
            "scope": { "project": { "id": self.cloud.project("demo").id } },
        } });
        let http = http_client();
        let base = self.cloud.auth_url();
        let base = base.trim_end_matches("/v3");
        let token = http.post(format!("{base}/v3/auth/tokens")).json(&login).send().await.unwrap();
        let token = token.headers()["X-Subject-Token"].clone();
        let url = format!("{base}/v3/users/{}/{path}", account.id);
        let request = match body {
            Some(body) => http.post(url).json(body),
            None => http.get(url),
        };
        let answer = request.header("X-Auth-Token", token).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// The paths of alice's rules, used or left behind.
    async fn rules(&self) -> Vec<String> {
        let listed = self.alice("access_rules", None).await;
        let rules = listed["access_rules"].as_array().unwrap().iter();
        let mut paths: Vec<_> =
            rules.map(|rule| rule["path"].as_str().unwrap().to_owned()).collect();
        paths.sort();
        paths
    }

    /// A credential that alice makes by hand; its id.
    async fn by_hand(&self, name: &str, paths: &[&str]) -> String {
        let rules: Vec<Json> = paths.iter().map(|path| rule(path)).collect();
        let wish = json!({ "application_credential": { "name": name, "access_rules": rules } });
        let made = self.alice("application_credentials", Some(&wish)).await;
        made["application_credential"]["id"].as_str().unwrap().to_owned()
    }
}

async fn destroyed(ws: &mut Workspace) {
    ws.destroy().await.told.assert_success();
}

#[tokio::test]
async fn a_successor_takes_over_the_rules_of_its_predecessor() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(limited(&["/a", "/b"]));
    ws.change(CI, json!({ "overlap": "P7D" })).up_well().await;
    let made = ws.attribute(CI, "created_access_rules");
    assert_eq!(made.as_array().unwrap().len(), 2);
    ws.change(CI, json!({ "access_rules": [rule("/b"), rule("/c")] })).up_well().await;
    let old = &ws.attribute(CI, "previous_generations")["1"]["created_access_rules"];
    assert_eq!(*old, made);
    bed.pass_days(8);
    ws.up_well().await;
    assert_eq!(bed.rules().await, ["/b", "/c"], "/b is in use");
    ws.plan().await.assert_empty();
    destroyed(&mut ws).await;
    assert_eq!(bed.rules().await, Vec::<String>::new());
}

#[tokio::test]
async fn no_rule_outlives_a_replacement_but_what_was_there_before() {
    for create_before_destroy in [false, true] {
        for taint in [false, true] {
            let bed = Bed::start().await;
            let before = bed.by_hand("by hand", &["/mine"]).await;
            bed.cloud.delete_credential(&before);
            bed.by_hand("another", &["/shared"]).await;
            let mut ws = bed.workspace(limited(&["/a", "/b", "/mine", "/shared"]));
            ws.create_before_destroy(CI, create_before_destroy).up_well().await;
            let all = ["/a", "/b", "/mine", "/shared"];
            for _ in 0..2 {
                let mut options = PlanOptions::default();
                if taint {
                    ws.taint(CI);
                } else {
                    options.replace.push(CI.to_owned());
                }
                let plan = ws.plan_with(options).await;
                ws.apply(&plan).await.told.assert_success();
                assert_eq!(bed.rules().await, all);
                assert_eq!(ws.attribute(CI, "created_access_rules").as_array().unwrap().len(), 2);
            }
            // A replacement that wants another rule leaves none of the old.
            ws.change(CI, json!({ "access_rules": [rule("/b"), rule("/mine")] })).up_well().await;
            assert_eq!(bed.rules().await, ["/b", "/mine", "/shared"]);
            destroyed(&mut ws).await;
            assert_eq!(bed.rules().await, ["/mine", "/shared"]);
        }
    }
}

#[tokio::test]
async fn a_rule_of_two_resources_goes_with_the_last_of_them() {
    const OTHER: &str = "rekey_application_credential.other";
    let bed = Bed::start().await;
    let mut ws = bed.workspace(limited(&["/a"]));
    ws.up_well().await;
    let mut other = bed.host.workspace();
    other.provider(bed.login("alice")).resource(OTHER, limited(&["/a"])).up_well().await;
    destroyed(&mut ws).await;
    assert_eq!(bed.rules().await, ["/a"]);
    destroyed(&mut other).await;
    assert_eq!(bed.rules().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_stray_and_a_dead_run_leave_no_rule() {
    let bed = Bed::start().await;
    let mut ws = bed.workspace(limited(&["/a"]));
    ws.change(CI, json!({ "overlap": "P7D" })).up_well().await;
    let restored = ws.clone();
    ws.change(CI, json!({ "access_rules": [rule("/b")] })).up_well().await;
    let stray = ws.attribute(CI, "id");
    let mut ws = restored;
    ws.refresh().await;
    ws.change(CI, json!({ "revoke_strays": [stray] })).up_well().await;
    assert_eq!(bed.rules().await, ["/a"]);

    let open = |paths: &[&str]| {
        let rules: Vec<Json> = paths.iter().map(|path| rule(path)).collect();
        let config = if rules.is_empty() { json!({}) } else { json!({ "access_rules": rules }) };
        bed.host.open(bed.login("alice"), "rekey_application_credential", config)
    };
    // Never closed: the run died.
    drop(open(&["/dead"]).await.expect("a credential"));
    bed.pass_days(1);
    open(&[]).await.expect("a credential").close().await.assert_success();
    assert_eq!(bed.rules().await, ["/a"]);
}
