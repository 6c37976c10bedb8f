//! The OpenStack client against a real Keystone: what it sends is taken, what it reads is there, and a login that
//! ends is noticed for what it is.

use std::time::Duration;

use jiff::Timestamp;
use rekey::cloud::Surroundings;
use rekey::cloud::http::{Backoff, Options};
use rekey::cloud::openstack::config::{Settings, resolve};
use rekey::cloud::openstack::keystone::{
    AccessRule, ApplicationCredential, Existence, NewApplicationCredential, RoleRef,
};
use rekey::cloud::openstack::{Error, Login, Meaning, Patience, Session};
use rekey::redaction::{ExposeSecret, SecretString};
use reqwest::Method;
use serde_json::json;

use crate::support::openstack::{Keystone, User, http_client, unique};
use crate::support::proxy::{Fate, Proxy};

const SECRET: &str = "a-secret-of-our-own-0123456789";

fn patience() -> Patience {
    Patience::default()
}

fn settings(user: &User) -> Settings {
    Settings {
        auth_url: Some(user.auth_url.clone()),
        user_id: Some(user.id.clone()),
        password: Some(user.password.as_str().into()),
        project_id: Some(user.project_id.clone()),
        ..Settings::default()
    }
}

fn session_of(settings: &Settings) -> Session {
    let cloud = resolve(settings, &Surroundings::default()).unwrap();
    let first = Duration::from_millis(20);
    let backoff = Backoff { first, ..Backoff::default() };
    Session::with_options(cloud, Options { backoff, ..Options::default() }).unwrap()
}

fn session(user: &User) -> Session {
    session_of(&settings(user))
}

fn new(name: &str) -> NewApplicationCredential {
    NewApplicationCredential {
        name: name.to_owned(),
        secret: SECRET.into(),
        description: Some("made by a test".to_owned()),
        roles: vec![RoleRef::Name("member".to_owned())],
        expires_at: None,
        unrestricted: false,
        access_rules: Vec::new(),
    }
}

async fn create(
    session: &Session,
    user: &User,
    new: &NewApplicationCredential,
) -> ApplicationCredential {
    session.keystone().create_application_credential(&user.id, new, &patience()).await.unwrap()
}

fn login(credential: &ApplicationCredential) -> Login {
    Login { application_credential_id: credential.id.clone(), secret: SECRET.into() }
}

fn as_credential(user: &User, credential: &ApplicationCredential) -> Session {
    session_of(&Settings {
        auth_url: Some(user.auth_url.clone()),
        application_credential_id: Some(credential.id.clone()),
        application_credential_secret: Some(SECRET.into()),
        ..Settings::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_lives_and_dies() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member", "project_admin"]).await;
    let session = session(&user);
    let expiry: Timestamp = "2037-01-02T03:04:05.678901Z".parse().unwrap();
    let rule = AccessRule {
        id: None,
        service: "compute".to_owned(),
        method: "GET".to_owned(),
        path: "/v2.1/servers/*".to_owned(),
    };
    let wanted = NewApplicationCredential {
        expires_at: Some(expiry),
        access_rules: vec![rule.clone()],
        ..new("first")
    };
    let made = create(&session, &user, &wanted).await;
    assert_eq!(
        (made.name.as_str(), made.description.as_deref()),
        ("first", Some("made by a test"))
    );
    assert_eq!(made.user_id, user.id);
    assert_eq!(made.project_id.as_deref(), Some(user.project_id.as_str()));
    assert_eq!((made.expires_at, made.unrestricted), (Some(expiry), false));
    // `member` implies `reader`
    let mut roles: Vec<_> = made.roles.iter().map(|role| role.name.as_str()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["member", "reader"]);
    let [made_rule] = &made.access_rules[..] else { panic!("{made:?}") };
    let rule_id = made_rule.id.clone().unwrap();
    assert_eq!(AccessRule { id: None, ..made_rule.clone() }, rule);

    let keystone_api = session.keystone();
    let (id, p) = (made.id.as_str(), patience());
    assert_eq!(keystone_api.application_credential(&user.id, id, &p).await.unwrap(), made);
    let all = keystone_api.application_credentials(&user.id, &p).await.unwrap();
    assert_eq!(all, std::slice::from_ref(&made));
    let found = keystone_api.application_credential_named(&user.id, "first", &p).await.unwrap();
    assert_eq!(found, Some(made.clone()));
    let absent = keystone_api.application_credential_named(&user.id, "First", &p).await.unwrap();
    assert_eq!(absent, None);

    let token = session.log_in(&login(&made), &p).await.unwrap();
    let from = token.application_credential.unwrap();
    assert_eq!((from.id.as_str(), from.name.as_str()), (id, "first"));
    assert!(from.restricted && from.has_access_rules);
    assert_eq!(token.user.id, user.id);

    let error = keystone_api.delete_access_rule(&user.id, &rule_id, &p).await.unwrap_err();
    assert_eq!(error.status(), Some(403), "in use: {error}");
    keystone_api.delete_application_credential(&user.id, id, &p).await.unwrap();
    let error = keystone_api.delete_application_credential(&user.id, id, &p).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert!(error.request_id().is_some_and(|id| id.starts_with("req-")), "{error:?}");
    let error = session.log_in(&login(&made), &p).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert_eq!(keystone_api.access_rules(&user.id, &p).await.unwrap().len(), 1, "left behind");
    keystone_api.delete_access_rule(&user.id, &rule_id, &p).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_keep_keystones_words_and_no_secret() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let session = session(&user);
    create(&session, &user, &new("taken")).await;
    let refused = async |change: &dyn Fn(&mut NewApplicationCredential)| {
        let mut wanted = new("refused");
        change(&mut wanted);
        let p = patience();
        let outcome = session.keystone().create_application_credential(&user.id, &wanted, &p).await;
        let Err(Error::Api(answer)) = outcome else { panic!("{outcome:?}") };
        assert!(!answer.message.contains(SECRET), "{}", answer.message);
        (answer.status, answer.message)
    };
    let (status, said) = refused(&|new| new.name = "taken".to_owned()).await;
    assert!(status == 409 && said.contains("Duplicate entry found with name taken"), "{said}");
    let (status, said) =
        refused(&|new| new.roles = vec![RoleRef::Name("unheld_role".to_owned())]).await;
    assert!(status == 400 && said.contains("unassigned role"), "{said}");
    let (status, said) =
        refused(&|new| new.roles = vec![RoleRef::Name("nonesuch".to_owned())]).await;
    assert!(status == 404 && said.contains("nonesuch"), "{said}");
    let (status, said) = refused(&|new| new.roles = vec![RoleRef::Id("0".repeat(32))]).await;
    assert!(status == 400 && said.contains("unassigned role"), "{said}");
    let (status, said) = refused(&|new| new.name = "n".repeat(256)).await;
    assert!(status == 400 && said.starts_with("Invalid input for field/attribute name"), "{said}");
    let past = |new: &mut NewApplicationCredential| {
        new.expires_at = Some("2020-01-01T00:00:00Z".parse().unwrap());
    };
    let (status, said) = refused(&past).await;
    assert!(status == 400 && said.contains("must not be before now"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_told_and_the_credential_is_found_by_its_name() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let proxy = Proxy::before(&user.auth_url).await;
    let session = session_of(&Settings { auth_url: Some(proxy.url.clone()), ..settings(&user) });
    proxy.rule(Method::POST, "application_credentials", Fate::LoseReply, 1);
    let p = patience();
    let outcome =
        session.keystone().create_application_credential(&user.id, &new("lost"), &p).await;
    let error = outcome.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    let found = session.keystone().application_credential_named(&user.id, "lost", &p).await;
    assert!(session.log_in(&login(&found.unwrap().unwrap()), &p).await.is_ok());
    assert_eq!(keystone.credentials(&user).await.len(), 1);

    // a delete may be repeated: the second try finds nothing left to do
    let id = keystone.only_credential(&user).await["id"].as_str().unwrap().to_owned();
    proxy.rule(Method::DELETE, "application_credentials", Fate::LoseReply, 1);
    let error =
        session.keystone().delete_application_credential(&user.id, &id, &p).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert_eq!(proxy.count(&Method::DELETE, "application_credentials"), 2);

    proxy.rule(Method::GET, "application_credentials", Fate::Refuse(503), 2);
    assert!(session.keystone().application_credentials(&user.id, &p).await.unwrap().is_empty());
    assert_eq!(
        proxy.count(&Method::POST, "auth/tokens"),
        2,
        "one of the session, one of its proof"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_sent_once() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let proxy = Proxy::before(&user.auth_url).await;
    let session = session_of(&Settings {
        auth_url: Some(proxy.url.clone()),
        password: Some("wrong-password".into()),
        ..settings(&user)
    });
    for _ in 0..3 {
        let error = session.keystone().user(&user.id, &patience()).await.unwrap_err();
        assert_eq!((error.status(), error.login_status()), (None, Some(401)), "{error}");
    }
    assert_eq!(proxy.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_renewed_even_within_the_second_of_its_revocation() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let proxy = Proxy::before(&user.auth_url).await;
    let session = session_of(&Settings { auth_url: Some(proxy.url.clone()), ..settings(&user) });
    let look = async || session.keystone().user(&user.id, &patience()).await;
    look().await.unwrap();
    // revokes all tokens of the user, also those issued later in this second
    keystone.set_enabled(&user, false).await;
    keystone.set_enabled(&user, true).await;
    assert_eq!(look().await.unwrap().id, user.id);
    let logins = proxy.count(&Method::POST, "auth/tokens");
    assert!((2..=3).contains(&logins), "{logins} logins");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_own_login_is_not_taken_for_the_end_of_others() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let (own, other) = {
        let session = session(&user);
        let unrestricted = NewApplicationCredential { unrestricted: true, ..new("own") };
        (create(&session, &user, &unrestricted).await, create(&session, &user, &new("other")).await)
    };
    let session = as_credential(&user, &own);
    let p = patience();
    let token = session.token(&p).await.unwrap();
    assert!(!token.application_credential.unwrap().restricted);
    let seen = session.keystone().application_credential(&user.id, &other.id, &p).await.unwrap();
    assert_eq!(seen, other);
    keystone.delete_credential(&user, &own.id).await;
    let error =
        session.keystone().application_credential(&user.id, &other.id, &p).await.unwrap_err();
    assert!(matches!(error, Error::Login(_)), "{error:?}");
    assert_eq!((error.status(), error.login_status()), (None, Some(404)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_credential_reads_and_does_not_write() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let own = create(&session(&user), &user, &new("own")).await;
    let session = as_credential(&user, &own);
    let (api, p) = (session.keystone(), patience());
    let all = api.application_credentials(&user.id, &p).await.unwrap();
    assert_eq!(all, std::slice::from_ref(&own));
    let error = api.create_application_credential(&user.id, &new("more"), &p).await.unwrap_err();
    assert_eq!((error.status(), error.is_ambiguous()), (Some(403), false));
    let error = api.delete_application_credential(&user.id, &own.id, &p).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plain_user_may_not_know_is_hidden_and_an_admin_knows() {
    use Existence::{Hidden, No, Yes};

    let keystone = Keystone::get().await;
    let (user, other) = (keystone.user(&["member"]).await, keystone.user(&["member"]).await);
    let admin = keystone.user(&["admin"]).await;
    let unknown = "0123456789abcdef0123456789abcdef";
    let known = async |who: &User, user_id: &str, project_id: &str| {
        let session = session(who);
        let (api, p) = (session.keystone(), patience());
        (
            api.user_exists(user_id, &p).await.unwrap(),
            api.project_exists(project_id, &p).await.unwrap(),
        )
    };
    assert_eq!(known(&user, &user.id, &user.project_id).await, (Yes, Yes));
    assert_eq!(known(&user, &other.id, &other.project_id).await, (Hidden, Hidden));
    assert_eq!(known(&user, unknown, unknown).await, (Hidden, Hidden));
    assert_eq!(known(&admin, &user.id, &user.project_id).await, (Yes, Yes));
    assert_eq!(known(&admin, unknown, unknown).await, (No, No));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_say_who_is_understood() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let credential = create(&session(&user), &user, &new("ci")).await;
    let place = Settings { auth_url: Some(user.auth_url.clone()), ..Settings::default() };
    let some = |text: &str| Some(text.to_owned());
    let by_name = Settings {
        username: some(&user.name),
        user_domain_name: some("Default"),
        password: Some(user.password.as_str().into()),
        project_name: some(&user.project_name),
        project_domain_id: some("default"),
        ..place.clone()
    };
    let by_credentials_name = Settings {
        application_credential_name: some("ci"),
        application_credential_secret: Some(SECRET.into()),
        username: some(&user.name),
        user_domain_id: some("default"),
        ..place.clone()
    };
    let by_token = Settings {
        token: Some(user.login().await.unwrap().into()),
        project_id: some(&user.project_id),
        ..place.clone()
    };
    let without_version =
        Settings { auth_url: some(user.auth_url.trim_end_matches("/v3")), ..settings(&user) };
    for settings in [&by_name, &by_credentials_name, &by_token, &without_version] {
        let token = session_of(settings).token(&patience()).await.unwrap();
        assert_eq!(
            (token.user.name, token.project.unwrap().id),
            (user.name.clone(), user.project_id.clone())
        );
    }
    let token = session_of(&by_credentials_name).token(&patience()).await.unwrap();
    assert_eq!(token.application_credential.unwrap().id, credential.id);
    let unscoped = Settings { project_id: None, ..settings(&user) };
    let token = session_of(&unscoped).token(&patience()).await.unwrap();
    assert_eq!((token.project, token.roles.len()), (None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_scope_is_used_as_it_is() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let credential = create(&session(&user), &user, &new("ci")).await;
    let of_user = user.login().await.unwrap();
    let lent = session(&user).log_in(&login(&credential), &patience()).await.unwrap();
    // Keystone exchanges no token of an application credential; used as it is, it serves
    for token in [of_user.as_str().into(), lent.value] {
        let settings = Settings {
            auth_url: Some(user.auth_url.clone()),
            token: Some(token),
            ..Settings::default()
        };
        let session = session_of(&settings);
        let seen = session.token(&patience()).await.unwrap();
        assert_eq!(seen.project.unwrap().id, user.project_id);
        let listed = session.keystone().application_credentials(&user.id, &patience()).await;
        assert_eq!(listed.unwrap().len(), 1);
        session.endpoint("identity", &patience()).await.unwrap();
    }
    let over = Settings {
        auth_url: Some(user.auth_url.clone()),
        token: Some("gAAAAABnot-a-token-at-all".into()),
        ..Settings::default()
    };
    let error = session_of(&over).token(&patience()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Login(answer) if matches!(answer.meaning, Meaning::Spent(_))),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_login_means_is_what_keystone_says() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let credential = create(&session(&user), &user, &new("ci")).await;
    let meaning = async |settings: &Settings| match session_of(settings).token(&patience()).await {
        Err(Error::Login(answer)) => (answer.status, answer.meaning, answer.message),
        other => panic!("{other:?}"),
    };
    let elsewhere = user.auth_url.replace("/v3", "/identity/v3");
    let (status, found, _) =
        meaning(&Settings { auth_url: Some(elsewhere), ..settings(&user) }).await;
    assert_eq!((status, found), (404, Meaning::NoKeystone));
    let gone = Settings {
        project_id: None,
        project_name: Some("nowhere".to_owned()),
        project_domain_id: Some("default".to_owned()),
        ..settings(&user)
    };
    let (_, found, _) = meaning(&gone).await;
    assert_eq!(found, Meaning::Status);

    let rules = json!({ "multi_factor_auth_enabled": true,
        "multi_factor_auth_rules": [["password", "token"]] });
    let body = json!({ "user": { "options": rules } });
    keystone.send(Method::PATCH, &format!("/users/{}", user.id), Some(body)).await;
    let (status, found, message) = meaning(&settings(&user)).await;
    let wanted = vec![vec!["password".to_owned(), "token".to_owned()]];
    assert_eq!((status, found), (401, Meaning::MoreFactors(wanted)));
    assert_eq!(
        message,
        "the user's multi-factor rules want password and token; this login showed password"
    );
    let by_credential = Settings {
        auth_url: Some(user.auth_url.clone()),
        application_credential_id: Some(credential.id),
        application_credential_secret: Some(SECRET.into()),
        ..Settings::default()
    };
    let (_, _, message) = meaning(&by_credential).await;
    assert!(message.ends_with("this login showed application_credential"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_lent_can_be_taken_back() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let session = session(&user);
    let bound = NewApplicationCredential {
        access_rules: vec![AccessRule {
            id: None,
            service: "compute".to_owned(),
            method: "GET".to_owned(),
            path: "/v2.1/servers".to_owned(),
        }],
        ..new("bound")
    };
    for wanted in [new("free"), bound] {
        let credential = create(&session, &user, &wanted).await;
        let token = session.log_in(&login(&credential), &patience()).await.unwrap();
        assert_eq!(status_of(&user, &token.value).await, 200, "{}", wanted.name);
        let revoked = session.revoke(&token.value, &patience()).await;
        if wanted.access_rules.is_empty() {
            revoked.unwrap();
            session.revoke(&token.value, &patience()).await.unwrap();
        } else {
            assert!(matches!(revoked, Err(Error::NotRevocable { .. })), "{revoked:?}");
            keystone.delete_credential(&user, &credential.id).await;
        }
        assert_eq!(status_of(&user, &token.value).await, 404, "{}", wanted.name);
    }
}

/// What Keystone answers a user who asks about a token of theirs: 200 while it lives, 404 after.
async fn status_of(user: &User, token: &SecretString) -> u16 {
    let request = http_client()
        .get(format!("{}/auth/tokens", user.auth_url))
        .header("X-Auth-Token", user.login().await.unwrap())
        .header("X-Subject-Token", token.expose_secret())
        .header("OpenStack-Identity-Access-Rules", "1.0");
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_one_login() {
    let keystone = Keystone::get().await;
    let user = keystone.user(&["member"]).await;
    let proxy = Proxy::before(&user.auth_url).await;
    let session = session_of(&Settings { auth_url: Some(proxy.url.clone()), ..settings(&user) });
    let names: Vec<_> = (0..20).map(|_| unique("many")).collect();
    let mut work = tokio::task::JoinSet::new();
    for name in names.clone() {
        let (session, user) = (session.clone(), user.clone());
        work.spawn(async move { create(&session, &user, &new(&name)).await });
    }
    let mut made: Vec<_> = work.join_all().await.into_iter().map(|made| made.name).collect();
    let (mut names, p) = (names, patience());
    made.sort();
    names.sort();
    assert_eq!(made, names);
    let listed = session.keystone().application_credentials(&user.id, &p).await.unwrap();
    assert_eq!(listed.len(), 20);
    assert_eq!(proxy.count(&Method::POST, "auth/tokens"), 1);
    let catalog = session.endpoint("identity", &p).await.unwrap();
    assert_eq!(catalog.path().trim_end_matches('/'), "/v3");
    let error = session.endpoint("container-infra", &p).await.unwrap_err();
    assert!(matches!(error, Error::NotInCatalog { .. }), "{error}");
}
