//! hclog lines on stderr, and the one place where secrets are redacted.
