import {
  to = rekey_cluster_credential_rotation.prod
  id = "prod/application_credential"
}
