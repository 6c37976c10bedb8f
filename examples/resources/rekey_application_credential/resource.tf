resource "rekey_application_credential" "ci" {
  name_prefix = "ci-"
  description = "Deployments from the pipeline"
  roles       = ["member"]
  expires_in  = "90d"

  # A next generation after 30 days, or when a trigger changes.
  rotation_period = "30d"
  triggers = {
    team = "2026Q4"
  }

  # Consumers have a week to take the new credential; then the old one is revoked.
  overlap = "7d"
}
