//! Writes the implementations.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::parse::{Attribute, Field, Kind, Model};

pub(crate) fn model(model: &Model) -> TokenStream {
    let Model { ident, description, fields } = model;
    let attributes = fields.iter().filter_map(|field| match &field.kind {
        Kind::Attribute(written) => Some(attribute(field, written)),
        Kind::Block { .. } => None,
    });
    let blocks: Vec<TokenStream> = fields
        .iter()
        .filter_map(|field| match field.kind {
            Kind::Attribute(_) => None,
            Kind::Block { min, max } => Some(block(field, min, max)),
        })
        .collect();
    let reads = fields.iter().map(|Field { ident, name, kind, .. }| {
        let read = match kind {
            Kind::Attribute(_) => quote!(attribute),
            Kind::Block { .. } => quote!(block),
        };
        quote!(#ident: fields.#read(#name)?)
    });
    let writes = fields.iter().map(|Field { ident, name, kind, .. }| {
        let write = match kind {
            Kind::Attribute(_) => quote!(::rekey::tfplugin::model::AttrType::into_value),
            Kind::Block { .. } => quote!(::rekey::tfplugin::model::BlockType::into_block),
        };
        quote!((#name, #write(self.#ident)))
    });
    // A nested attribute cannot hold blocks, so such a model is none.
    let nested = blocks.is_empty().then(|| nested(ident));
    let fields_binding = if fields.is_empty() { quote!(fields) } else { quote!(mut fields) };
    quote! {
        #[automatically_derived]
        impl ::rekey::tfplugin::model::Model for #ident {
            fn description() -> &'static str {
                #description
            }

            fn attributes() -> ::std::vec::Vec<::rekey::tfplugin::schema::Attribute> {
                ::std::vec![#(#attributes),*]
            }

            fn blocks() -> ::std::vec::Vec<::rekey::tfplugin::schema::Block> {
                ::std::vec![#(#blocks),*]
            }

            fn from_object(
                value: ::rekey::tfplugin::cty::Value,
                path: &::rekey::tfplugin::diagnostics::AttributePath,
            ) -> ::core::result::Result<Self, ::rekey::tfplugin::diagnostics::DecodeError> {
                let #fields_binding = ::rekey::tfplugin::model::fields::Fields::open(value, path)?;
                let model = Self { #(#reads),* };
                fields.finish()?;
                ::core::result::Result::Ok(model)
            }

            fn into_object(self) -> ::rekey::tfplugin::cty::Value {
                ::rekey::tfplugin::cty::Value::object::<&str>([#(#writes),*])
            }
        }

        #nested
    }
}

fn nested(ident: &syn::Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::rekey::tfplugin::model::AttrType for #ident {
            fn shape() -> ::rekey::tfplugin::schema::Shape {
                ::rekey::tfplugin::schema::Shape::NestedSingle(
                    <Self as ::rekey::tfplugin::model::Model>::attributes(),
                )
            }

            fn from_value(
                value: ::rekey::tfplugin::cty::Value,
                path: &::rekey::tfplugin::diagnostics::AttributePath,
            ) -> ::core::result::Result<Self, ::rekey::tfplugin::diagnostics::DecodeError> {
                <Self as ::rekey::tfplugin::model::Model>::from_object(value, path)
            }

            fn into_value(self) -> ::rekey::tfplugin::cty::Value {
                ::rekey::tfplugin::model::Model::into_object(self)
            }
        }
    }
}

fn attribute(field: &Field, attribute: &Attribute) -> TokenStream {
    let Field { ty, name, description, .. } = field;
    let Attribute { required, optional, computed, sensitive, write_only, .. } = attribute;
    let requires_replace = attribute.requires_replace;
    let deprecated = deprecated(field);
    let default = option(attribute.default.as_ref().map(|(default, inner)| {
        quote! {
            ::rekey::tfplugin::model::AttrType::into_value(
                ::core::convert::Into::<#inner>::into(#default),
            )
        }
    }));
    let validators = validators(attribute);
    let shape = quote!(<#ty as ::rekey::tfplugin::model::AttrType>::shape());
    let answer = *computed && !optional;
    let shape = if answer { quote!(#shape.read_only()) } else { shape };
    quote! {
        ::rekey::tfplugin::schema::Attribute {
            name: #name,
            shape: #shape,
            description: #description,
            required: #required,
            optional: #optional,
            computed: #computed,
            sensitive: #sensitive || <#ty as ::rekey::tfplugin::model::AttrType>::SENSITIVE,
            write_only: #write_only,
            deprecated: #deprecated,
            validators: #validators,
            default: #default,
            requires_replace: #requires_replace,
        }
    }
}

fn validators(attribute: &Attribute) -> TokenStream {
    let relations = attribute.relations.iter().map(|relation| {
        let variant = format_ident!("{}", relation.variant);
        let names = &relation.names;
        quote!(::rekey::tfplugin::validate::Validator::#variant(&[#(#names),*]))
    });
    let written = &attribute.validators;
    if written.is_empty() {
        return quote!(::std::vec![#(#relations),*]);
    }
    quote! {{
        #[allow(unused_imports, clippy::wildcard_imports)]
        use ::rekey::tfplugin::validate::rules::*;
        ::std::vec![#(#relations,)* #(#written),*]
    }}
}

fn block(field: &Field, min: i64, max: i64) -> TokenStream {
    let Field { ty, name, description, .. } = field;
    let deprecated = deprecated(field);
    quote! {
        ::rekey::tfplugin::schema::Block {
            name: #name,
            description: #description,
            nesting: <#ty as ::rekey::tfplugin::model::BlockType>::nesting(#min, #max),
            attributes: <#ty as ::rekey::tfplugin::model::BlockType>::attributes(),
            blocks: <#ty as ::rekey::tfplugin::model::BlockType>::blocks(),
            deprecated: #deprecated,
        }
    }
}

fn deprecated(field: &Field) -> TokenStream {
    option(field.deprecated.as_ref().map(|message| quote!(#message)))
}

fn option(tokens: Option<TokenStream>) -> TokenStream {
    tokens.map_or_else(
        || quote!(::core::option::Option::None),
        |tokens| quote!(::core::option::Option::Some(#tokens)),
    )
}
