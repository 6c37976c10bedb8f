//! The names under which the two command lines know a provider.

/// Where they look for one whose address names no host: each in its own registry.
const REGISTRIES: [&str; 2] = ["registry.opentofu.org", "registry.terraform.io"];

/// The full names of what a configuration calls `source`. With a host it is the only one.
pub fn full(address: &str) -> Vec<String> {
    if address.split('/').count() > 2 {
        return vec![address.to_owned()];
    }
    REGISTRIES.map(|host| format!("{host}/{address}")).to_vec()
}

#[cfg(test)]
mod tests {
    use super::full;

    #[test]
    fn an_address_with_a_host_is_whole() {
        assert_eq!(full("example.com/acme/thing"), ["example.com/acme/thing"]);
    }

    #[test]
    fn one_without_a_host_lies_in_the_registry_of_each_command_line() {
        let names = ["registry.opentofu.org/acme/thing", "registry.terraform.io/acme/thing"];
        assert_eq!(full("acme/thing"), names);
    }
}
