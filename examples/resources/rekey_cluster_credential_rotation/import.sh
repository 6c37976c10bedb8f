# The credential with which the cluster uses the cloud
terraform import rekey_cluster_credential_rotation.prod prod/application_credential

# The CA of its Kubernetes, by the cluster's uuid
terraform import rekey_cluster_credential_rotation.ca 5f0c4b9e-6a3d-4b0e-9b0e-1c2d3e4f5a6b/ca_certificate
