terraform {
  required_providers {
    rekey = {
      source = "terraform.local/rekey/rekey"
    }
  }
}

# The login is a profile of ~/.oci/config, as of Oracle's own provider and CLI.
provider "rekey" {
  oci = {
    profile = "DEFAULT"
  }
}
