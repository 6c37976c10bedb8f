//! One HTTP client for all clouds: retry, timeouts, request ids, redaction.
