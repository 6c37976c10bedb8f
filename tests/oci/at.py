"""The official CLI at another time: at.py SECONDS ARGUMENT... runs `oci ARGUMENT...` when that is the time."""
import sys
import time

seconds = float(sys.argv[1])
time.time = lambda: seconds
sys.argv = ["oci", *sys.argv[2:]]

from oci_cli.cli import cli  # noqa: E402

cli()
