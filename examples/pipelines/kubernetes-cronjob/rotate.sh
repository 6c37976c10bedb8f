#!/bin/sh
# One run: plans, and applies what the plan has shown. Ends with 0 where nothing was due.
set -eu
TF=${TF:-terraform}

# A shell that is process 1 ignores Kubernetes' signal to stop unless it is told otherwise.
trap 'exit 143' TERM

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
