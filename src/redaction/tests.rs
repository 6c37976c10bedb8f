use super::*;

// One process runs all tests, and the list is the process's: each test has secrets of its own.

fn secret(text: &str) -> SecretString {
    register(&text.into());
    text.into()
}

#[test]
fn a_secret_is_crossed_out_however_it_is_quoted() {
    let text = "tests-quoted \"p/w\"\\ é+%";
    secret(text);
    let forms = [
        format!("login with {text} failed"),
        serde_json::json!({ "password": text }).to_string(),
        format!("{:?}", vec![text]),
        "data: dGVzdHMtcXVvdGVkICJwL3ciXCDDqSsl".to_owned(),
        "q=tests-quoted%20%22p%2Fw%22%5C%20%C3%A9%2B%25&x=1".to_owned(),
    ];
    for form in forms {
        let clean = clean(&form);
        assert!(clean.contains(REDACTED), "{clean}");
        assert!(!clean.contains("tests-quoted") && !clean.contains("dGVzdHM"), "{clean}");
    }
}

#[test]
fn a_secret_of_many_lines_is_crossed_out_by_the_line_too() {
    secret(
        "-----BEGIN KEY-----\n  tests-key-line-one\ntests-key-line-two\nshort\n-----END KEY-----\n",
    );
    assert_eq!(clean("at tests-key-line-one"), "at (redacted)");
    assert_eq!(clean("tests-key-line-two!"), "(redacted)!");
    assert_eq!(clean("-----BEGIN KEY----- short"), "-----BEGIN KEY----- short");
}

#[test]
fn the_longest_secret_goes_first() {
    secret("tests-longest");
    secret("tests-longest-of-two");
    assert_eq!(clean("a tests-longest-of-two b tests-longest c"), "a (redacted) b (redacted) c");
}

#[test]
fn too_short_a_secret_would_cross_out_everything() {
    secret("q");
    secret("qqj");
    assert_eq!(clean("qqjq"), "qqjq");
}

#[test]
fn messages_keep_words_that_are_weak_passwords() {
    secret("tests-admin");
    secret("tests-kG8sYx0Qw3nB7");
    let text = "role tests-admin, secret tests-kG8sYx0Qw3nB7";
    assert_eq!(clean_message(text), "role tests-admin, secret (redacted)");
    assert_eq!(clean(text), "role (redacted), secret (redacted)");
}

#[test]
fn header_values_are_crossed_out_unseen() {
    for (line, wanted) in [
        ("X-Auth-Token: gAAAA", "X-Auth-Token: (redacted)"),
        ("Authorization: Bearer a b\nAccept: x", "Authorization: (redacted)\nAccept: x"),
        (
            r#"{"x-subject-token": "gA\"A", "date": "d"}"#,
            r#"{"x-subject-token": "(redacted)", "date": "d"}"#,
        ),
        (
            r#"{"authorization":"a","set-cookie":"b"}"#,
            r#"{"authorization":"(redacted)","set-cookie":"(redacted)"}"#,
        ),
        ("cookie='a=b'", "cookie='(redacted)'"),
        ("no authorization was given", "no authorization was given"),
        ("Ärger mit X-AUTH-TOKEN=ü", "Ärger mit X-AUTH-TOKEN=(redacted)"),
        ("authorization: ", "authorization: "),
    ] {
        assert_eq!(clean(line), wanted);
    }
}

#[test]
fn names_that_hold_secrets_are_known_in_any_case() {
    for name in ["password", "Passcode", "X-Auth-Token", "Authorization", "secret"] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["user", "secret_version", "tokens", ""] {
        assert!(!is_secret_name(name), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_cleaned_without_a_panic_and_only_once(text in "(cookie|x-auth-token|[:='\"\\\\ aé\n,]){0,12}") {
        let once = clean(&text).into_owned();
        proptest::prop_assert_eq!(clean(&once).into_owned(), once);
    }
}
