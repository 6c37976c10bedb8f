#!/bin/sh
# One run: plans, and applies what the plan has shown. Ends with 0 where nothing was due.
set -eu
TF=${TF:-terraform}
KUBECTL=${TF_VAR_kubectl:-kubectl}

# A shell that is process 1 ignores Kubernetes' signal to stop unless it is told otherwise.
trap 'exit 143' TERM

# Without one of these Terraform would first issue a credential, and then be unable to write down that it did.
may() {
  $KUBECTL auth can-i "$@" --namespace="$KUBE_NAMESPACE" > /dev/null || {
    echo "the service account may not $* in the namespace $KUBE_NAMESPACE: nothing was done" >&2
    exit 1
  }
}
for verb in get update; do
  may "$verb" secrets/tfstate-default-rotate
  may "$verb" leases.coordination.k8s.io/lock-tfstate-default-rotate
done
may list secrets
may create secrets
may create leases.coordination.k8s.io

"$TF" init -input=false

code=0
"$TF" plan -input=false -detailed-exitcode -lock-timeout=10m -out=tfplan || code=$?
case $code in
  0) exit 0 ;;
  2) ;;
  *) exit "$code" ;;
esac

# In place of the shell: the signal then reaches Terraform, which finishes what is under way and writes the state.
exec "$TF" apply -input=false -lock-timeout=10m tfplan
