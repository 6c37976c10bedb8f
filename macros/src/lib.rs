//! Derives a Terraform schema and its codec from one Rust struct, so that the two cannot drift apart.
//! What each key means is said in `rekey::tfplugin::model`.

mod doc;
mod expand;
mod parse;

use proc_macro::TokenStream;

/// Derives `rekey::tfplugin::model::Model` for a struct of `Attr<T>` fields, and `AttrType` where
/// it has no blocks, so that it can be a nested attribute.
#[proc_macro_derive(Model, attributes(attr, model))]
pub fn model(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    match parse::model(&input) {
        Ok(model) => expand::model(&model).into(),
        Err(error) => error.into_compile_error().into(),
    }
}
