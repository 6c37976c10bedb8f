# Each quarter's value of `quarter` is a new credential. What depends on it is updated before the old one is revoked.
resource "rekey_application_credential" "pipeline" {
  name_prefix = "pipeline-"
  roles       = ["member"]

  triggers = {
    quarter = "2026Q4"
  }

  lifecycle {
    create_before_destroy = true
  }
}
