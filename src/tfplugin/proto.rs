//! The generated messages and services of the plugin protocol.
