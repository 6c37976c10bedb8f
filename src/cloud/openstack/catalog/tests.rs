use serde_json::json;

use super::*;

fn catalog(json: &Value) -> Catalog {
    serde_json::from_value(json.clone()).unwrap()
}

fn endpoint(interface: &str, region: &str, url: &str) -> Value {
    json!({ "interface": interface, "region": region, "region_id": region, "url": url })
}

fn public() -> Vec<String> {
    vec!["public".to_owned()]
}

#[test]
fn entries_with_holes_hide_only_themselves() {
    let holes = json!([
        null,
        "text",
        { "type": null, "endpoints": [endpoint("public", "R1", "https://nobody")] },
        { "type": "image", "endpoints": null },
        { "type": "compute", "endpoints": [
            null,
            { "interface": "public", "region": "R1", "url": null },
            { "region": "R1", "url": "https://no-interface" },
            { "interface": "public", "region": "R1", "url": "not an address" },
            { "interface": "public", "region": null, "region_id": "R1", "url": "https://compute" },
        ]},
    ]);
    let catalog = catalog(&holes);
    let found = catalog.find("compute", &public(), Some("R1"), true).unwrap();
    assert_eq!(found.as_str(), "https://compute/");
    let error = catalog.find("image", &public(), None, true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the service catalog has no image endpoint, public; it has: compute (public in R1); image (no endpoint)"
    );
    for none in [json!(null), json!({}), json!("text"), json!([])] {
        assert_eq!(self::catalog(&none), Catalog::default());
    }
}

#[test]
fn own_type_before_alias_interface_in_order_and_region() {
    let catalog = catalog(&json!([
        { "type": "container-infra", "endpoints": [endpoint("public", "R1", "https://alias")] },
        { "type": "container-infrastructure", "endpoints": [
            endpoint("internal", "R1", "https://inside"),
            endpoint("public", "R2", "https://other-region"),
        ]},
    ]));
    let find = |interfaces: &[&str], region: Option<&str>| {
        let interfaces: Vec<_> = interfaces.iter().map(|name| (*name).to_owned()).collect();
        let found = catalog.find("container-infrastructure", &interfaces, region, true);
        found.map(|url| url.host_str().unwrap().to_owned())
    };
    assert_eq!(find(&["public"], None).unwrap(), "other-region");
    assert_eq!(find(&["public"], Some("R1")).unwrap(), "alias");
    assert_eq!(find(&["internal", "public"], Some("R1")).unwrap(), "inside");
    assert!(matches!(find(&["admin"], None), Err(Error::NotInCatalog { .. })));
}

#[test]
fn an_endpoint_that_would_give_the_token_away_is_refused() {
    let find = |url: &str, encrypted: bool| {
        let endpoints = [endpoint("public", "R1", url)];
        let catalog = catalog(&json!([{ "type": "x", "endpoints": endpoints }]));
        catalog.find("x", &public(), None, encrypted)
    };
    assert_eq!(find("http://h/v1", false).unwrap().as_str(), "http://h/v1");
    assert_eq!(find("https://h/v1?a=b#c", true).unwrap().as_str(), "https://h/v1");
    for (url, encrypted) in [
        ("http://h/v1", true),
        ("https://user:catalog-tests-pw@h/v1", true),
        ("http://user@h/v1", false),
        ("ftp://h/v1", false),
    ] {
        let error = find(url, encrypted).unwrap_err();
        assert!(matches!(error, Error::UnsafeEndpoint { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("catalog-tests-pw"), "{error}");
    }
}
