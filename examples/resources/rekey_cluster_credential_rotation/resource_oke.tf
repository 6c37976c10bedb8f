# The credentials of an OKE cluster, renewed once a year. OKE retires the old ones two weeks after the start.
resource "rekey_cluster_credential_rotation" "oke" {
  oke = {
    cluster_id = "ocid1.cluster.oc1.iad.aaaaaaaaexample"
  }

  overlap      = "14d"
  renew_before = "120d"
  triggers     = { year = "2026" }
}
