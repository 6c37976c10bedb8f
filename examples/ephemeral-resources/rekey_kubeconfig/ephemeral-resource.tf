# Access to a Magnum cluster for this run. Nothing of it is in the state, and it is as fresh as the CA.
ephemeral "rekey_kubeconfig" "prod" {
  cluster  = "prod"
  username = "terraform"
  groups   = ["deployers"]
}
