# The credential with which a Magnum cluster uses the cloud. The cluster then belongs to this login's user.
resource "rekey_cluster_credential_rotation" "prod" {
  magnum = {
    cluster = "prod"
  }

  rotation_period = "90d"

  # Change it to rotate now, for example because somebody has left.
  triggers = {
    reason = "new owner"
  }
}
