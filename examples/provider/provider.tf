terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

# The login is the cloud `mycloud` of clouds.yaml.
# Without a provider block it is what OS_CLOUD names, or the OS_* variables.
provider "rekey" {
  openstack = {
    cloud = "mycloud"
  }
}
