//! The client of Kubernetes against a real control plane: workloads restarted and followed, rollouts that get
//! stuck, logins that may not.

use std::time::Duration;

use jiff::Timestamp;
use rekey::cloud::http::Patience;
use rekey::cloud::kubernetes::workload::Obstacle;
use rekey::cloud::kubernetes::{
    Client, Error, Kind, Permission, Progress, Restart, Stuck, Workload,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::kubernetes::ControlPlane;

fn patience() -> Patience {
    within(Duration::from_mins(5))
}

fn within(time: Duration) -> Patience {
    Patience { deadline: Some(Instant::now() + time), ..Patience::default() }
}

/// Not enough for anything to change, enough to look at it.
fn shortly() -> Patience {
    within(Duration::from_secs(3))
}

fn workload(namespace: &str, kind: Kind, name: &str) -> Workload {
    Workload::new(namespace, kind, name).unwrap()
}

/// A workload of two pods (one on each node), as a manifest; `pod` is merged into its pod template.
fn manifest(workload: &Workload, pod: &Value) -> Value {
    let labels = json!({ "app": workload.name() });
    let mut template = json!({
        "metadata": { "labels": labels },
        "spec": { "containers": [{ "name": "main", "image": "registry.example/image:1" }] },
    });
    merge(&mut template, pod);
    let mut spec = json!({ "selector": { "matchLabels": labels }, "template": template });
    match workload.kind() {
        Kind::DaemonSet => {}
        Kind::Deployment => spec["replicas"] = json!(2),
        Kind::StatefulSet => {
            spec["replicas"] = json!(2);
            spec["serviceName"] = json!("none");
        }
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": workload.kind().name(),
        "metadata": { "name": workload.name(), "namespace": workload.namespace() },
        "spec": spec,
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// Makes it and waits until its pods run.
async fn make(plane: &ControlPlane, workload: &Workload, pod: &Value) {
    plane.apply(&manifest(workload, pod)).await;
    plane.client().wait_for_rollout(workload, Timestamp::MIN, &patience()).await.unwrap();
}

async fn server_clock(client: &Client) -> Timestamp {
    client.version(&patience()).await.unwrap().1
}

/// The next second: what was made before is older than what is made from now on.
async fn next_second(client: &Client) -> Timestamp {
    let now = server_clock(client).await;
    loop {
        let later = server_clock(client).await;
        if later > now {
            return later;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for a rollout that does not end well.
async fn stuck(
    client: &Client,
    workload: &Workload,
    since: Timestamp,
    patience: &Patience,
) -> Stuck {
    match client.wait_for_rollout(workload, since, patience).await {
        Err(Error::Stuck(stuck)) => *stuck,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_workloads_of_an_openstack_cluster_are_restarted() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    plane.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "openstack-system" } })).await;
    let three = [
        (Kind::DaemonSet, "openstack-cloud-controller-manager"),
        (Kind::Deployment, "openstack-cinder-csi-controllerplugin"),
        (Kind::DaemonSet, "openstack-cinder-csi-nodeplugin"),
        // As old charts have the controller
        (Kind::StatefulSet, "csi-cinder-controllerplugin"),
    ]
    .map(|(kind, name)| workload("openstack-system", kind, name));
    for workload in &three {
        make(plane, workload, &json!({})).await;
    }
    let found = client.workloads("openstack-system", &patience()).await.unwrap();
    let mut names: Vec<_> = found.iter().map(|one| one.workload.clone()).collect();
    names.sort();
    let mut wanted = three.to_vec();
    wanted.sort();
    assert_eq!(names, wanted);

    let since = next_second(&client).await;
    for workload in &three {
        let old = client.workload(workload, &patience()).await.unwrap();
        let old_pods = client.pods(&old, &patience()).await.unwrap();
        assert_eq!(old.outdated(&old_pods, since).len(), 2, "{old_pods:?}");

        assert_eq!(client.restart(workload, since, &patience()).await.unwrap(), Restart::Asked);
        let rollout = client.wait_for_rollout(workload, since, &patience()).await.unwrap();
        assert_eq!(rollout.pods.len(), 2, "{rollout:?}");
        for pod in &rollout.pods {
            assert!(pod.created_at.unwrap() >= since, "{pod:?}");
            assert_eq!(pod.restarted_at.as_deref(), Some(&*since.to_string()));
            assert_eq!(pod.trouble, None);
            assert!(pod.node.is_some());
            assert!(old_pods.iter().all(|old| old.uid != pod.uid));
        }
        // What kubectl says of it
        let object = format!("{}/{}", workload.kind(), workload.name()).to_lowercase();
        let told = ["rollout", "status", "--timeout=300s", "-n", "openstack-system", &object];
        plane.kubectl(&told).await.ok();
    }

    // The same restart again is none.
    for workload in &three {
        let before = client.workload(workload, &patience()).await.unwrap();
        let pods = client.pods(&before, &patience()).await.unwrap();
        let again = client.restart(workload, since, &patience()).await.unwrap();
        assert_eq!(again, Restart::AlreadyAsked);
        let rollout = client.wait_for_rollout(workload, since, &patience()).await.unwrap();
        assert_eq!(rollout.pods, pods);
    }
}

#[tokio::test]
async fn it_is_the_same_restart_as_kubectls() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let client = plane.client();
    let [ours, theirs] =
        ["ours", "theirs"].map(|name| workload(&namespace, Kind::Deployment, name));
    let pod = json!({ "metadata": { "annotations": { "kept": "yes" } } });
    for workload in [&ours, &theirs] {
        make(plane, workload, &pod).await;
    }
    client.restart(&ours, server_clock(&client).await, &patience()).await.unwrap();
    plane.kubectl(&["rollout", "restart", "-n", &namespace, "deployment/theirs"]).await.ok();
    let spec = async |name: &str| {
        let mut object = plane.get(&namespace, &format!("deployment/{name}")).await;
        let annotations = &mut object["spec"]["template"]["metadata"]["annotations"];
        let note = annotations["kubectl.kubernetes.io/restartedAt"].take();
        note.as_str().unwrap().parse::<Timestamp>().unwrap();
        object["spec"]["selector"].take();
        object["spec"]["template"]["metadata"]["labels"].take();
        (object["spec"].take(), object["metadata"]["generation"].take())
    };
    assert_eq!(spec("ours").await, spec("theirs").await);
}

#[tokio::test]
async fn pods_from_before_are_not_taken_for_new_ones() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let workload = workload(&plane.namespace().await, Kind::Deployment, "csi");
    make(plane, &workload, &json!({})).await;
    let since = next_second(&client).await;
    let observed = client.workload(&workload, &patience()).await.unwrap();
    assert_eq!(observed.progress(), Progress::Done);
    let stuck = stuck(&client, &workload, since, &shortly()).await;
    assert!(stuck.reason.starts_with("2 pods are from before: csi-"), "{}", stuck.reason);
    assert_eq!(stuck.pods.len(), 2);
    assert!(stuck.report().contains("ready, but from before the restart"), "{}", stuck.report());
}

#[tokio::test]
async fn a_rollout_without_a_node_is_stuck_and_goes_on_when_there_is_one() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let namespace = plane.namespace().await;
    let workload = workload(&namespace, Kind::Deployment, "csi");
    make(plane, &workload, &json!({})).await;
    let nowhere = json!({ "spec": { "nodeSelector": { "disk": "impossible" } } });
    plane.apply(&manifest(&workload, &nowhere)).await;
    let since = server_clock(&client).await;
    client.restart(&workload, since, &patience()).await.unwrap();

    let stuck = stuck(&client, &workload, since, &shortly()).await;
    assert_eq!(stuck.workload, workload);
    let first = &stuck.pods[0];
    let trouble = first.pod.trouble.as_ref().unwrap();
    assert_eq!(trouble.reason, "Unschedulable");
    assert!(trouble.message.contains("0/2 nodes are available"), "{trouble}");
    assert!(first.events.iter().any(|event| event.reason == "FailedScheduling"), "{first:?}");
    assert!(stuck.report().contains("Warning FailedScheduling: 0/2 nodes are available"));

    plane.kubectl(&["label", "node", "node-1", "disk=impossible"]).await.ok();
    let rollout = client.wait_for_rollout(&workload, since, &patience()).await.unwrap();
    assert_eq!(rollout.pods.len(), 2);
    plane.kubectl(&["label", "node", "node-1", "disk-"]).await.ok();
}

#[tokio::test]
async fn pods_that_crash_are_reported_of_every_kind() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let namespace = plane.namespace().await;
    let trouble = json!({ "metadata": { "annotations": {
        "bed/trouble": "CrashLoopBackOff", "bed/message": "back-off 5m0s restarting failed container"
    } } });
    for kind in Kind::ALL {
        let workload = workload(&namespace, kind, "csi");
        plane.apply(&manifest(&workload, &trouble)).await;
        let stuck = stuck(&client, &workload, Timestamp::MIN, &shortly()).await;
        let told = stuck.pods[0].pod.trouble.as_ref().unwrap().to_string();
        assert_eq!(
            told,
            "CrashLoopBackOff: container main: back-off 5m0s restarting failed container; 3 restarts"
        );
    }
}

#[tokio::test]
async fn a_deployment_past_its_own_deadline_is_given_up_before_ours() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let workload = workload(&plane.namespace().await, Kind::Deployment, "csi");
    let trouble = json!({ "metadata": { "annotations": { "bed/trouble": "ImagePullBackOff" } } });
    let mut manifest = manifest(&workload, &trouble);
    manifest["spec"]["progressDeadlineSeconds"] = json!(1);
    plane.apply(&manifest).await;
    let stuck = stuck(&client, &workload, Timestamp::MIN, &patience()).await;
    assert_eq!(stuck.reason, "it exceeded its progress deadline");
    assert_eq!(stuck.pods[0].pod.trouble.as_ref().unwrap().reason, "ImagePullBackOff");
}

#[tokio::test]
async fn pods_that_cannot_even_be_made_are_reported_too() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let namespace = plane.namespace().await;
    plane.kubectl(&["create", "quota", "none", "--hard=pods=0", "-n", &namespace]).await.ok();
    for kind in [Kind::Deployment, Kind::DaemonSet] {
        let workload = workload(&namespace, kind, "csi");
        plane.apply(&manifest(&workload, &json!({}))).await;
        let stuck = stuck(&client, &workload, Timestamp::MIN, &shortly()).await;
        assert!(stuck.pods.is_empty());
        assert!(stuck.report().contains("exceeded quota: none"), "{}", stuck.report());
    }
}

#[tokio::test]
async fn a_daemon_set_for_no_node_is_done_without_pods() {
    let plane = ControlPlane::shared().await;
    let workload = workload(&plane.namespace().await, Kind::DaemonSet, "csi");
    let nowhere = json!({ "spec": { "nodeSelector": { "disk": "none" } } });
    plane.apply(&manifest(&workload, &nowhere)).await;
    let client = plane.client();
    let rollout = client.wait_for_rollout(&workload, Timestamp::MIN, &patience()).await.unwrap();
    assert!(rollout.pods.is_empty());
}

#[tokio::test]
async fn what_a_restart_would_not_renew_is_refused_untouched() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let namespace = plane.namespace().await;
    let cases = [
        (Kind::Deployment, json!({ "paused": true }), Obstacle::Paused),
        (Kind::DaemonSet, json!({ "updateStrategy": { "type": "OnDelete" } }), Obstacle::OnDelete),
        (
            Kind::StatefulSet,
            json!({ "updateStrategy": { "rollingUpdate": { "partition": 1 } } }),
            Obstacle::Partition(1),
        ),
    ];
    for (kind, spec, expected) in cases {
        let workload = workload(&namespace, kind, "csi");
        let mut manifest = manifest(&workload, &json!({}));
        merge(&mut manifest["spec"], &spec);
        plane.apply(&manifest).await;
        let answer = client.restart(&workload, Timestamp::UNIX_EPOCH, &patience()).await;
        let Err(Error::CannotRestart { obstacle, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(obstacle, expected);
        let now = client.workload(&workload, &patience()).await.unwrap();
        assert_eq!(now.restarted_at, None);
    }
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let namespace = plane.namespace().await;
    let missing = async |workload: Workload| {
        let error =
            client.restart(&workload, Timestamp::UNIX_EPOCH, &patience()).await.unwrap_err();
        error.to_string()
    };
    let told = missing(workload(&namespace, Kind::DaemonSet, "csi")).await;
    assert_eq!(told, format!("there is no DaemonSet {namespace}/csi"));
    let told = missing(workload("nowhere", Kind::DaemonSet, "csi")).await;
    assert_eq!(told, "there is no DaemonSet nowhere/csi: the namespace does not exist");
}

/// A role with these rules for the group, in the namespace.
async fn allow(plane: &ControlPlane, namespace: &str, group: &str, permissions: &[Permission]) {
    let rules = permissions.iter().map(|permission| {
        let mut rule = json!({
            "apiGroups": [permission.group],
            "resources": [permission.resource],
            "verbs": [permission.verb],
        });
        if !permission.name.is_empty() {
            rule["resourceNames"] = json!([permission.name]);
        }
        rule
    });
    let metadata = json!({ "name": "restart", "namespace": namespace });
    plane
        .apply(&json!({ "apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": metadata,
                "rules": rules.collect::<Vec<_>>(),
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "restart" },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group }],
            },
        ]}))
        .await;
}

#[tokio::test]
async fn a_login_that_may_not_is_told_before_and_after() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let workload = workload(&namespace, Kind::Deployment, "csi");
    make(plane, &workload, &json!({})).await;
    let wanted = workload.permissions();
    let group = format!("group-of-{namespace}");
    let nobody = plane.client_as("nobody", &[&group]).await;

    let missing = nobody.missing_permissions(&wanted, &patience()).await.unwrap();
    assert_eq!(missing, wanted);
    let error = nobody.restart(&workload, Timestamp::UNIX_EPOCH, &patience()).await.unwrap_err();
    let Error::Forbidden(refusal) = &error else { panic!("{error:?}") };
    assert!(
        refusal.message.contains("User \"nobody\" cannot get resource \"deployments\""),
        "{error}"
    );
    assert!(refusal.audit_id.is_some());
    let advice = error.advice().unwrap();
    assert!(
        advice.contains(&format!("--namespace={namespace} --verb=get --resource=deployments.apps")),
        "{advice}"
    );

    // Looking is allowed, changing is not.
    allow(plane, &namespace, &group, &wanted[..1]).await;
    wait_for(&nobody, &wanted, &wanted[1..]).await;
    let error = nobody.restart(&workload, Timestamp::UNIX_EPOCH, &patience()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Forbidden(refusal) if refusal.request.starts_with("PATCH ")),
        "{error}"
    );

    // All that is asked for is enough, also for a report of what is stuck.
    allow(plane, &namespace, &group, &wanted).await;
    wait_for(&nobody, &wanted, &[]).await;
    let since = next_second(&nobody).await;
    nobody.restart(&workload, since, &patience()).await.unwrap();
    nobody.wait_for_rollout(&workload, since, &patience()).await.unwrap();
    let later = next_second(&nobody).await;
    let report = stuck(&nobody, &workload, later, &shortly()).await;
    assert_eq!(report.pods.len(), 2);
    assert!(report.pods.iter().all(|pod| pod.events.is_empty()), "events may not be read");
}

/// Roles take a moment until the API server goes by them.
async fn wait_for(client: &Client, wanted: &[Permission], missing: &[Permission]) {
    let mut told = Vec::new();
    for _ in 0..100 {
        told = client.missing_permissions(wanted, &patience()).await.unwrap();
        if told == missing {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{told:?} is missing instead of {missing:?}");
}

#[tokio::test]
async fn a_list_is_read_over_all_its_pages() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let map = |number: usize| {
        json!({ "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": format!("m{number}"), "namespace": namespace, "labels": { "of": "us" } } })
    };
    let maps: Vec<_> = (0..20).map(map).collect();
    plane.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": maps })).await;
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let query = [("labelSelector", "of=us"), ("limit", "7")];
    let listed = plane.client().list::<Value>(&path, &query, &patience()).await.unwrap();
    assert_eq!(listed.items.len(), 20, "a page has seven");
}

/// A canary's pods match the selector of the Deployment beside it, and are none of its.
#[tokio::test]
async fn a_canary_is_not_taken_for_the_deployment_beside_it() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    let web = workload(&namespace, Kind::Deployment, "web");
    plane.apply(&manifest(&web, &json!({}))).await;
    let mut canary = manifest(&workload(&namespace, Kind::Deployment, "web-canary"), &json!({}));
    let labels = json!({ "app": "web", "track": "canary" });
    canary["spec"]["selector"]["matchLabels"] = labels.clone();
    canary["spec"]["template"]["metadata"]["labels"] = labels;
    plane.apply(&canary).await;
    let client = plane.client();
    client
        .wait_for_rollout(
            &workload(&namespace, Kind::Deployment, "web-canary"),
            Timestamp::MIN,
            &patience(),
        )
        .await
        .unwrap();
    // one that may list replica sets, and one that may not: both tell the pods apart
    let role = "role-of-a-restarter";
    let verbs = "--verb=get,list,patch";
    let resources = "--resource=deployments.apps,pods";
    plane.kubectl(&["create", "role", role, "-n", &namespace, verbs, resources]).await.ok();
    let binding =
        ["create", "rolebinding", role, "-n", &namespace, "--role", role, "--user", "restarter"];
    plane.kubectl(&binding).await.ok();
    let restarter = plane.client_as("restarter", &[]).await;
    wait_for(&restarter, &web.permissions(), &[]).await;
    for client in [client, restarter] {
        let (_, now) = client.version(&patience()).await.unwrap();
        // the restarts of the two clients may fall into one second
        let stamp = now + jiff::SignedDuration::from_secs(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.restart(&web, stamp, &patience()).await.unwrap();
        let rollout = client.wait_for_rollout(&web, stamp, &patience()).await.unwrap();
        assert_eq!(rollout.pods.len(), 2, "{:?}", rollout.pods);
    }
}

/// What becomes of one workload does not keep the others on a revoked credential.
#[tokio::test]
async fn the_rest_is_restarted_where_one_cannot_be() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let namespace = plane.namespace().await;
    let of = |name: &str| workload(&namespace, Kind::Deployment, name);
    let (missing, paused, web) = (of("missing"), of("paused"), of("web"));
    plane.apply(&manifest(&web, &json!({}))).await;
    let mut manifest = manifest(&paused, &json!({}));
    manifest["spec"]["paused"] = json!(true);
    plane.apply(&manifest).await;
    let (_, now) = client.version(&patience()).await.unwrap();
    let mut done = Vec::new();
    let all = [&missing, &paused, &web];
    let failed =
        client.restart_all(&all, now, &patience(), |workload, _| done.push(workload.clone())).await;
    assert_eq!(done, [web]);
    let failed: Vec<_> = failed.iter().map(|(_, error)| error.to_string()).collect();
    assert!(failed[0].contains("there is no Deployment"), "{failed:?}");
    assert!(failed[1].contains("it is paused"), "{failed:?}");
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_rollout() {
    let plane = ControlPlane::shared().await;
    let client = plane.client();
    let workload = workload(&plane.namespace().await, Kind::Deployment, "csi");
    let trouble = json!({ "metadata": { "annotations": { "bed/trouble": "ImagePullBackOff" } } });
    plane.apply(&manifest(&workload, &trouble)).await;
    let patience = patience();
    let waiting = client.wait_for_rollout(&workload, Timestamp::MIN, &patience);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        patience.cancel.cancel();
    };
    let (ended, ()) = tokio::join!(waiting, stop);
    assert!(matches!(ended, Err(Error::Stopped { .. })), "{ended:?}");
}
