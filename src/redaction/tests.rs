use super::*;

// One process runs all tests, and the list is the process's: each test has secrets of its own.

fn secret(text: &str) -> SecretString {
    text.into()
}

/// Every text here holds the secret in some form; nothing of `telling` is left of it.
fn check(cleaned: &str, telling: &[&str]) {
    assert!(cleaned.contains(REDACTED), "{cleaned}");
    for part in telling {
        assert!(!cleaned.contains(part), "{part}: {cleaned}");
    }
}

#[test]
fn a_secret_is_crossed_out_from_the_moment_it_is_made() {
    assert_eq!(clean_message("see tests-made-1"), "see tests-made-1");
    let kept = secret("tests-made-1");
    assert_eq!(clean_message("see tests-made-1"), "see (redacted)");
    drop(kept);
    assert_eq!(clean("see tests-made-1"), "see (redacted)", "for as long as the process lives");
    let _ = SecretString::from("tests-made-2".to_owned());
    assert_eq!(clean("tests-made-2"), "(redacted)");
}

#[test]
fn a_secret_is_crossed_out_however_it_is_quoted() {
    let text = "tests-quoted \"p/w\"\\ <é'&+%>";
    secret(text);
    let json = serde_json::json!({ "password": text }).to_string();
    let twice = serde_json::Value::from(json.clone()).to_string();
    let forms = [
        format!("login with {text} failed"),
        json,
        twice,
        // Python's and Go's JSON, and PHP's
        r#"{"p": "tests-quoted \"p/w\"\\ <\u00e9'&+%>"}"#.to_owned(),
        r#"{"p": "tests-quoted \"p/w\"\\ \u003cé'\u0026+%\u003e"}"#.to_owned(),
        r#"{"p": "tests-quoted \"p\/w\"\\ <é'&+%>"}"#.to_owned(),
        // Python's and Rust's way to show a text, and Python's of its bytes
        r#"{'p': 'tests-quoted "p/w"\\ <é\'&+%>'}"#.to_owned(),
        format!("{:?}", vec![text]),
        r#"b"tests-quoted "p/w"\\ <\xc3\xa9'&+%>""#.to_owned(),
        // addresses and forms
        "q=tests-quoted%20%22p%2Fw%22%5C%20%3C%C3%A9%27%26%2B%25%3E&x=1".to_owned(),
        "q=tests-quoted%20%22p%2fw%22%5c%20%3c%c3%a9%27%26%2b%25%3e&x=1".to_owned(),
        "q=tests-quoted+%22p%2Fw%22%5C+%3C%C3%A9%27%26%2B%25%3E&x=1".to_owned(),
        // pages
        "<p>tests-quoted &quot;p/w&quot;\\ &lt;é&#x27;&amp;+%&gt;</p>".to_owned(),
        "<p>tests-quoted &#34;p/w&#34;\\ &lt;é&#39;&amp;+%&gt;</p>".to_owned(),
        "<p>tests-quoted \"p/w\"\\ &lt;é'&amp;+%&gt;</p>".to_owned(),
        "<p>tests-quoted &quot;p/w&quot;\\ &lt;&#xe9;&#39;&amp;+%&gt;</p>".to_owned(),
        // a page within JSON, and an address within a page
        r#"{"p": "<i>tests-quoted &quot;p/w&quot;\\ &lt;\u00e9&#39;&amp;+%&gt;</i>"}"#.to_owned(),
        "<a href=?q=tests-quoted+%22p/w%22%5C+%3C%C3%A9'&amp;%2B%25%3E>".to_owned(),
    ];
    for form in forms {
        check(&clean(&form), &["tests-quoted", "p/w"]);
        check(&clean_message(&form), &["tests-quoted", "p/w"]);
    }
}

#[test]
fn a_secret_is_crossed_out_in_base64_wherever_it_begins() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let text = "tests?>base64?>secret";
    secret(text);
    for user in ["", "a:", "bob:", "alice:", "someone@example.com:"] {
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode(format!("{user}{text}"));
            let cleaned = clean_message(&encoded).into_owned();
            assert!(cleaned.contains(REDACTED), "{user}: {cleaned}");
            // what is left is the user and, at most, a part of one letter at each end
            let rest = cleaned.len() - REDACTED.len();
            assert!(rest <= engine.encode(user).len() + 4, "{user}: {cleaned}");
        }
    }
}

#[test]
fn a_secret_of_many_lines_is_crossed_out_by_the_line_too() {
    secret(
        "-----BEGIN KEY-----\n  tests-key-line-one\ntests-key-line-two\nshort\n-----END KEY-----\n",
    );
    assert_eq!(clean("at tests-key-line-one"), "at (redacted)");
    assert_eq!(clean("tests-key-line-two!"), "(redacted)!");
    assert_eq!(clean("-----END KEY----- short"), "-----END KEY----- short");
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    secret("tests-longest");
    secret("tests-longest-of-two");
    secret("two-tests-overlap");
    assert_eq!(clean("a tests-longest-of-two b tests-longest c"), "a (redacted) b (redacted) c");
    assert_eq!(clean("a tests-longest-of-two-tests-overlap c"), "a (redacted) c");
}

#[test]
fn too_short_a_secret_would_cross_out_everything() {
    secret("q");
    secret("qqj");
    assert_eq!(clean("qqjq"), "qqjq");
    let echo = without("the pass qqj4 is wrong", &["qqj4".into()]).into_owned();
    assert_eq!(echo, "the pass (redacted) is wrong");
}

#[test]
fn messages_keep_words_that_are_weak_passwords() {
    secret("tests-admin");
    secret("tests-kG8s");
    secret("tests-a-very-long-word");
    // Nothing but what is a secret of this test alone: those of other tests are crossed out too.
    let text = "tests-admin tests-kG8s tests-a-very-long-word";
    assert_eq!(clean_message(text), "tests-admin (redacted) (redacted)");
    assert_eq!(clean(text), "(redacted) (redacted) (redacted)");
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
        ("no authorization was handed over", "no authorization was handed over"),
        ("Ärger mit X-AUTH-TOKEN=ü", "Ärger mit X-AUTH-TOKEN=(redacted)"),
        ("authorization: ", "authorization: "),
    ] {
        assert_eq!(clean(line), wanted);
        assert_eq!(clean_message(line), wanted);
    }
}

#[test]
fn what_a_terminal_would_act_upon_is_written_out() {
    for (text, wanted) in [
        ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
        ("over\rwritten\u{8}", "over\\u{d}written\\u{8}"),
        ("c1 \u{9b}2J", "c1 \\u{9b}2J"),
        ("evil\u{202e}txt.exe\u{2066}", "evil\\u{202e}txt.exe\\u{2066}"),
        ("two\u{200b}words\u{feff}", "two\\u{200b}words\\u{feff}"),
        ("null\0 del\u{7f}", "null\\u{0} del\\u{7f}"),
        ("lines\r\nand\ttabs\nstay, ü and 漢字 too", "lines\nand\ttabs\nstay, ü and 漢字 too"),
    ] {
        assert_eq!(clean_message(text).replace("\r\n", "\n"), wanted);
        assert_eq!(clean(text).replace("\r\n", "\n"), wanted);
    }
}

#[test]
fn names_that_hold_secrets_are_known_in_any_case() {
    for name in ["password", "Passcode", "X-Auth-Token", "Authorization", "secret", "access_token"]
    {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["user", "secret_version", "tokens", "token_endpoint", ""] {
        assert!(!is_secret_name(name), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_cleaned_without_a_panic_and_only_once(text in "(cookie|x-auth-token|[:='\"\\\\ aé\n\u{1b},]){0,12}") {
        let once = clean(&text).into_owned();
        proptest::prop_assert_eq!(clean(&once).into_owned(), once);
    }

    #[test]
    fn no_secret_survives_a_json_or_a_query(secret in "[ -~é漢\n\t]{6,20}[0-9]{3}") {
        super::register(&secret);
        let json = serde_json::json!({ "a": secret }).to_string();
        proptest::prop_assert!(clean_message(&json).contains(REDACTED), "{}", json);
        let query = reqwest::Url::parse_with_params("http://h/", [("q", &secret)]).unwrap();
        proptest::prop_assert!(clean_message(query.as_str()).contains(REDACTED), "{}", query);
    }
}

/// A server chooses how long its words are; searching all of them took gigabytes and minutes.
#[test]
fn of_a_text_without_measure_only_the_beginning_is_searched_and_shown() {
    let word = r"tests\u0041%41+&lt; ";
    let endless = word.repeat(4 * 1024 * 1024 / word.len());
    for shown in [clean(&endless), clean_message(&endless), without(&endless, &["tests-no".into()])]
    {
        assert!(shown.len() < 70 * 1024 && shown.ends_with("bytes in all)"), "{}", shown.len());
    }
    // half a secret, where the search ends, is not found and not shown either
    let cut = "tests-at-the-cut-of-a-long-text";
    secret(cut);
    for before in [0, 1, 10, cut.len()] {
        for place in [LONGEST, LONGEST + BEYOND] {
            let long = format!("{}{cut}{}", "-".repeat(place - before), "-".repeat(BEYOND));
            let shown = clean(&long).into_owned();
            assert!(!shown.contains("tests") && !shown.contains("text"), "{place} {before}");
        }
    }
}
