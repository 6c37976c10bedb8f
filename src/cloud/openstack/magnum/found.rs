//! A cluster with what its template tells: its version, and whether its workloads hold on to a credential.

use std::collections::BTreeMap;

use super::{Cluster, ClusterTemplate};

/// A cluster with its template, where that can be seen.
#[derive(Clone, Debug, Default)]
pub struct FoundCluster {
    pub cluster: Cluster,
    pub template: Option<ClusterTemplate>,
}

/// Whether the OpenStack workloads of a cluster must restart after a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    Needed,
    NotNeeded,
    /// Nothing tells the version.
    Unknown,
}

impl FoundCluster {
    /// The version of Kubernetes that the template stands for, as major and minor: by the cluster's label, the
    /// template's label, the template's name, or what the driver says.
    pub fn version(&self) -> Option<(u32, u32)> {
        let label =
            |labels: &BTreeMap<String, String>| labels.get("kube_tag").and_then(|tag| parse(tag));
        let template = self.template.as_ref();
        label(&self.cluster.labels)
            .or_else(|| template.and_then(|template| label(&template.labels)))
            .or_else(|| template.and_then(|template| template.name.as_deref()).and_then(parse))
            .or_else(|| self.cluster.coe_version.as_deref().and_then(parse))
    }

    /// By the version: from 1.34 on they take a new credential without a restart (Catalyst Cloud's page).
    pub fn restarts(&self) -> Restarts {
        match self.version() {
            Some(version) if version < RELOADS => Restarts::Needed,
            Some(_) => Restarts::NotNeeded,
            None => Restarts::Unknown,
        }
    }
}

const RELOADS: (u32, u32) = (1, 34);

/// The first `v1.33` in a text.
fn parse(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    text.match_indices('v').find_map(|(position, _)| {
        let (major, rest) = text[position + 1..].split_once('.')?;
        Some((major.parse().ok()?, number(rest)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_where_templates_tell_them() {
        assert_eq!(parse("v1.33.8"), Some((1, 33)));
        assert_eq!(parse("kubernetes-v1.34.2-20260101"), Some((1, 34)));
        assert_eq!(parse("dev-kubernetes-v1.9"), Some((1, 9)));
        assert_eq!(parse("my-template"), None);
        assert_eq!(parse("v1"), None);
    }

    #[test]
    fn the_cluster_says_more_than_its_template() {
        let labels = |tag: &str| [("kube_tag".to_owned(), tag.to_owned())].into();
        let template = ClusterTemplate {
            name: Some("kubernetes-v1.33.8".into()),
            labels: labels("v1.34.0"),
            ..ClusterTemplate::default()
        };
        let cluster = Cluster { labels: labels("v1.35.1"), ..Cluster::default() };
        let mut found = FoundCluster { cluster, template: Some(template) };
        assert_eq!(found.version(), Some((1, 35)));
        found.cluster.labels.clear();
        assert_eq!((found.version(), found.restarts()), (Some((1, 34)), Restarts::NotNeeded));
        found.template = Some(ClusterTemplate::default());
        assert_eq!(found.restarts(), Restarts::Unknown);
        found.cluster.coe_version = Some("v1.20.1".into());
        assert_eq!((found.version(), found.restarts()), (Some((1, 20)), Restarts::Needed));
    }
}
