use std::sync::Arc;

use serde_json::json;

use super::*;

/// A writer that the test can read.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines(level: LevelFilter, act: impl FnOnce()) -> Vec<String> {
    let out = Shared::default();
    let subscriber = tracing_subscriber::registry().with(Lines::new(level, out.clone()));
    tracing::subscriber::with_default(subscriber, act);
    let bytes = out.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn one(act: impl FnOnce()) -> Value {
    let lines = lines(LevelFilter::TRACE, act);
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(&lines[0]).unwrap()
}

#[test]
fn a_line_is_what_hclog_reads() {
    let line = one(|| tracing::info!(count = 3, id = "x", "said {}", 1));
    assert_eq!(line["@level"], "info");
    assert_eq!(line["@message"], "said 1");
    assert_eq!(line["@module"], "provider.rekey.tfplugin.log.tests");
    assert_eq!((&line["count"], &line["id"]), (&json!("3"), &json!("x")));
    let time = line["@timestamp"].as_str().unwrap();
    time.parse::<jiff::Timestamp>().unwrap();
    // Microseconds, always six digits: Terraform knows one layout.
    assert_eq!(time.len(), "2026-01-02T15:04:05.000000Z".len(), "{time}");
}

#[test]
fn what_terraform_takes_for_strings_are_strings() {
    for line in [one(|| tracing::error!(message = 5)), one(|| tracing::error!(a = 1))] {
        for key in ["@level", "@message", "@timestamp"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
    }
}

#[test]
fn the_level_decides_and_strangers_are_not_heard() {
    let said = lines(LevelFilter::WARN, || {
        tracing::error!("1");
        tracing::warn!("2");
        tracing::info!("3");
        tracing::error!(target: "h2::codec", "4");
        tracing::error!(target: "rekey_other", "5");
    });
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(lines(LevelFilter::OFF, || tracing::error!("1")).is_empty());
}

#[test]
fn no_secret_passes() {
    redaction::register("tests-log-\"secret\"");
    let said = lines(LevelFilter::TRACE, || {
        let secret = "tests-log-\"secret\"";
        tracing::info!("in the message: {secret}");
        tracing::info!(field = secret, "in a field");
        tracing::info!(?secret, "by its Debug");
        tracing::info!(
            error = &std::io::Error::other(secret) as &dyn std::error::Error,
            "in an error"
        );
        tracing::info!(password = "tests-log-unregistered", "by its name");
        tracing::info!("header X-Auth-Token: tests-log-unregistered");
    });
    assert_eq!(said.len(), 6);
    for line in said {
        assert!(!line.contains("tests-log-"), "{line}");
        assert!(line.contains(redaction::REDACTED), "{line}");
    }
}

#[test]
fn a_line_stays_below_what_terraform_reads_as_one() {
    let long = "ü\u{1}".repeat(40_000);
    let said = lines(LevelFilter::TRACE, || {
        tracing::info!(a = long, b = long, c = long, d = long, e = long, f = long, "{long}");
    });
    assert_eq!(said.len(), 1);
    assert!(said[0].len() < 64 * 1024, "{}", said[0].len());
    let line: Value = serde_json::from_str(&said[0]).unwrap();
    assert!(line["@message"].as_str().unwrap().ends_with("bytes more)"));
}

#[test]
fn the_most_particular_variable_counts() {
    let level = |set: &[(&str, &str)]| {
        level_from("rekey", |name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(level(&[]), LevelFilter::OFF);
    assert_eq!(level(&[("TF_LOG", "debug")]), LevelFilter::DEBUG);
    assert_eq!(level(&[("TF_LOG", "JSON")]), LevelFilter::TRACE);
    assert_eq!(level(&[("TF_LOG", "nonsense")]), LevelFilter::TRACE);
    assert_eq!(level(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "OFF")]), LevelFilter::OFF);
    assert_eq!(level(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "")]), LevelFilter::TRACE);
    let own = [("TF_LOG_PROVIDER", "ERROR"), ("TF_LOG_PROVIDER_REKEY", "INFO")];
    assert_eq!(level(&own), LevelFilter::INFO);
    assert_eq!(level(&[("TF_LOG", "WARN")]), LevelFilter::WARN);
}
