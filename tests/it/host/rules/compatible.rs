//! Whether what came is a completion of what was planned: known parts equal, unknown parts of the
//! promised kind. Holds between the two plans of a change and between plan and result.

use std::collections::BTreeMap;

use super::super::schema::{Attribute, Block, Nesting};
use super::super::value::Val;

/// Every difference that the operator was not told of, as core words it.
pub fn object_compatible(block: &Block, planned: &Val, actual: &Val) -> Vec<String> {
    let mut faults = Vec::new();
    check_block(block, planned, actual, "", &mut faults);
    faults
}

fn check_block(block: &Block, planned: &Val, actual: &Val, at: &str, faults: &mut Vec<String>) {
    match (planned.is_null(), actual.is_null()) {
        (true, true) => return,
        (true, false) => return faults.push(format!("{at}: was absent, but now present")),
        (false, true) => return faults.push(format!("{at}: was present, but now absent")),
        (false, false) => {}
    }
    check_attributes(&block.attributes, planned, actual, at, faults);
    for (name, nested) in &block.blocks {
        let at = format!("{at}.{name}");
        let (planned, actual) = (planned.member(name), actual.member(name));
        if !planned.is_known() {
            continue;
        }
        match nested.nesting {
            Nesting::Group | Nesting::Single => {
                check_block(&nested.block, &planned, &actual, &at, faults);
            }
            Nesting::List => {
                let (was, is) = (planned.elements(), actual.elements());
                if was.len() != is.len() {
                    faults.push(format!(
                        "{at}: block count changed from {} to {}",
                        was.len(),
                        is.len()
                    ));
                    continue;
                }
                for (index, (planned, actual)) in was.iter().zip(is).enumerate() {
                    check_block(&nested.block, planned, actual, &format!("{at}[{index}]"), faults);
                }
            }
            Nesting::Map => {
                let (was, is) = (planned.entries(), actual.entries());
                same_keys(&at, &was, &is, faults);
                for (key, planned) in &was {
                    if let Some(actual) = is.get(key) {
                        let at = format!("{at}[{key:?}]");
                        check_block(&nested.block, planned, actual, &at, faults);
                    }
                }
            }
            Nesting::Set => check_set(&planned, &actual, &at, faults, &|planned, actual| {
                object_compatible(&nested.block, planned, actual).is_empty()
            }),
        }
    }
}

fn check_attributes(
    attributes: &BTreeMap<String, Attribute>,
    planned: &Val,
    actual: &Val,
    at: &str,
    faults: &mut Vec<String>,
) {
    for (name, attribute) in attributes {
        let mut found = Vec::new();
        let at = format!("{at}.{name}");
        check_value(&planned.member(name), &actual.member(name), &at, &mut found);
        if attribute.sensitive && !found.is_empty() {
            found = vec![format!("{at}: inconsistent values for sensitive attribute")];
        }
        faults.extend(found);
    }
}

fn check_value(planned: &Val, actual: &Val, at: &str, faults: &mut Vec<String>) {
    match (planned, actual) {
        (Val::Unknown(promise), actual) => {
            if !promise.allows(actual) {
                faults.push(format!(
                    "{at}: final value {actual:?} does not conform to planning placeholder {planned:?}"
                ));
            }
        }
        (Val::Null, Val::Null) => {}
        (Val::Null, _) => faults.push(format!("{at}: was null, but now {actual:?}")),
        (_, Val::Null) => faults.push(format!("{at}: was {planned:?}, but now null")),
        (_, Val::Unknown(_)) => faults.push(format!("{at}: was known, but now unknown")),
        (Val::List(was), Val::List(is)) | (Val::Tuple(was), Val::Tuple(is)) => {
            for (index, planned) in was.iter().enumerate() {
                match is.get(index) {
                    Some(actual) => check_value(planned, actual, &format!("{at}[{index}]"), faults),
                    None => faults.push(format!("{at}: element {index} has vanished")),
                }
            }
            for index in was.len()..is.len() {
                faults.push(format!("{at}: new element {index} has appeared"));
            }
        }
        (Val::Map(was), Val::Map(is)) => {
            same_keys(at, was, is, faults);
            for (key, planned) in was {
                if let Some(actual) = is.get(key) {
                    check_value(planned, actual, &format!("{at}[{key:?}]"), faults);
                }
            }
        }
        (Val::Object(was), Val::Object(is)) => {
            for (name, planned) in was {
                check_value(planned, &is[name], &format!("{at}.{name}"), faults);
            }
        }
        (Val::Set(_), Val::Set(_)) => check_set(planned, actual, at, faults, &|planned, actual| {
            let mut faults = Vec::new();
            check_value(planned, actual, "", &mut faults);
            faults.is_empty()
        }),
        (Val::Dynamic(was, planned), Val::Dynamic(is, actual)) => {
            if was == is {
                check_value(planned, actual, at, faults);
            } else {
                faults.push(format!("{at}: wrong final value type"));
            }
        }
        _ if planned == actual => {}
        _ => faults.push(format!("{at}: was {planned:?}, but now {actual:?}")),
    }
}

/// Each element must have a counterpart; elements may fall into one, new ones may not appear.
fn check_set(
    planned: &Val,
    actual: &Val,
    at: &str,
    faults: &mut Vec<String>,
    matches: &dyn Fn(&Val, &Val) -> bool,
) {
    let (was, is) = (planned.elements(), actual.elements());
    let lost = was.iter().find(|planned| !is.iter().any(|actual| matches(planned, actual)));
    let gained = is.iter().find(|actual| !was.iter().any(|planned| matches(planned, actual)));
    if let Some(lost) = lost {
        faults.push(format!(
            "{at}: planned set element {lost:?} does not correlate with any element in actual"
        ));
    } else if let Some(gained) = gained {
        faults.push(format!(
            "{at}: actual set element {gained:?} does not correlate with any element in plan"
        ));
    }
    if was.len() < is.len() {
        faults.push(format!("{at}: length changed from {} to {}", was.len(), is.len()));
    }
}

fn same_keys(
    at: &str,
    was: &BTreeMap<String, Val>,
    is: &BTreeMap<String, Val>,
    faults: &mut Vec<String>,
) {
    for key in was.keys().filter(|key| !is.contains_key(*key)) {
        faults.push(format!("{at}: element {key:?} has vanished"));
    }
    for key in is.keys().filter(|key| !was.contains_key(*key)) {
        faults.push(format!("{at}: new element {key:?} has appeared"));
    }
}
