//! Whether a planned state is one that a provider may plan: what is configured stays as configured,
//! unless it stays as it was; only computed attributes are the provider's own.

use std::collections::BTreeMap;

use super::super::schema::{Attribute, Block, Kind, Nesting};
use super::super::value::Val;

/// Every breach, as core words it.
pub fn plan_valid(block: &Block, prior: &Val, config: &Val, planned: &Val) -> Vec<String> {
    let mut faults = Vec::new();
    check_block(block, prior, config, planned, "", &mut faults);
    faults
}

fn existence(config: &Val, planned: &Val, at: &str, faults: &mut Vec<String>) -> bool {
    match (config.is_null(), planned.is_null()) {
        (false, true) => {
            faults.push(format!("{at}: planned for absence but config wants existence"));
            false
        }
        (true, false) => {
            faults.push(format!("{at}: planned for existence but config wants absence"));
            false
        }
        (true, true) => false,
        (false, false) => true,
    }
}

fn check_block(
    block: &Block,
    prior: &Val,
    config: &Val,
    planned: &Val,
    at: &str,
    faults: &mut Vec<String>,
) {
    if !existence(config, planned, at, faults) {
        return;
    }
    check_attributes(&block.attributes, prior, config, planned, at, faults);
    for (name, nested) in &block.blocks {
        let at = format!("{at}.{name}");
        let (prior, config, planned) =
            (prior.member(name), config.member(name), planned.member(name));
        if planned.is_null() && nested.nesting != Nesting::Single {
            faults.push(format!("{at}: must be empty to indicate no blocks, not null"));
            continue;
        }
        if planned == config {
            continue;
        }
        if !config.is_known() {
            faults.push(format!("{at}: planned value {planned:?} for unknown dynamic block"));
            continue;
        }
        if !planned.is_known() {
            faults.push(format!("{at}: planned unknown value for non-computed block"));
            continue;
        }
        let whole = |value: &Val| !value.is_known();
        match nested.nesting {
            Nesting::Group | Nesting::Single => {
                check_block(&nested.block, &prior, &config, &planned, &at, faults);
            }
            Nesting::List => {
                let (wanted, got) = (config.elements(), planned.elements());
                if wanted.len() != got.len() {
                    faults.push(count(&at, "block count", got.len(), wanted.len()));
                    continue;
                }
                for (index, planned) in got.iter().enumerate() {
                    let at = format!("{at}[{index}]");
                    if whole(planned) {
                        faults.push(format!("{at}: a nested block must not be unknown itself"));
                        continue;
                    }
                    let prior = prior.elements().get(index).cloned().unwrap_or(Val::Null);
                    check_block(&nested.block, &prior, &wanted[index], planned, &at, faults);
                }
            }
            Nesting::Map => {
                let (priors, wanted, got) = (prior.entries(), config.entries(), planned.entries());
                if !same_keys(&at, &wanted, &got, faults) {
                    continue;
                }
                for (key, planned) in &got {
                    let at = format!("{at}[{key:?}]");
                    let prior = priors.get(key).cloned().unwrap_or(Val::Null);
                    check_block(&nested.block, &prior, &wanted[key], planned, &at, faults);
                }
            }
            // Elements of sets cannot be told apart: core trusts the provider here.
            Nesting::Set => {
                if planned.elements().iter().any(whole) {
                    faults.push(format!("{at}: a nested block must not be unknown itself"));
                }
            }
        }
    }
}

fn check_attributes(
    attributes: &BTreeMap<String, Attribute>,
    prior: &Val,
    config: &Val,
    planned: &Val,
    at: &str,
    faults: &mut Vec<String>,
) {
    for (name, attribute) in attributes {
        let at = format!("{at}.{name}");
        let (prior, config, planned) =
            (prior.member(name), config.member(name), planned.member(name));
        check_attribute(attribute, &prior, &config, &planned, &at, faults);
    }
}

fn check_attribute(
    attribute: &Attribute,
    prior: &Val,
    config: &Val,
    planned: &Val,
    at: &str,
    faults: &mut Vec<String>,
) {
    if planned == config || (planned == prior && !prior.is_null() && !config.is_null()) {
        return;
    }
    if attribute.write_only {
        if !planned.is_null() {
            faults.push(format!("{at}: planned value for write-only attribute is not null"));
        }
        return;
    }
    if attribute.computed && (!attribute.optional || config.is_null()) {
        return;
    }
    let show = |value: &Val| {
        if attribute.sensitive { "(sensitive)".to_owned() } else { format!("{value:?}") }
    };
    if config.is_null() {
        faults.push(format!("{at}: planned value {} for a non-computed attribute", show(planned)));
        return;
    }
    if let Kind::Nested(nesting, inner) = &attribute.kind {
        check_nested(*nesting, inner, prior, config, planned, at, faults);
        return;
    }
    faults.push(format!(
        "{at}: planned value {} does not match config value {} nor prior value {}",
        show(planned),
        show(config),
        show(prior)
    ));
}

fn check_nested(
    nesting: Nesting,
    attributes: &BTreeMap<String, Attribute>,
    prior: &Val,
    config: &Val,
    planned: &Val,
    at: &str,
    faults: &mut Vec<String>,
) {
    if !existence(config, planned, at, faults) {
        return;
    }
    if !planned.is_known() {
        faults.push(format!("{at}: planned unknown for configured value"));
        return;
    }
    // From here on the two differ and `planned` is known.
    if !config.is_known() {
        faults.push(format!("{at}: planned {planned:?} where the configuration is not known yet"));
        return;
    }
    match nesting {
        Nesting::Group | Nesting::Single => {
            check_attributes(attributes, prior, config, planned, at, faults);
        }
        Nesting::List => {
            let (wanted, got) = (config.elements(), planned.elements());
            if wanted.len() != got.len() {
                faults.push(count(at, "count", got.len(), wanted.len()));
                return;
            }
            for (index, planned) in got.iter().enumerate() {
                let prior = prior.elements().get(index).cloned().unwrap_or(Val::Null);
                let at = format!("{at}[{index}]");
                check_element(attributes, &prior, &wanted[index], planned, &at, faults);
            }
        }
        Nesting::Map => {
            let (priors, wanted, got) = (prior.entries(), config.entries(), planned.entries());
            if !same_keys(at, &wanted, &got, faults) {
                return;
            }
            for (key, planned) in &got {
                let prior = priors.get(key).cloned().unwrap_or(Val::Null);
                let at = format!("{at}[{key:?}]");
                check_element(attributes, &prior, &wanted[key], planned, &at, faults);
            }
        }
        Nesting::Set => {
            let (wanted, got) = (config.elements(), planned.elements());
            // Unknown elements may fall into one: then any smaller count is possible.
            let settled = planned.is_wholly_known();
            if (settled && wanted.len() != got.len()) || got.len() < wanted.len().min(1) {
                faults.push(count(at, "count", got.len(), wanted.len()));
            }
        }
    }
}

/// One object of a nested collection, which may itself be null or unknown.
fn check_element(
    attributes: &BTreeMap<String, Attribute>,
    prior: &Val,
    config: &Val,
    planned: &Val,
    at: &str,
    faults: &mut Vec<String>,
) {
    if planned != config && existence(config, planned, at, faults) {
        check_attributes(attributes, prior, config, planned, at, faults);
    }
}

fn count(at: &str, what: &str, planned: usize, config: usize) -> String {
    format!("{at}: {what} in plan ({planned}) disagrees with count in config ({config})")
}

fn same_keys(
    at: &str,
    wanted: &BTreeMap<String, Val>,
    got: &BTreeMap<String, Val>,
    faults: &mut Vec<String>,
) -> bool {
    for key in got.keys().filter(|key| !wanted.contains_key(*key)) {
        faults.push(format!("{at}: key {key:?} from plan is not present in config"));
    }
    for key in wanted.keys().filter(|key| !got.contains_key(*key)) {
        faults.push(format!("{at}: key {key:?} from config is not present in plan"));
    }
    wanted.keys().eq(got.keys())
}
