use std::collections::HashMap;

use super::*;

fn read(variables: &[(&'static str, &str)]) -> Result<Host, Refusal> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Host::read(|name| variables.get(name).map(OsString::from))
}

pub(in super::super) fn host(more: &[(&'static str, &str)]) -> Result<Host, Refusal> {
    read(&[&[(COOKIE_NAME, COOKIE), ("PLUGIN_PROTOCOL_VERSIONS", "5,6")], more].concat())
}

#[test]
fn without_the_cookie_it_says_what_go_plugin_says() {
    let by_hand = [read(&[]), read(&[(COOKIE_NAME, "")]), read(&[(COOKIE_NAME, "another")])];
    for refused in by_hand {
        assert_eq!(
            refused.unwrap_err().to_string(),
            "This binary is a plugin. These are not meant to be executed directly.\n\
             Please execute the program that consumes these plugins, which will\n\
             load any plugins automatically"
        );
    }
}

#[test]
fn a_host_must_speak_version_6() {
    for versions in ["5,6", "6,5", "6", " 6 , 5"] {
        read(&[(COOKIE_NAME, COOKIE), ("PLUGIN_PROTOCOL_VERSIONS", versions)]).unwrap();
    }
    for versions in ["5", "", "66", "5,7"] {
        let refused = read(&[(COOKIE_NAME, COOKIE), ("PLUGIN_PROTOCOL_VERSIONS", versions)]);
        assert!(matches!(refused, Err(Refusal::Protocol(_))), "{versions}");
    }
    let Err(refusal) = read(&[(COOKIE_NAME, COOKIE)]) else { panic!("accepted") };
    assert!(refusal.to_string().contains("Terraform 1.8 or newer"), "{refusal}");
}

#[test]
fn the_seventh_field_is_for_hosts_that_ask() {
    let line = |host: Host| host.line("unix", "/tmp/x/plugin.sock", None);
    assert_eq!(line(host(&[]).unwrap()), "1|6|unix|/tmp/x/plugin.sock|grpc|");
    let asked = host(&[("PLUGIN_MULTIPLEX_GRPC", "true")]).unwrap();
    assert_eq!(line(asked), "1|6|unix|/tmp/x/plugin.sock|grpc||false");
}

#[test]
fn the_certificate_is_unpadded_base64() {
    let line = host(&[]).unwrap().line("unix", "/s", Some(&[0xff, 0xfe, 0xfb, 0xef]));
    assert_eq!(line, "1|6|unix|/s|grpc|//777w");
}

#[test]
fn what_the_host_sets_is_honoured() {
    let set = host(&[("PLUGIN_CLIENT_CERT", "pem"), ("PLUGIN_UNIX_SOCKET_DIR", "/run/x")]).unwrap();
    assert_eq!(set.certificate.as_deref(), Some("pem"));
    assert_eq!(set.socket_dir, Some(PathBuf::from("/run/x")));
    let empty = host(&[("PLUGIN_CLIENT_CERT", ""), ("PLUGIN_UNIX_SOCKET_DIR", "")]).unwrap();
    assert_eq!((empty.certificate, empty.socket_dir), (None, None));
}
