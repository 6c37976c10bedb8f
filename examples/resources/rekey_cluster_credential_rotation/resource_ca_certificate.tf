# The cluster's CA. Every kubeconfig stops working when it is replaced, so nothing happens before
# somebody asks for it, or a year before it expires.
resource "rekey_cluster_credential_rotation" "ca" {
  magnum = {
    cluster                     = "prod"
    credential                  = "ca_certificate"
    driver_supports_ca_rotation = true # Magnum cannot be asked
  }

  rotate_on_create = false
  renew_before     = "365d"
}
