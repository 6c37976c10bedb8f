//! Where OCI's regions are: the realm of each, and the domain of each realm. Regions that are newer than
//! this table are read from `OCI_REGION_METADATA` and `~/.oci/regions-config.json`, as Oracle's own
//! tools read them.
//!
//! Where those tools take a region that they do not know to be in Oracle's public realm, there is an
//! error here: it would be a login at an address that nobody meant.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config::error::ConfigError;
use crate::cloud::Surroundings;

/// A region, found by its name or its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// `eu-frankfurt-1`.
    pub name: String,
    /// The second-level domain of its realm, `oraclecloud.com`.
    pub domain: String,
}

impl Region {
    /// Where a service is in this region, such as `containerengine`.
    pub fn host(&self, service: &str) -> String {
        format!("{service}.{}.oci.{}", self.name, self.domain)
    }

    /// Where the service is that gives tokens to instances.
    pub fn auth_host(&self) -> String {
        format!("auth.{}.{}", self.name, self.domain)
    }
}

/// All regions that are known here.
#[derive(Clone, Debug)]
pub struct Regions {
    /// Besides the table's own; by name, in lower case.
    added: BTreeMap<String, Metadata>,
    /// The domain of a region that is not known (`OCI_DEFAULT_REALM`).
    fallback: Option<String>,
}

/// One of `OCI_REGION_METADATA` and `regions-config.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    realm_domain_component: String,
    region_identifier: String,
    region_key: String,
}

impl Regions {
    /// The table, extended by what is around. What is there and cannot be read is an error.
    pub fn known(from: &Surroundings) -> Result<Self, ConfigError> {
        let mut added = BTreeMap::new();
        let environment = |name: &str| {
            from.environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
        };
        if let Some(text) = environment("OCI_REGION_METADATA") {
            let one: Metadata = parsed(text, "OCI_REGION_METADATA")?;
            insert(&mut added, one);
        }
        // The file is asked first by Oracle's tools, so it wins.
        let path = from.home_dir.as_ref().map(|home| home.join(".oci/regions-config.json"));
        if let Some(path) = path.filter(|path| path.is_file()) {
            let place = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(|error| {
                ConfigError::new(Some("region"), format!("cannot read {place}: {error}"))
            })?;
            let all: Vec<Metadata> = parsed(&text, &place)?;
            for one in all {
                insert(&mut added, one);
            }
        }
        Ok(Self { added, fallback: environment("OCI_DEFAULT_REALM").map(str::to_owned) })
    }

    /// By name or key (`fra`), in any case.
    pub fn find(&self, text: &str) -> Result<Region, ConfigError> {
        let wanted = text.trim().to_ascii_lowercase();
        let known = TABLE.iter().find(|(name, key, _)| *name == wanted || *key == wanted);
        if let Some((name, _, realm)) = known {
            return Ok(Region { name: (*name).to_owned(), domain: domain(realm) });
        }
        let by_key = || self.added.values().find(|one| one.region_key == wanted);
        if let Some(one) = self.added.get(&wanted).or_else(by_key) {
            let (name, domain) = (&one.region_identifier, &one.realm_domain_component);
            return Ok(Region { name: name.clone(), domain: domain.clone() });
        }
        match &self.fallback {
            Some(domain) if is_name(&wanted) => Ok(Region { name: wanted, domain: domain.clone() }),
            _ => Err(ConfigError::new(
                Some("region"),
                format!(
                    "the region {text:?} is not known. If it is newer than this provider, describe it in OCI_REGION_METADATA \
                     or in ~/.oci/regions-config.json (realmKey, realmDomainComponent, regionKey, regionIdentifier), or give \
                     the address of its Container Engine as endpoint"
                ),
            )),
        }
    }
}

fn parsed<T: for<'a> Deserialize<'a>>(text: &str, place: &str) -> Result<T, ConfigError> {
    serde_json::from_str(text).map_err(|error| {
        let message =
            format!("{place} does not describe regions as Oracle's tools expect it: {error}");
        ConfigError::new(Some("region"), message)
    })
}

fn insert(into: &mut BTreeMap<String, Metadata>, one: Metadata) {
    let lower = |text: String| text.trim().to_ascii_lowercase();
    let one = Metadata {
        realm_domain_component: lower(one.realm_domain_component),
        region_identifier: lower(one.region_identifier),
        region_key: lower(one.region_key),
    };
    into.insert(one.region_identifier.clone(), one);
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Most realms have a domain of their number.
fn domain(realm: &str) -> String {
    match realm {
        "oc1" => "oraclecloud.com".to_owned(),
        "oc2" | "oc3" => "oraclegovcloud.com".to_owned(),
        "oc4" => "oraclegovcloud.uk".to_owned(),
        "oc19" => "oraclecloud.eu".to_owned(),
        other => format!("oraclecloud{}.com", other.trim_start_matches("oc")),
    }
}

/// Name, key, realm; as in version 2.189.0 of Oracle's SDK for Python.
const TABLE: [(&str, &str, &str); 85] = [
    ("af-casablanca-1", "lej", "oc1"),
    ("af-johannesburg-1", "jnb", "oc1"),
    ("ap-batam-1", "hsg", "oc1"),
    ("ap-chiyoda-1", "nja", "oc8"),
    ("ap-chuncheon-1", "yny", "oc1"),
    ("ap-chuncheon-2", "bno", "oc35"),
    ("ap-dcc-canberra-1", "wga", "oc10"),
    ("ap-dcc-gazipur-1", "dac", "oc15"),
    ("ap-delhi-1", "onm", "oc1"),
    ("ap-hyderabad-1", "hyd", "oc1"),
    ("ap-ibaraki-1", "ukb", "oc8"),
    ("ap-kulai-2", "jbp", "oc1"),
    ("ap-melbourne-1", "mel", "oc1"),
    ("ap-mumbai-1", "bom", "oc1"),
    ("ap-osaka-1", "kix", "oc1"),
    ("ap-seoul-1", "icn", "oc1"),
    ("ap-seoul-2", "dtz", "oc35"),
    ("ap-singapore-1", "sin", "oc1"),
    ("ap-singapore-2", "xsp", "oc1"),
    ("ap-suwon-1", "dln", "oc35"),
    ("ap-sydney-1", "syd", "oc1"),
    ("ap-tokyo-1", "nrt", "oc1"),
    ("ca-montreal-1", "yul", "oc1"),
    ("ca-toronto-1", "yyz", "oc1"),
    ("eu-amsterdam-1", "ams", "oc1"),
    ("eu-budapest-1", "jsk", "oc51"),
    ("eu-crissier-1", "avf", "oc24"),
    ("eu-dcc-dublin-1", "ork", "oc14"),
    ("eu-dcc-dublin-2", "snn", "oc14"),
    ("eu-dcc-milan-1", "bgy", "oc14"),
    ("eu-dcc-milan-2", "mxp", "oc14"),
    ("eu-dcc-rating-1", "dus", "oc14"),
    ("eu-dcc-rating-2", "dtm", "oc14"),
    ("eu-dcc-zurich-1", "avz", "oc24"),
    ("eu-frankfurt-1", "fra", "oc1"),
    ("eu-frankfurt-2", "str", "oc19"),
    ("eu-jovanovac-1", "beg", "oc20"),
    ("eu-madrid-1", "mad", "oc1"),
    ("eu-madrid-2", "vll", "oc19"),
    ("eu-madrid-3", "orf", "oc1"),
    ("eu-marseille-1", "mrs", "oc1"),
    ("eu-milan-1", "lin", "oc1"),
    ("eu-paris-1", "cdg", "oc1"),
    ("eu-stockholm-1", "arn", "oc1"),
    ("eu-turin-1", "nrq", "oc1"),
    ("eu-zurich-1", "zrh", "oc1"),
    ("il-jerusalem-1", "mtz", "oc1"),
    ("me-abudhabi-1", "auh", "oc1"),
    ("me-abudhabi-2", "rkt", "oc29"),
    ("me-abudhabi-3", "ahu", "oc26"),
    ("me-abudhabi-4", "shj", "oc29"),
    ("me-alain-1", "rba", "oc26"),
    ("me-alrayyan-1", "vve", "oc21"),
    ("me-dcc-doha-1", "doh", "oc21"),
    ("me-dcc-muscat-1", "mct", "oc9"),
    ("me-dubai-1", "dxb", "oc1"),
    ("me-ibri-1", "ibr", "oc9"),
    ("me-jeddah-1", "jed", "oc1"),
    ("me-riyadh-1", "ruh", "oc1"),
    ("mx-monterrey-1", "mty", "oc1"),
    ("mx-queretaro-1", "qro", "oc1"),
    ("sa-bogota-1", "bog", "oc1"),
    ("sa-riodejaneiro-1", "hnw", "oc52"),
    ("sa-santiago-1", "scl", "oc1"),
    ("sa-saopaulo-1", "gru", "oc1"),
    ("sa-valparaiso-1", "vap", "oc1"),
    ("sa-vinhedo-1", "vcp", "oc1"),
    ("uk-cardiff-1", "cwl", "oc1"),
    ("uk-gov-cardiff-1", "brs", "oc4"),
    ("uk-gov-london-1", "ltn", "oc4"),
    ("uk-london-1", "lhr", "oc1"),
    ("us-ashburn-1", "iad", "oc1"),
    ("us-ashburn-2", "yxj", "oc42"),
    ("us-chicago-1", "ord", "oc1"),
    ("us-gov-ashburn-1", "ric", "oc3"),
    ("us-gov-chicago-1", "pia", "oc3"),
    ("us-gov-phoenix-1", "tus", "oc3"),
    ("us-langley-1", "lfi", "oc2"),
    ("us-luke-1", "luf", "oc2"),
    ("us-newark-1", "pgc", "oc42"),
    ("us-phoenix-1", "phx", "oc1"),
    ("us-saltlake-2", "aga", "oc1"),
    ("us-sanjose-1", "sjc", "oc1"),
    ("us-somerset-1", "ebb", "oc23"),
    ("us-thames-1", "ebl", "oc23"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(metadata: &str, default: &str, file: Option<&str>) -> Result<Regions, ConfigError> {
        let home = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            std::fs::create_dir(home.path().join(".oci")).unwrap();
            std::fs::write(home.path().join(".oci/regions-config.json"), text).unwrap();
        }
        let environment = [("OCI_REGION_METADATA", metadata), ("OCI_DEFAULT_REALM", default)];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Regions::known(&Surroundings {
            environment: environment.into(),
            home_dir: Some(home.path().to_owned()),
            ..Surroundings::default()
        })
    }

    const NEW: &str = r#"{"realmKey": "OC7", "realmDomainComponent": "oraclecloud7.com",
        "regionKey": "NEW", "regionIdentifier": "xx-new-1"}"#;

    #[test]
    fn each_realm_has_its_own_domain() {
        let check = |text: &str, expected: &str| {
            let region = regions("", "", None).unwrap().find(text).unwrap();
            assert_eq!(region.host("containerengine"), expected);
        };
        check("us-ashburn-1", "containerengine.us-ashburn-1.oci.oraclecloud.com");
        check(" IAD ", "containerengine.us-ashburn-1.oci.oraclecloud.com");
        check("us-langley-1", "containerengine.us-langley-1.oci.oraclegovcloud.com");
        check("ric", "containerengine.us-gov-ashburn-1.oci.oraclegovcloud.com");
        check("uk-gov-london-1", "containerengine.uk-gov-london-1.oci.oraclegovcloud.uk");
        check("eu-frankfurt-2", "containerengine.eu-frankfurt-2.oci.oraclecloud.eu");
        check("ap-chiyoda-1", "containerengine.ap-chiyoda-1.oci.oraclecloud8.com");
        check("sa-riodejaneiro-1", "containerengine.sa-riodejaneiro-1.oci.oraclecloud52.com");
    }

    #[test]
    fn a_region_that_is_not_in_the_table_can_be_described() {
        let expected = Some("auth.xx-new-1.oraclecloud7.com".to_owned());
        let found = |regions: Result<Regions, ConfigError>, text: &str| {
            regions.unwrap().find(text).ok().map(|region| region.auth_host())
        };
        assert_eq!(found(regions("", "", None), "xx-new-1"), None);
        assert_eq!(found(regions(NEW, "", None), "xx-new-1"), expected);
        assert_eq!(found(regions(NEW, "", None), "new"), expected);
        let list = format!("[{NEW}]");
        assert_eq!(found(regions("", "", Some(&list)), "XX-New-1"), expected);
        let other = NEW.replace("oraclecloud7", "example");
        assert_eq!(found(regions(&other, "", Some(&list)), "new"), expected);
        assert_eq!(found(regions("", "oraclecloud7.com", None), "xx-new-1"), expected);
        assert_eq!(found(regions("", "oraclecloud7.com", None), "evil.example/"), None);
    }

    #[test]
    fn what_cannot_be_read_or_found_is_said_with_the_way_out() {
        let said = regions("", "", None).unwrap().find("eu-fränkfurt-1").unwrap_err().to_string();
        for word in ["eu-fränkfurt-1", "OCI_REGION_METADATA", "regions-config.json", "endpoint"] {
            assert!(said.contains(word), "{said}");
        }
        assert!(regions("{", "", None).unwrap_err().message.contains("OCI_REGION_METADATA"));
        let file = regions("", "", Some("{}")).unwrap_err();
        assert!(file.message.contains("regions-config.json"), "{file}");
    }
}
