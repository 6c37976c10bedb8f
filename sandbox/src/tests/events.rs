//! Events by their names. That each does what the real thing does is the differential test's
//! business; here, that the handle's methods reach it.

use serde_json::json;

use super::{issue, log_in, token};
use crate::{Event, Sandbox};

struct Scene {
    sandbox: Sandbox,
    id: String,
    secret: String,
}

impl Scene {
    /// Alice holds a credential with two roles on the project demo.
    async fn new() -> Self {
        let sandbox = Sandbox::start().await;
        let alice = token(&sandbox, "alice", "demo");
        let roles = json!([{ "name": "_member_" }, { "name": "project_admin" }]);
        let (id, secret) = issue(&sandbox, &alice, &json!({ "name": "one", "roles": roles }));
        Self { sandbox, id, secret }
    }

    /// What a login with it is answered with, and how many roles that gives.
    fn login(&self) -> (u16, usize) {
        let answer = log_in(&self.sandbox, &self.id, &self.secret);
        let roles = answer.json()["token"]["roles"].as_array().map_or(0, Vec::len);
        (answer.status, roles)
    }

    fn exists(&self) -> bool {
        self.sandbox.credentials("alice").iter().any(|found| found.id == self.id)
    }
}

#[tokio::test]
async fn roles_come_and_go() {
    let scene = Scene::new().await;
    assert_eq!(scene.login(), (201, 2));
    scene.sandbox.remove_role("alice", "demo", "_member_");
    assert_eq!(scene.login(), (201, 1));
    scene.sandbox.remove_role("alice", "demo", "project_admin");
    assert_eq!(scene.login(), (401, 0));
    scene.sandbox.grant_role("alice", "demo", "_member_");
    assert_eq!(scene.login(), (201, 1));
    scene.sandbox.delete_role("compute_start_stop");
    assert_eq!((scene.login().0, scene.exists()), (404, false));
}

#[tokio::test]
async fn users_and_projects_come_and_go() {
    let scene = Scene::new().await;
    scene.sandbox.disable_user("alice");
    assert_eq!(scene.login().0, 401);
    scene.sandbox.enable_user("alice");
    assert_eq!(scene.login().0, 201);
    scene.sandbox.change_password("alice", "another");
    assert_eq!(scene.sandbox.user("alice").password, "another");
    assert_eq!(scene.login().0, 201);
    scene.sandbox.disable_project("demo");
    assert_eq!(scene.login().0, 404);
    scene.sandbox.enable_project("demo");
    assert_eq!(scene.login().0, 201);
    scene.sandbox.delete_project("demo");
    assert_eq!((scene.login().0, scene.exists()), (404, true));
    scene.sandbox.delete_user("alice");
    assert_eq!(scene.login().0, 404);
}

#[tokio::test]
async fn a_credential_goes_behind_its_owners_back() {
    let scene = Scene::new().await;
    scene.sandbox.delete_credential(&scene.id);
    assert_eq!((scene.login().0, scene.exists()), (404, false));
}

#[tokio::test]
async fn somebody_new_is_let_in() {
    let sandbox = Sandbox::start().await;
    sandbox.create_user("eve");
    sandbox.create_project("fresh");
    sandbox.create_role("gardener");
    sandbox.grant_role("eve", "fresh", "gardener");
    token(&sandbox, "eve", "fresh");
    assert_eq!(sandbox.role("gardener").name, "gardener");
    let by_id = sandbox.user(&sandbox.user("eve").id);
    assert_eq!(by_id.password, "evepw");
}

#[tokio::test]
async fn names_that_are_not_there_are_told() {
    let sandbox = Sandbox::start().await;
    let gone = sandbox.apply(&Event::DeleteCredential { credential: "none".into() }).unwrap_err();
    assert_eq!((gone.kind, gone.name.as_str()), ("credential", "none"));
}

#[tokio::test]
#[should_panic(expected = "the sandbox has no role `wizard`")]
async fn a_test_that_names_what_it_never_made_stops() {
    Sandbox::start().await.delete_role("wizard");
}
