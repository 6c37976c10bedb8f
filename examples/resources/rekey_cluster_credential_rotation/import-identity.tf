import {
  to = rekey_cluster_credential_rotation.prod
  identity = {
    id = "5f0c4b9e-6a3d-4b0e-9b0e-1c2d3e4f5a6b/application_credential"
  }
}
