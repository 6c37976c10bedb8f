//! Every main.tf of examples/ is a configuration that is applied, changes nothing when planned again, and is
//! destroyed without a rest.

use std::path::{Path, PathBuf};

use rekey_sandbox::Sandbox;
use serde_json::json;

use crate::support::kubernetes::{ControlPlane, binary};
use crate::support::magnum::Magnum;
use crate::support::oci::Oci;
use crate::support::openstack::{Keystone, User, unique};
use crate::support::terraform::{Workspace, repository};
use crate::support::tools::{Cli, Feature};

/// The folders of the documentation tool hold parts of a configuration; all others hold a whole one.
const PARTS: [&str; 5] =
    ["provider", "resources", "data-sources", "functions", "ephemeral-resources"];

/// The user whose cloud is called `mycloud`, as in the examples.
fn workspace(cli: &Cli, user: &User) -> Workspace {
    let mut workspace = Workspace::new(cli);
    workspace.watch("the user's password", &user.password);
    workspace.clouds_yaml(&user.clouds_yaml().replace("\"test\"", "\"mycloud\""));
    let secret = unique("a-secret-of-my-own");
    workspace.watch("the example's secret", &secret);
    workspace.env("TF_VAR_secret", &secret);
    workspace
}

/// How the examples call `kubectl`: in a namespace of their own of the cluster that all tests share.
async fn kubectl(workspace: &mut Workspace) {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let (binary, kubeconfig) = (binary().display(), plane.facts().kubeconfig);
    let kubectl = format!("{binary} kubectl --kubeconfig {} -n {namespace}", kubeconfig.display());
    workspace.env("TF_VAR_kubectl", &kubectl);
}

async fn is_applied_and_destroyed(mut workspace: Workspace, keystone: &Keystone, user: &User) {
    workspace.apply(&[]).await.ok();
    workspace.plan(&[]).await.empty();
    workspace.destroy(&[]).await.ok();
    assert_eq!(keystone.credentials(user).await.len(), 0);
}

#[tokio::test]
async fn every_whole_configuration_works() {
    let keystone = Keystone::get().await;
    let (of_clusters, folders): (Vec<_>, Vec<_>) =
        whole().into_iter().partition(|folder| is_of_clusters(folder));
    assert!(folders.len() >= 4 && of_clusters.len() >= 2, "{folders:?} {of_clusters:?}");
    for cli in Cli::all() {
        for folder in &folders {
            println!("{} with {}", folder.display(), cli.path.display());
            let alice = keystone.user(&["member"]).await;
            let mut workspace = workspace(cli, &alice);
            let file = folder.join("main.tf");
            copy(&workspace, &file);
            if std::fs::read_to_string(&file).unwrap().contains("var.kubectl") {
                kubectl(&mut workspace).await;
            }
            if knows(cli, &file) {
                is_applied_and_destroyed(workspace, &keystone, &alice).await;
            } else {
                is_refused(workspace, &file).await;
            }
        }
    }
}

#[tokio::test]
async fn every_part_works_with_the_provider_block() {
    let keystone = Keystone::get().await;
    let parts = parts();
    let (of_clusters, of_credentials): (Vec<_>, Vec<_>) =
        parts.iter().partition(|part| is_of_clusters(part));
    assert!(of_credentials.len() >= 8 && of_clusters.len() >= 2, "{parts:?}");
    for cli in Cli::all() {
        for part in &of_credentials {
            println!("{} with {}", part.display(), cli.path.display());
            let alice = keystone.user(&["member"]).await;
            let workspace = workspace(cli, &alice);
            copy(&workspace, &repository("examples/provider/provider.tf"));
            copy(&workspace, part);
            if knows(cli, part) {
                is_applied_and_destroyed(workspace, &keystone, &alice).await;
            } else {
                is_refused(workspace, part).await;
            }
        }
    }
}

#[tokio::test]
async fn everything_about_clusters_works_with_a_real_magnum() {
    let magnum = Magnum::get().await;
    let alice = magnum.user("alice");
    let cluster = magnum.cluster(&alice, "kubernetes-v1.34.2", json!({})).await;
    let provider = repository("examples/provider/provider.tf");
    let parts = parts().into_iter().map(|part| vec![provider.clone(), part]);
    let whole = whole().into_iter().map(|folder| vec![folder.join("main.tf")]);
    let examples: Vec<_> =
        parts.chain(whole).filter(|files| is_of_clusters(files.last().unwrap())).collect();
    for cli in Cli::all() {
        for files in &examples {
            let part = files.last().unwrap();
            println!("{} with {}", part.display(), cli.path.display());
            let mut workspace = workspace(cli, &alice);
            for file in files {
                let text = std::fs::read_to_string(file).unwrap();
                let text = text.replace("= \"prod\"", &format!("= \"{}\"", cluster.name));
                workspace.write(file.file_name().unwrap().to_str().unwrap(), &text);
            }
            if !knows(cli, part) {
                is_refused(workspace, part).await;
                continue;
            }
            workspace.apply(&[]).await.ok();
            workspace.plan(&[]).await.empty();
            workspace.destroy(&[]).await.ok();
        }
    }
}

/// What a real Magnum cannot show, for want of machines: workloads that restart, an API server behind the CA.
#[tokio::test]
async fn everything_about_clusters_rotates_with_the_sandbox() {
    let whole = whole().into_iter().map(|folder| folder.join("main.tf"));
    for file in parts().into_iter().chain(whole).filter(|file| is_of_clusters(file)) {
        let cli = Cli::any();
        println!("{} with {}", file.display(), cli.path.display());
        let sandbox = Sandbox::start().await;
        // One that cannot be anything else in a log.
        sandbox.change_password("alice", &unique("password"));
        sandbox.create_cluster("alice", "prod", "kubernetes-v1.33.8");
        let (account, project) = (sandbox.user("alice"), sandbox.project("demo"));
        let alice = User {
            auth_url: sandbox.auth_url(),
            region: "RegionOne".to_owned(),
            id: account.id,
            name: account.name,
            password: account.password,
            project_id: project.id,
            project_name: project.name,
        };
        let mut workspace = workspace(cli, &alice);
        let text = std::fs::read_to_string(&file).unwrap();
        if !text.contains("provider \"rekey\"") {
            copy(&workspace, &repository("examples/provider/provider.tf"));
        }
        workspace.write("main.tf", &text);
        if !knows(cli, &file) {
            is_refused(workspace, &file).await;
            continue;
        }
        workspace.apply(&[]).await.ok();
        workspace.plan(&[]).await.empty();
        let before = sandbox.cluster("prod");
        let rotates = text.contains("resource \"rekey_cluster_credential_rotation\"");
        let ca = text.contains("\"ca_certificate\"");
        assert_eq!(before.rotations, usize::from(rotates && !ca));
        assert!(before.restarts.values().all(|restarts| *restarts == i64::from(rotates && !ca)));
        if text.contains("var.reissue") {
            workspace.env("TF_VAR_reissue", "2");
            workspace.apply(&[]).await.ok();
            workspace.plan(&[]).await.empty();
            let after = sandbox.cluster("prod");
            assert_eq!(after.rotations, before.rotations + usize::from(!ca));
            assert_eq!(after.ca_rotations, usize::from(ca));
        }
        workspace.destroy(&[]).await.ok();
    }
}

#[tokio::test]
async fn everything_about_oke_works_with_the_sandbox() {
    let examples = of_oke();
    assert!(examples.len() >= 2, "{examples:?}");
    for cli in Cli::all() {
        for file in &examples {
            println!("{} with {}", file.display(), cli.path.display());
            let sandbox = Sandbox::start().await;
            let id = sandbox.create_oke_cluster("prod").id;
            let alice = Oci::new(&sandbox, "alice");
            let mut workspace = Workspace::new(cli);
            // The profile DEFAULT of ~/.oci/config, as in the examples.
            workspace.env("HOME", alice.home().to_str().unwrap());
            workspace.env("OCI_CLI_ENDPOINT", &alice.endpoint);
            workspace.env("TF_VAR_cluster_id", &id);
            let text = std::fs::read_to_string(file).unwrap();
            if !text.contains("provider \"rekey\"") {
                let provider =
                    std::fs::read_to_string(repository("examples/provider/provider_oci.tf"));
                workspace.write("provider.tf", &provider.unwrap());
            }
            workspace.write("main.tf", &text.replace("ocid1.cluster.oc1.iad.aaaaaaaaexample", &id));
            if !knows(cli, file) {
                is_refused(workspace, file).await;
                continue;
            }
            workspace.apply(&[]).await.ok();
            workspace.plan(&[]).await.empty();
            let rotates = text.contains("resource \"rekey_cluster_credential_rotation\"");
            let starts = usize::from(rotates && !text.contains("import {"));
            assert_eq!(sandbox.oke("prod").starts, starts);
            workspace.destroy(&[]).await.ok();
            assert_eq!(sandbox.oke("prod").starts, starts);
        }
    }
}

#[tokio::test]
async fn the_settings_of_the_provider_block_log_in() {
    let keystone = Keystone::get().await;
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = workspace(cli, &alice);
        copy(&workspace, &repository("examples/provider/provider.tf"));
        let settings =
            std::fs::read_to_string(repository("examples/provider/provider_settings.tf"));
        let settings = settings
            .unwrap()
            .replace("https://keystone.example.com:5000/v3", &alice.auth_url)
            .replace("\"automation\"\n    user", &format!("\"{}\"\n    user", alice.name))
            .replace("\"production\"", &format!("\"{}\"", alice.project_name));
        workspace.write("settings.tf", &settings);
        workspace.write(
            "main.tf",
            "resource \"rekey_application_credential\" \"this\" {\n  provider    = rekey.automation\n  \
             name_prefix = \"a-\"\n}\n",
        );
        workspace.env("TF_VAR_password", &alice.password);
        workspace.apply(&[]).await.ok();
        assert_eq!(keystone.credentials(&alice).await.len(), 1);
        workspace.destroy(&[]).await.ok();
    }
}

#[tokio::test]
async fn the_import_blocks_import() {
    let keystone = Keystone::get().await;
    let folder = repository("examples/resources/rekey_application_credential");
    for cli in Cli::all() {
        for (file, feature) in [
            ("import-by-string-id.tf", Feature::ImportById),
            ("import-identity.tf", Feature::ImportByIdentity),
        ] {
            let alice = keystone.user(&["member"]).await;
            let made = alice.create_credential(json!({ "name": "by hand" })).await;
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let mut workspace = workspace(cli, &alice);
            copy(&workspace, &repository("examples/provider/provider.tf"));
            copy(&workspace, &folder.join("resource.tf"));
            let id = made["id"].as_str().unwrap();
            workspace.write("import.tf", &text.replace("3ee6a6eae4ec4f3a91d1b9d0a84a9d9c", id));
            if cli.has(feature) {
                workspace.plan(&[]).await.ok().says("1 to import");
            } else {
                workspace.plan(&[]).await.fails().says("identity");
            }
        }
    }
}

/// `terraform test`, as the guide has it run and prints it.
#[tokio::test]
async fn the_tests_of_the_module_pass_with_a_mock_and_with_a_keystone() {
    let keystone = Keystone::get().await;
    let folder = repository("examples/module-tests");
    let guide = std::fs::read_to_string(repository("docs/guides/testing-a-module.md")).unwrap();
    for cli in Cli::all() {
        let alice = keystone.user(&["member"]).await;
        let mut workspace = workspace(cli, &alice);
        copy(&workspace, &folder.join("main.tf"));
        for file in entries(&folder.join("tests")) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let filter = format!("tests/{name}");
            workspace.write(&filter, &std::fs::read_to_string(&file).unwrap());
            // A mock needs no login.
            if name != "mocked.tftest.hcl" {
                workspace.env("OS_CLOUD", "mycloud");
            }
            let run = workspace.run(&["test", &format!("-filter={filter}")]).await.ok();
            let shown = guide.split_once(&format!("    {filter}... in progress")).unwrap().1;
            let printed = |line: &&str| line.starts_with("    ") || line.is_empty();
            let lines = shown.lines().skip(1).take_while(printed);
            lines.fold(run, |run, line| run.says(line.trim()));
            assert_eq!(keystone.credentials(&alice).await.len(), 0);
        }
    }
}

#[tokio::test]
async fn every_example_is_formatted() {
    for cli in Cli::all() {
        let mut workspace = Workspace::new(cli);
        let examples = repository("examples").display().to_string();
        workspace.run(&["fmt", "-check", "-recursive", &examples]).await.ok();
    }
}

/// The folders that hold a whole configuration.
fn whole() -> Vec<PathBuf> {
    configurations().filter(|folder| !is_of_oke(folder) && !is_of_openshift(folder)).collect()
}

fn configurations() -> impl Iterator<Item = PathBuf> {
    let is_part = |folder: &PathBuf| PARTS.contains(&folder.file_name().unwrap().to_str().unwrap());
    // A folder without main.tf holds what cannot be applied here, for want of a provider or a server. So does any other
    // file beside main.tf; the guide that shows it says so.
    let is_whole = |folder: &PathBuf| folder.join("main.tf").is_file();
    let folders = folders(&repository("examples")).into_iter();
    folders.filter(move |folder| !is_part(folder) && is_whole(folder))
}

/// Every example that needs an OKE, whole or in parts.
fn of_oke() -> Vec<PathBuf> {
    let examples = repository("examples");
    let inner = PARTS[1..].iter().flat_map(|kind| folders(&examples.join(kind)));
    let all = configurations().chain(inner).flat_map(|folder| files(&folder));
    all.filter(|file| is_of_oke(file) && !is_import(file)).collect()
}

/// The examples of the single types and functions.
fn parts() -> Vec<PathBuf> {
    PARTS[1..]
        .iter()
        .flat_map(|kind| folders(&repository("examples").join(kind)))
        .flat_map(|folder| files(&folder))
        .filter(|file| !is_import(file) && !is_of_oke(file) && !is_of_openshift(file))
        .collect()
}

/// Whether this CLI can read the example.
fn knows(cli: &Cli, part: &Path) -> bool {
    let text = std::fs::read_to_string(part).unwrap();
    let ephemeral = text.contains("\nephemeral \"") || text.starts_with("ephemeral \"");
    (!ephemeral || cli.has(Feature::EphemeralResources))
        && (!text.contains("secret_wo") || cli.has(Feature::WriteOnlyArguments))
}

/// An example that this CLI cannot read says so, and does nothing.
async fn is_refused(mut workspace: Workspace, part: &Path) {
    let text = std::fs::read_to_string(part).unwrap();
    let unread = !workspace.cli().has(Feature::EphemeralResources) && text.contains("ephemeral");
    let word = if unread { "ephemeral" } else { "secret_wo" };
    workspace.plan(&[]).await.fails().says(word);
}

/// Does it only stand beside another one?
fn is_import(file: &Path) -> bool {
    file.file_name().unwrap().to_str().unwrap().starts_with("import")
}

/// Does it need an OKE?
fn is_of_oke(part: &Path) -> bool {
    let text = part.strip_prefix(repository("examples")).unwrap().to_str().unwrap();
    text.contains("oke") && !text.contains("token") || text.contains("oci")
}

/// Does it need an OpenShift? Then `scenarios_openshift` applies it.
fn is_of_openshift(part: &Path) -> bool {
    part.strip_prefix(repository("examples")).unwrap().to_str().unwrap().contains("openshift")
}

/// Does it need a Magnum?
fn is_of_clusters(part: &Path) -> bool {
    let text = part.to_str().unwrap();
    text.contains("cluster") || text.contains("kubeconfig")
}

fn copy(workspace: &Workspace, file: &Path) {
    let name = file.file_name().unwrap().to_str().unwrap();
    workspace.write(name, &std::fs::read_to_string(file).unwrap());
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "tf"))
        .collect()
}
