# Clusters whose credential should be rotated, and why: for example because its owner has left.
data "rekey_cluster_credentials" "all" {}

output "rotation_recommended" {
  value = {
    for cluster in data.rekey_cluster_credentials.all.clusters :
    cluster.name => cluster.rotation_reasons if cluster.rotation_recommended
  }
}
