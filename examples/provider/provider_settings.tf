variable "password" {
  type      = string
  sensitive = true
}

# Every setting can be written here; it then wins over clouds.yaml and the variables.
provider "rekey" {
  alias = "automation"

  openstack = {
    auth_url            = "https://keystone.example.com:5000/v3"
    username            = "automation"
    user_domain_name    = "Default"
    password            = var.password
    project_name        = "production"
    project_domain_name = "Default"
    region_name         = "RegionOne"
  }

  # The plan may be made under a weaker login than the apply's.
  plan_checks = "warn"
}
