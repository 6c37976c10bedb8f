//! Stand-in clouds with state, on loopback.
