//! Where a new secret goes: what the guides about the hand-over say of a file, shown with the real CLI, a real Keystone and
//! the real `openstack`. Kubernetes is in `scenarios_openshift::chain` and `scenarios_pipeline`; for the others there is
//! no provider here.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::openstack::{Keystone, User, unique};
use crate::support::terraform::{Workspace, repository};
use crate::support::tools::{Cli, Feature};

const CREDENTIAL: &str = "rekey_application_credential.backup";
const FILE: &str = "service/clouds.yaml";

fn example(cli: &Cli, user: &User, folder: &str) -> Workspace {
    let mut workspace = Workspace::new(cli);
    workspace.watch("the user's password", &user.password);
    workspace.clouds_yaml(&user.clouds_yaml().replace("\"test\"", "\"mycloud\""));
    let file = repository("examples").join(folder).join("main.tf");
    workspace.write("main.tf", &std::fs::read_to_string(file).unwrap());
    workspace
}

/// The id of the credential in the file, with which `openstack` has just logged in.
async fn id_in_use(workspace: &Workspace) -> String {
    let text = std::fs::read_to_string(workspace.path(FILE)).unwrap();
    Keystone::openstack(&text, "openstack", &["token", "issue"]).await.ok();
    let clouds: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let auth = &clouds["clouds"]["openstack"]["auth"];
    auth["application_credential_id"].as_str().unwrap().to_owned()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The rotation that is due in this workspace, with a hand-over that fails.
async fn a_failed_hand_over_is_made_up_for(
    workspace: &mut Workspace,
    keystone: &Keystone,
    user: &User,
) {
    let first = id_in_use(workspace).await;
    // The place of the new file is taken.
    std::fs::create_dir(workspace.path("service/clouds.yaml.new")).unwrap();
    workspace.apply(&[]).await.fails().says("local-exec provisioner error");
    assert_eq!(id_in_use(workspace).await, first, "the consumer goes on");
    assert_eq!(keystone.credentials(user).await.len(), 2);

    // The plan takes up the hand-over, and nothing else.
    let plan = workspace.plan(&[]).await.ok();
    assert_eq!(plan.actions("terraform_data.clouds_yaml"), ["delete", "create"]);
    assert_eq!(plan.actions(CREDENTIAL), ["no-op"]);
    std::fs::remove_dir(workspace.path("service/clouds.yaml.new")).unwrap();
    workspace.apply(&[]).await.ok();
    assert_ne!(id_in_use(workspace).await, first);
    assert_eq!(keystone.credentials(user).await.len(), 2, "nothing was issued again");
    workspace.plan(&[]).await.empty();
}

#[tokio::test]
async fn a_file_is_its_owners_alone_and_follows_each_rotation() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = example(cli, &alice, "hand-over-file");
        workspace.apply(&[]).await.ok();
        id_in_use(&workspace).await;
        assert_eq!(mode(&workspace.path(FILE)), 0o600);
        assert_eq!(mode(&workspace.path("service")), 0o700);
        workspace.plan(&[]).await.empty();
        // Once, in the credential: not what the provisioner was given.
        let state = std::fs::read_to_string(workspace.path("terraform.tfstate")).unwrap();
        let secret = workspace.resource(CREDENTIAL).await["secret"].as_str().unwrap().to_owned();
        assert_eq!(state.matches(&secret).count(), 1);

        workspace.env("TF_VAR_reissue", "2");
        a_failed_hand_over_is_made_up_for(&mut workspace, &keystone, &alice).await;
        assert_eq!(mode(&workspace.path(FILE)), 0o600);
    }
}

#[tokio::test]
async fn with_a_secret_of_ones_own_only_the_file_holds_it() {
    let keystone = Keystone::get().await;
    for cli in Cli::all().iter().filter(|cli| cli.has(Feature::WriteOnlyArguments)) {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = example(cli, &alice, "hand-over-file-own-secret");
        let secrets = [unique("a-secret-of-my-own"), unique("another-secret-of-my-own")];
        for secret in &secrets {
            workspace.watch("my own secret", secret);
        }
        workspace.env("TF_VAR_secret", &secrets[0]);
        workspace.apply(&[]).await.ok();
        workspace.env("TF_VAR_secret", &secrets[1]);
        workspace.env("TF_VAR_secret_version", "2");
        a_failed_hand_over_is_made_up_for(&mut workspace, &keystone, &alice).await;
        for file in ["terraform.tfstate", "terraform.tfstate.backup", "tfplan"] {
            let bytes = std::fs::read(workspace.path(file)).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{file}");
        }
    }
}

/// What the guide about Vault builds on: an ephemeral value is another one in each run, and the same one everywhere in
/// one apply. In place of Vault there is a file.
#[tokio::test]
async fn an_ephemeral_secret_is_the_same_in_two_places_after_one_apply() {
    let keystone = Keystone::get().await;
    for cli in Cli::all().iter().filter(|cli| cli.has(Feature::WriteOnlyArguments)) {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = Workspace::with_login(cli, &alice);
        workspace.write(
            "main.tf",
            r#"
variable "rotation" {
  type = number
}

# Its secret is as good as any password that is made anew in each run.
ephemeral "rekey_application_credential" "random" {
  expires_in = "PT5M"
}

resource "terraform_data" "elsewhere" {
  triggers_replace = var.rotation

  provisioner "local-exec" {
    command     = "printf %s \"$SECRET\" > elsewhere"
    environment = { SECRET = ephemeral.rekey_application_credential.random.secret }
  }
}

resource "rekey_application_credential" "service" {
  name_prefix       = "service-"
  overlap           = "7d"
  secret_wo         = ephemeral.rekey_application_credential.random.secret
  secret_wo_version = var.rotation
}
"#,
        );
        let mut secrets = Vec::new();
        for rotation in ["1", "2"] {
            workspace.env("TF_VAR_rotation", rotation);
            workspace.apply(&[]).await.ok();
            let secret = std::fs::read_to_string(workspace.path("elsewhere")).unwrap();
            workspace.watch("the ephemeral secret", &secret);
            let state = workspace.resource("rekey_application_credential.service").await;
            let id = state["id"].as_str().unwrap();
            alice.credential_login(id, &secret).await.expect("one secret in both places");
            // Both places stay as they are in a run in which nothing has changed, with yet another value.
            workspace.apply(&[]).await.ok().says("0 added, 0 changed");
            alice.credential_login(id, &secret).await.unwrap();
            secrets.push(secret);
        }
        assert_ne!(secrets[0], secrets[1]);
    }
}
