//! From exec to the first call: handshake, socket, pinned mutual TLS, signals, the end.
