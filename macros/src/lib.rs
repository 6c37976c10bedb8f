//! Derives a Terraform schema and its codec from one Rust struct.

use proc_macro::TokenStream;

/// See `rekey::tfplugin::model`.
#[proc_macro_derive(Model, attributes(attr, model))]
pub fn model(_input: TokenStream) -> TokenStream {
    TokenStream::new()
}
