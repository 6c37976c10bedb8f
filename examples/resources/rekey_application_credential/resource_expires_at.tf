# For a guest, until a date. Keystone then refuses it, whether or not anybody applies.
resource "rekey_application_credential" "guest" {
  name       = "guest"
  roles      = ["reader"]
  expires_at = "2030-01-01T00:00:00Z"
}
