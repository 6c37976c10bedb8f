//! The sandbox held to the real thing: by a real Keystone, answer by answer, and by the real
//! client.

mod acting;
mod client;
pub(crate) mod differ;
mod events;
mod issuing;
mod logins;
pub(crate) mod people;
mod reading;
