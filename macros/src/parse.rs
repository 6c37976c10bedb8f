//! Reads the struct and refuses nonsense at the place where it is written.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Expr, Fields, GenericArgument, Ident, LitInt, LitStr, PathArguments,
    Result, Token, Type,
};

use crate::doc;

pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) description: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) deprecated: Option<LitStr>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Attribute(Box<Attribute>),
    Block { min: i64, max: i64 },
}

/// What stands in `#[attr(...)]`.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol's own flags")]
pub(crate) struct Attribute {
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) computed: bool,
    pub(crate) sensitive: bool,
    pub(crate) write_only: bool,
    pub(crate) requires_replace: bool,
    /// With the type in the field's `Attr<...>`.
    pub(crate) default: Option<(Expr, Type)>,
    pub(crate) validators: Vec<Expr>,
    pub(crate) relations: Vec<Relation>,
}

/// A rule about other attributes of the same object.
pub(crate) struct Relation {
    /// The variant of `Validator`.
    pub(crate) variant: &'static str,
    pub(crate) names: Vec<LitStr>,
}

const RELATIONS: [(&str, &str); 4] = [
    ("at_least_one_of", "AtLeastOneOf"),
    ("conflicts_with", "ConflictsWith"),
    ("exactly_one_of", "ExactlyOneOf"),
    ("requires", "Requires"),
];

pub(crate) fn model(input: &DeriveInput) -> Result<Model> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "a Model is a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(input.ident.span(), "a Model has named fields"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "a Model has no parameters"));
    }

    let mut errors = Errors::default();
    let fields: Vec<Field> =
        fields.named.iter().filter_map(|field| errors.keep(self::field(field))).collect();
    let mut names = BTreeSet::new();
    for field in &fields {
        if !names.insert(field.name.as_str()) {
            errors.add(Error::new(field.ident.span(), "another field has this name"));
        }
    }
    for field in &fields {
        for relation in relations(field) {
            if relation.value() == field.name {
                errors.add(Error::new(relation.span(), "names the attribute itself"));
            } else if !names.contains(relation.value().as_str()) {
                errors.add(Error::new(relation.span(), "no attribute has this name"));
            }
        }
    }
    errors.finish()?;
    Ok(Model { ident: input.ident.clone(), description: doc::markdown(&input.attrs), fields })
}

fn relations(field: &Field) -> impl Iterator<Item = &LitStr> {
    let relations = match &field.kind {
        Kind::Attribute(attribute) => attribute.relations.as_slice(),
        Kind::Block { .. } => &[],
    };
    relations.iter().flat_map(|relation| &relation.names)
}

fn field(field: &syn::Field) -> Result<Field> {
    let Some(ident) = field.ident.clone() else {
        return Err(Error::new(field.span(), "a Model has named fields"));
    };
    let description = doc::markdown(&field.attrs);
    if description.is_empty() {
        return Err(Error::new(
            ident.span(),
            "document the field: its comment is what users read about the attribute",
        ));
    }
    let mut parsed = Field {
        name: ident.unraw().to_string(),
        ty: field.ty.clone(),
        ident,
        description,
        deprecated: None,
        kind: Kind::Attribute(Box::default()),
    };
    let mut found = None;
    for written in &field.attrs {
        if written.path().is_ident("attr") {
            let inner = attr_argument(&field.ty)?;
            let mut attribute = Attribute::default();
            written
                .parse_nested_meta(|meta| attr_key(&meta, &mut parsed, &mut attribute, inner))?;
            check(&attribute, written.path().span())?;
            parsed.kind = Kind::Attribute(Box::new(attribute));
        } else if written.path().is_ident("model") {
            let (mut min, mut max) = (0, 0);
            written.parse_nested_meta(|meta| block_key(&meta, &mut parsed, &mut min, &mut max))?;
            if max != 0 && max < min {
                return Err(Error::new(written.path().span(), "`max` is below `min`"));
            }
            parsed.kind = Kind::Block { min, max };
        } else {
            continue;
        }
        if found.replace(()).is_some() {
            return Err(Error::new(written.path().span(), "a field is one attribute or one block"));
        }
    }
    if found.is_none() {
        return Err(Error::new(
            parsed.ident.span(),
            "say `#[attr(required)]`, `#[attr(optional)]`, `#[attr(computed)]` or `#[model(block)]`",
        ));
    }
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !parsed.name.bytes().all(valid) || parsed.name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Error::new(
            parsed.ident.span(),
            "Terraform's names have small letters, digits and `_`, and begin with no digit",
        ));
    }
    Ok(parsed)
}

fn attr_key(
    meta: &ParseNestedMeta<'_>,
    field: &mut Field,
    attribute: &mut Attribute,
    inner: &Type,
) -> Result<()> {
    let key = meta.path.require_ident()?.to_string();
    match key.as_str() {
        "required" => flag(&mut attribute.required, meta),
        "optional" => flag(&mut attribute.optional, meta),
        "computed" => flag(&mut attribute.computed, meta),
        "sensitive" => flag(&mut attribute.sensitive, meta),
        "write_only" => flag(&mut attribute.write_only, meta),
        "requires_replace" => flag(&mut attribute.requires_replace, meta),
        "default" => {
            attribute.default = Some((meta.value()?.parse()?, inner.clone()));
            Ok(())
        }
        "deprecated" => deprecated(meta, field),
        "name" => {
            field.name = meta.value()?.parse::<LitStr>()?.value();
            Ok(())
        }
        "validate" => {
            attribute.validators.extend(list::<Expr>(meta)?);
            Ok(())
        }
        key => {
            let Some((_, variant)) = RELATIONS.iter().find(|(name, _)| *name == key) else {
                return Err(meta.error(
                    "no such key; there are required, optional, computed, sensitive, write_only, \
                     requires_replace, default, deprecated, name, validate, conflicts_with, \
                     exactly_one_of, at_least_one_of and requires",
                ));
            };
            let names = list::<LitStr>(meta)?;
            if names.is_empty() {
                return Err(meta.error("name at least one other attribute"));
            }
            attribute.relations.push(Relation { variant, names });
            Ok(())
        }
    }
}

fn block_key(
    meta: &ParseNestedMeta<'_>,
    field: &mut Field,
    min: &mut i64,
    max: &mut i64,
) -> Result<()> {
    if !meta.path.is_ident("block") {
        return Err(meta.error("no such key; there is `block`"));
    }
    if !meta.input.peek(syn::token::Paren) {
        return Ok(());
    }
    meta.parse_nested_meta(|meta| {
        let number = |meta: &ParseNestedMeta<'_>| meta.value()?.parse::<LitInt>()?.base10_parse();
        if meta.path.is_ident("min") {
            *min = number(&meta)?;
            Ok(())
        } else if meta.path.is_ident("max") {
            *max = number(&meta)?;
            Ok(())
        } else if meta.path.is_ident("deprecated") {
            deprecated(&meta, field)
        } else {
            Err(meta.error("no such key; there are min, max and deprecated"))
        }
    })
}

/// Core's own rules (and a few of ours) for one attribute.
fn check(attribute: &Attribute, span: Span) -> Result<()> {
    let refuse = |message| Err(Error::new(span, message));
    if attribute.required && (attribute.optional || attribute.computed) {
        return refuse("a required attribute is neither optional nor computed");
    }
    if !attribute.required && !attribute.optional && !attribute.computed {
        return refuse("an attribute is required, optional, computed, or optional and computed");
    }
    if attribute.write_only && attribute.computed {
        return refuse("a write-only attribute cannot be computed: nothing of it is ever stored");
    }
    if attribute.default.is_some() && !(attribute.optional && attribute.computed) {
        return refuse("Terraform allows a default only where an attribute is optional, computed");
    }
    let configurable = attribute.required || attribute.optional;
    let ruled = !attribute.validators.is_empty() || !attribute.relations.is_empty();
    if ruled && !configurable {
        return refuse("rules are about configuration, which this attribute has not");
    }
    Ok(())
}

/// The `T` of `Attr<T>`.
fn attr_argument(ty: &Type) -> Result<&Type> {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Attr"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return Ok(inner);
    }
    Err(Error::new(ty.span(), "an attribute is an `Attr<...>`: it can be null and unknown"))
}

fn flag(flag: &mut bool, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if std::mem::replace(flag, true) { Err(meta.error("said twice")) } else { Ok(()) }
}

fn deprecated(meta: &ParseNestedMeta<'_>, field: &mut Field) -> Result<()> {
    field.deprecated = Some(meta.value()?.parse()?);
    Ok(())
}

fn list<T: Parse>(meta: &ParseNestedMeta<'_>) -> Result<Vec<T>> {
    let content;
    syn::parenthesized!(content in meta.input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// Tells all errors at once.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    /// The whole message of everything that is wrong with a field.
    #[track_caller]
    fn refuse(field: &syn::Field, message: &str) {
        let input = parse_quote! {
            struct Model { #[doc = " Another."] #[attr(optional)] other: Attr<String>, #field }
        };
        let messages: Vec<String> = match super::model(&input) {
            Ok(_) => Vec::new(),
            Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
        };
        assert!(messages.concat().starts_with(message), "{messages:?}");
        assert_eq!(messages.len(), usize::from(!message.is_empty()), "{messages:?}");
    }

    #[test]
    fn sense_is_taken() {
        refuse(&parse_quote! { #[doc = " A."] #[attr(required)] a: Attr<String> }, "");
        refuse(&parse_quote! { #[doc = " A."] #[model(block(min = 1))] a: Vec<Inner> }, "");
        refuse(
            &parse_quote! {
                #[doc = " A."]
                #[attr(optional, computed, default = 1, validate(range(1, 2)), requires("other"))]
                a: Attr<i64>
            },
            "",
        );
    }

    #[test]
    fn flags_that_contradict_are_refused() {
        let required = "a required attribute is neither optional nor computed";
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(required, optional)] a: Attr<String> },
            required,
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(required, computed)] a: Attr<String> },
            required,
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(sensitive)] a: Attr<String> },
            "an attribute is required, optional, computed, or optional and computed",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, computed, write_only)] a: Attr<String> },
            "a write-only attribute cannot be computed",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, default = "x")] a: Attr<String> },
            "Terraform allows a default only where",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(computed, validate(length(1, 2)))] a: Attr<String> },
            "rules are about configuration",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, optional)] a: Attr<String> },
            "said twice",
        );
    }

    #[test]
    fn a_field_without_meaning_is_refused() {
        refuse(&parse_quote! { #[attr(optional)] a: Attr<String> }, "document the field");
        refuse(&parse_quote! { #[doc = " A."] a: Attr<String> }, "say `#[attr(required)]`");
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional)] a: String },
            "an attribute is an `Attr<...>`",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional)] #[model(block)] a: Attr<String> },
            "a field is one attribute or one block",
        );
        refuse(&parse_quote! { #[doc = " A."] #[attr(optinal)] a: Attr<String> }, "no such key");
        refuse(&parse_quote! { #[doc = " A."] #[model(blok)] a: Vec<Inner> }, "no such key");
        refuse(
            &parse_quote! { #[doc = " A."] #[model(block(min = 2, max = 1))] a: Vec<Inner> },
            "`max` is below `min`",
        );
    }

    #[test]
    fn names_are_checked() {
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, name = "A-b")] a: Attr<String> },
            "Terraform's names have",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, name = "other")] a: Attr<String> },
            "another field has this name",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, conflicts_with("othr"))] a: Attr<String> },
            "no attribute has this name",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, conflicts_with("a"))] a: Attr<String> },
            "names the attribute itself",
        );
        refuse(
            &parse_quote! { #[doc = " A."] #[attr(optional, requires())] a: Attr<String> },
            "name at least one other attribute",
        );
    }

    #[test]
    fn only_plain_structs_are_models() {
        for (input, message) in [
            (parse_quote! { enum Model {} }, "a Model is a struct"),
            (parse_quote! { struct Model(Attr<String>); }, "a Model has named fields"),
            (parse_quote! { struct Model<T> { a: Attr<T> } }, "a Model has no parameters"),
        ] {
            assert_eq!(super::model(&input).err().unwrap().to_string(), message);
        }
    }
}
