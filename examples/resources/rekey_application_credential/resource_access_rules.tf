# A credential that can list servers and nothing else.
resource "rekey_application_credential" "inventory" {
  name_prefix = "inventory-"
  roles       = ["reader"]

  access_rules = [
    {
      service = "compute"
      method  = "GET"
      path    = "/v2.1/servers/detail"
    },
  ]
}
