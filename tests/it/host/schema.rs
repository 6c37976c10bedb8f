//! Schemas as core holds them, read from the provider's answer, and core's own rules for them: one
//! broken rule makes the whole provider unusable.

use std::collections::BTreeMap;

use rekey::tfplugin::proto::tfplugin6::{self as proto, schema};

use super::value::{Num, Ty, Val};

/// Everything that a provider says about itself.
#[derive(Clone, Debug)]
pub struct Schemas {
    pub provider: Block,
    pub resources: BTreeMap<String, Resource>,
    pub data_sources: BTreeMap<String, Block>,
    pub ephemerals: BTreeMap<String, Block>,
    pub functions: BTreeMap<String, Function>,
    pub plan_destroy: bool,
    pub schema_optional: bool,
    pub move_resource_state: bool,
}

/// A managed resource's schema.
#[derive(Clone, Debug)]
pub struct Resource {
    pub version: i64,
    pub block: Block,
    pub identity: Option<Identity>,
}

/// What names a remote object.
#[derive(Clone, Debug)]
pub struct Identity {
    pub version: i64,
    pub attributes: BTreeMap<String, IdentityAttribute>,
}

#[derive(Clone, Debug)]
pub struct IdentityAttribute {
    pub ty: Ty,
    pub required: bool,
}

/// The body of a type or of a nested block.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub attributes: BTreeMap<String, Attribute>,
    pub blocks: BTreeMap<String, NestedBlock>,
}

// As many as the protocol has.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct Attribute {
    pub kind: Kind,
    pub required: bool,
    pub optional: bool,
    pub computed: bool,
    pub sensitive: bool,
    pub write_only: bool,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub enum Kind {
    Plain(Ty),
    Nested(Nesting, BTreeMap<String, Attribute>),
}

#[derive(Clone, Debug)]
pub struct NestedBlock {
    pub nesting: Nesting,
    pub block: Block,
    pub min: i64,
    pub max: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    Group,
    List,
    Map,
    Set,
    Single,
}

impl Nesting {
    fn around(self, element: Ty) -> Ty {
        match self {
            Self::Group | Self::Single => element,
            Self::List => Ty::List(Box::new(element)),
            Self::Map => Ty::Map(Box::new(element)),
            Self::Set => Ty::Set(Box::new(element)),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Function {
    pub parameters: Vec<Parameter>,
    pub variadic: Option<Parameter>,
    pub returns: Ty,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub ty: Ty,
    pub allow_null: bool,
    pub allow_unknown: bool,
}

impl Schemas {
    /// Reads and checks the two schema answers; the errors are everything that core would refuse.
    pub fn new(
        answer: &proto::get_provider_schema::Response,
        identities: &proto::get_resource_identity_schemas::Response,
    ) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let provider = if let Some(schema) = &answer.provider {
            body(schema, "the provider", &mut faults)
        } else {
            faults.push("missing provider schema".to_owned());
            Block::default()
        };
        let bodies = |schemas: &std::collections::HashMap<String, proto::Schema>,
                      faults: &mut Vec<String>| {
            schemas
                .iter()
                .map(|(name, schema)| (name.clone(), body(schema, name, faults)))
                .collect::<BTreeMap<_, _>>()
        };
        let resources = answer
            .resource_schemas
            .iter()
            .map(|(name, schema)| {
                let identity = identities.identity_schemas.get(name).map(|identity| {
                    read_identity(identity, &format!("identity of {name}"), &mut faults)
                });
                let block = body(schema, name, &mut faults);
                (name.clone(), Resource { version: schema.version, block, identity })
            })
            .collect();
        for name in identities.identity_schemas.keys() {
            if !answer.resource_schemas.contains_key(name) {
                faults.push(format!("identity of {name}: there is no such resource"));
            }
        }
        let functions = answer
            .functions
            .iter()
            .filter_map(|(name, function)| {
                read_function(name, function)
                    .map_err(|fault| faults.push(format!("function {name}: {fault}")))
                    .ok()
                    .map(|function| (name.clone(), function))
            })
            .collect();
        let capabilities = answer.server_capabilities.unwrap_or_default();
        let schemas = Self {
            provider,
            resources,
            data_sources: bodies(&answer.data_source_schemas, &mut faults),
            ephemerals: bodies(&answer.ephemeral_resource_schemas, &mut faults),
            functions,
            plan_destroy: capabilities.plan_destroy,
            schema_optional: capabilities.get_provider_schema_optional,
            move_resource_state: capabilities.move_resource_state,
        };
        if faults.is_empty() { Ok(schemas) } else { Err(faults) }
    }
}

impl Block {
    /// The type of a whole value.
    pub fn ty(&self) -> Ty {
        let attributes = self.attributes.iter().map(|(name, it)| (name.clone(), it.ty()));
        let blocks = self.blocks.iter().map(|(name, it)| (name.clone(), it.ty()));
        Ty::Object(attributes.chain(blocks).collect())
    }

    /// What an empty body decodes to: the synthetic prior of a create.
    pub fn empty(&self) -> Val {
        let attributes = self.attributes.keys().map(|name| (name.clone(), Val::Null));
        let blocks = self.blocks.iter().map(|(name, block)| {
            let empty = match block.nesting {
                Nesting::Group => block.block.empty(),
                Nesting::List => Val::List(Vec::new()),
                Nesting::Map => Val::Map(BTreeMap::new()),
                Nesting::Set => Val::Set(Vec::new()),
                Nesting::Single => Val::Null,
            };
            (name.clone(), empty)
        });
        Val::Object(attributes.chain(blocks).collect())
    }
}

impl NestedBlock {
    pub fn ty(&self) -> Ty {
        self.nesting.around(self.block.ty())
    }
}

impl Attribute {
    pub fn ty(&self) -> Ty {
        match &self.kind {
            Kind::Plain(ty) => ty.clone(),
            Kind::Nested(nesting, attributes) => nesting.around(object_ty(attributes)),
        }
    }
}

impl Identity {
    pub fn ty(&self) -> Ty {
        Ty::Object(self.attributes.iter().map(|(name, it)| (name.clone(), it.ty.clone())).collect())
    }
}

/// The type of one object with nested attributes.
pub fn object_ty(attributes: &BTreeMap<String, Attribute>) -> Ty {
    Ty::Object(attributes.iter().map(|(name, it)| (name.clone(), it.ty())).collect())
}

fn body(schema: &proto::Schema, name: &str, faults: &mut Vec<String>) -> Block {
    if schema.version < 0 {
        faults.push(format!("{name}: a negative version"));
    }
    if let Some(block) = &schema.block {
        read_block(block, name, faults)
    } else {
        faults.push(format!("{name}: no block"));
        Block::default()
    }
}

fn read_block(block: &schema::Block, at: &str, faults: &mut Vec<String>) -> Block {
    use schema::nested_block::NestingMode as Mode;
    let mut read =
        Block { attributes: attributes(&block.attributes, at, faults), ..Block::default() };
    if !block.deprecated && !block.deprecation_message.is_empty() {
        faults.push(format!("{at}: a deprecation message without being deprecated"));
    }
    for nested in &block.block_types {
        let at = format!("{at}.{}", nested.type_name);
        if let Some(fault) = bad_name(&nested.type_name) {
            faults.push(format!("{at}: {fault}"));
        }
        if read.attributes.contains_key(&nested.type_name) {
            faults.push(format!("{at}: both an attribute and a block"));
        }
        let (min, max) = (nested.min_items, nested.max_items);
        let nesting = match nested.nesting() {
            Mode::Single => Nesting::Single,
            Mode::List => Nesting::List,
            Mode::Set => Nesting::Set,
            Mode::Map => Nesting::Map,
            Mode::Group => Nesting::Group,
            Mode::Invalid => {
                faults.push(format!("{at}: invalid nesting"));
                Nesting::Single
            }
        };
        let fits = match nesting {
            Nesting::Single => min == max && (0..=1).contains(&min),
            Nesting::List | Nesting::Set => min >= 0 && max >= 0 && (max == 0 || min <= max),
            Nesting::Group | Nesting::Map => min == 0 && max == 0,
        };
        if !fits {
            faults.push(format!("{at}: from {min} to {max} items does not fit {nesting:?}"));
        }
        let Some(inner) = &nested.block else {
            faults.push(format!("{at}: no block"));
            continue;
        };
        let inner = read_block(inner, &at, faults);
        if nesting != Nesting::Single && nesting != Nesting::Group && inner.ty().has_dynamic() {
            faults.push(format!("{at}: a dynamic attribute in a block that repeats"));
        }
        if nesting == Nesting::Set && any_write_only(&inner) {
            faults.push(format!("{at}: a write-only attribute in a set"));
        }
        let twice = read
            .blocks
            .insert(nested.type_name.clone(), NestedBlock { nesting, block: inner, min, max });
        if twice.is_some() {
            faults.push(format!("{at}: stands twice"));
        }
    }
    read
}

fn attributes(
    list: &[schema::Attribute],
    at: &str,
    faults: &mut Vec<String>,
) -> BTreeMap<String, Attribute> {
    let mut read = BTreeMap::new();
    for attribute in list {
        let at = format!("{at}.{}", attribute.name);
        if let Some(attribute_read) = read_attribute(attribute, &at, faults)
            && read.insert(attribute.name.clone(), attribute_read).is_some()
        {
            faults.push(format!("{at}: stands twice"));
        }
    }
    read
}

fn read_attribute(
    attribute: &schema::Attribute,
    at: &str,
    faults: &mut Vec<String>,
) -> Option<Attribute> {
    let mut fault = |what: &str| faults.push(format!("{at}: {what}"));
    if let Some(what) = bad_name(&attribute.name) {
        fault(what);
    }
    match (attribute.required, attribute.optional, attribute.computed) {
        (false, false, false) => fault("must set Optional, Required or Computed"),
        (true, true, _) => fault("cannot set both Optional and Required"),
        (true, _, true) => fault("cannot set both Computed and Required"),
        _ => {}
    }
    if attribute.write_only && attribute.computed {
        fault("write-only and computed");
    }
    if !attribute.deprecated && !attribute.deprecation_message.is_empty() {
        fault("a deprecation message without being deprecated");
    }
    let kind = match (&attribute.nested_type, attribute.r#type.is_empty()) {
        (Some(_), false) => {
            fault("Type and NestedType cannot both be set");
            return None;
        }
        (None, true) => {
            fault("either Type or NestedType must be defined");
            return None;
        }
        (None, false) => match Ty::from_json(&attribute.r#type) {
            Ok(ty) => Kind::Plain(ty),
            Err(what) => {
                fault(&what);
                return None;
            }
        },
        (Some(nested), true) => {
            use schema::object::NestingMode as Mode;
            let nesting = match nested.nesting() {
                Mode::Single => Nesting::Single,
                Mode::List => Nesting::List,
                Mode::Set => Nesting::Set,
                Mode::Map => Nesting::Map,
                Mode::Invalid => {
                    fault("invalid nesting");
                    return None;
                }
            };
            let inner = attributes(&nested.attributes, at, faults);
            if nesting == Nesting::Set && inner.values().any(writes_only) {
                faults.push(format!("{at}: a write-only attribute in a set"));
            }
            if nesting != Nesting::Single && object_ty(&inner).has_dynamic() {
                faults.push(format!("{at}: a dynamic attribute in a nested collection"));
            }
            Kind::Nested(nesting, inner)
        }
    };
    Some(Attribute {
        kind,
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
    })
}

fn writes_only(attribute: &Attribute) -> bool {
    attribute.write_only
        || matches!(&attribute.kind, Kind::Nested(_, inner) if inner.values().any(writes_only))
}

fn any_write_only(block: &Block) -> bool {
    block.attributes.values().any(writes_only)
        || block.blocks.values().any(|nested| any_write_only(&nested.block))
}

fn read_identity(
    identity: &proto::ResourceIdentitySchema,
    at: &str,
    faults: &mut Vec<String>,
) -> Identity {
    let mut attributes = BTreeMap::new();
    for attribute in &identity.identity_attributes {
        let at = format!("{at}.{}", attribute.name);
        if attribute.required_for_import == attribute.optional_for_import {
            faults.push(format!("{at}: either required or optional for import"));
        }
        match Ty::from_json(&attribute.r#type) {
            Ok(ty) if ty.is_primitive() || matches!(&ty, Ty::List(it) if it.is_primitive()) => {
                let required = attribute.required_for_import;
                attributes.insert(attribute.name.clone(), IdentityAttribute { ty, required });
            }
            Ok(_) => faults.push(format!("{at}: neither a primitive nor a list of one")),
            Err(what) => faults.push(format!("{at}: {what}")),
        }
    }
    if identity.version < 0 {
        faults.push(format!("{at}: a negative version"));
    }
    Identity { version: identity.version, attributes }
}

fn read_function(name: &str, function: &proto::Function) -> Result<Function, String> {
    let parameter = |it: &proto::function::Parameter| {
        identifier(&it.name)?;
        Ok::<_, String>(Parameter {
            name: it.name.clone(),
            ty: Ty::from_json(&it.r#type)?,
            allow_null: it.allow_null_value,
            allow_unknown: it.allow_unknown_values,
        })
    };
    identifier(name)?;
    let parameters = function.parameters.iter().map(parameter).collect::<Result<Vec<_>, _>>()?;
    let variadic = function.variadic_parameter.as_ref().map(parameter).transpose()?;
    let mut names: Vec<_> = parameters.iter().chain(&variadic).map(|it| &it.name).collect();
    names.sort();
    if let Some((twice, _)) = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next)
    {
        return Err(format!("the parameter {twice:?} stands twice"));
    }
    let returns = function.r#return.as_ref().ok_or("no return type")?;
    Ok(Function { parameters, variadic, returns: Ty::from_json(&returns.r#type)? })
}

fn identifier(name: &str) -> Result<(), String> {
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let goes_on = letters.all(|it| it.is_ascii_alphanumeric() || "_-".contains(it));
    if starts && goes_on { Ok(()) } else { Err(format!("{name:?} is no identifier")) }
}

fn bad_name(name: &str) -> Option<&'static str> {
    let fine = !name.is_empty()
        && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_');
    (!fine).then_some("name may contain only lowercase letters, digits and underscores")
}

/// A number as tests write it.
pub fn number(json: &serde_json::Number) -> Num {
    Num::parse(&json.to_string()).expect("a JSON number is a number")
}
