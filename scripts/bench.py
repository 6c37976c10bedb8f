#!/usr/bin/env python3
"""Measures the released provider and prints it as ratios: start-up, memory, size, and plans of many credentials.

Everything is measured in one run, each figure beside the floor that it is compared with, because ratios travel
from machine to machine and milliseconds do not. PROVIDER names the release, beside which lies a release of the
sandbox: `make bench` builds both.
"""
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target" / "release"
PROVIDER = pathlib.Path(os.environ["PROVIDER"])
ADDRESS = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]["terraform"]["address"]
STARTS = 40
# How many credentials, and how often each plan is made.
PLANS = {1: 7, 100: 7, 1000: 3}
# How Terraform starts a provider. The certificate is a host's, of the kind that Terraform makes for each run;
# its key was thrown away, because the handshake line is all that is asked for.
HANDSHAKE = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "6",
    "PLUGIN_CLIENT_CERT": """-----BEGIN CERTIFICATE-----
MIICZDCCAcegAwIBAgIUOkWNXwRxpdMn2gtiZ4VacBno8hcwCgYIKoZIzj0EAwIw
KDESMBAGA1UECgwJYmVuY2htYXJrMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjYx
MTIyMTAzOTU5WhgPMjEyNjEwMjkxMDM5NTlaMCgxEjAQBgNVBAoMCWJlbmNobWFy
azESMBAGA1UEAwwJbG9jYWxob3N0MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA
zZ3H8iyn/UjDrf05awKyiCJIQG4mp9ON+LXWEZzrufx27ivU5LkV6drf/baLTOwd
A6CsjqH6QgwhW+DMVWHKSHcBr5hh5wypG5JO6rrtGe6WwhXDbxA/cV1j4yihHuid
u7JMUTlJ4DxbrkaK4x9MHvQlGbuPKqcVwfu4S7vq1Q6K31yjgYkwgYYwHQYDVR0O
BBYEFCekJoi3YjdAB+7EMDy+jzBIePjCMB8GA1UdIwQYMBaAFCekJoi3YjdAB+7E
MDy+jzBIePjCMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0
MB0GA1UdJQQWMBQGCCsGAQUFBwMCBggrBgEFBQcDATAKBggqhkjOPQQDAgOBigAw
gYYCQUAQ9PnJAKfeFJq28vySXCq+jMeYWHjZLjTTm5iBED5e5Yn9nVH/w6gikYfw
eLnZl45Z8Ai2B3ZmZFXpaqxmF65zAkFPEJINQSMm9CYj5QiF1eQeXjEcn6SvtZuE
Y8/lVmYi5AlBaTZxHNpKf2KhiDefR0A1nhBE5MjhQzxQhWb2ki9idQ==
-----END CERTIFICATE-----
""",
}


def main():
    cli = find_cli()
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder, sandbox() as cloud:
        folder = pathlib.Path(folder)
        table("start", ["", "min", "median", "wanted"], starts())
        rows, peak = plans(cli, folder, cloud)
        table(f"plan, by {version(cli)}", ["credentials", "plan, median", "terraform_data, median", "ratio", "wanted",
                                           "API calls", "bytes of answers"], rows)
        table("memory and size", ["", "measured", "wanted"], [
            ["resident after the handshake", mebibytes(resident_after_handshake()), "≤ 8 MiB"],
            ["resident at its peak, plan of 1,000", mebibytes(peak), ""],
            ["binary", f"{PROVIDER.stat().st_size / 1e6:.1f} MB", "≤ 10 MB"],
        ])


def starts():
    """From exec to the handshake line, beside a program that does nothing but print a line."""
    measured = {"handshake line": [], "a program that only prints a line": []}
    for _ in range(STARTS):
        measured["handshake line"].append(first_line([PROVIDER], HANDSHAKE))
        measured["a program that only prints a line"].append(first_line(["/bin/echo", "line"], {}))
    wanted = {"handshake line": "≤ 3 times the other"}
    return [[name, milliseconds(min(times)), milliseconds(statistics.median(times)), wanted.get(name, "")]
            for name, times in measured.items()]


def first_line(command, environment):
    begun = time.perf_counter()
    with started(command, environment) as process:
        process.stdout.readline()
        return time.perf_counter() - begun


def resident_after_handshake():
    with started([PROVIDER], HANDSHAKE) as process:
        process.stdout.readline()
        return memory(process.pid, "VmRSS")


@contextlib.contextmanager
def started(command, environment):
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def plans(cli, folder, cloud):
    rows, peak = [], 0
    wanted = {1: "≤ 2.5", 1000: "≤ 1.5, ≤ 3 calls"}
    for count, times in PLANS.items():
        ours = workspace(folder / f"rekey-{count}", count, CREDENTIALS)
        floor = workspace(folder / f"floor-{count}", count, FLOOR)
        for place in (ours, floor):
            run(cli, place, cloud, "apply", "-auto-approve")
        measured = {ours: [], floor: []}
        for _ in range(times):
            cloud.forget()
            with Peak() as watch:
                measured[ours].append(run(cli, ours, cloud, "plan", "-detailed-exitcode"))
            peak = max(peak, watch.bytes)
            log = cloud.calls()
            measured[floor].append(run(cli, floor, cloud, "plan", "-detailed-exitcode"))
        mine, least = (statistics.median(measured[place]) for place in (ours, floor))
        rows.append([f"{count:,}", milliseconds(mine), milliseconds(least), f"{mine / least:.2f}", wanted.get(count, ""),
                     log["total"], f"{log['bytes_out']:,}"])
        run(cli, ours, cloud, "destroy", "-auto-approve")
    return rows, peak


CREDENTIALS = """
terraform {{
  required_providers {{
    rekey = {{ source = "{address}" }}
  }}
}}

resource "rekey_application_credential" "many" {{
  count       = {count}
  name_prefix = "bench-${{count.index}}-"
  roles       = ["member"]
  expires_in  = "P90D"
}}
"""
FLOOR = """
resource "terraform_data" "many" {{
  count = {count}
  input = "bench-${{count.index}}-"
}}
"""


def workspace(folder, count, template):
    plugins = folder / "plugins"
    plugins.mkdir(parents=True)
    os.link(PROVIDER, plugins / PROVIDER.name)
    (folder / "main.tf").write_text(template.format(address=ADDRESS, count=count))
    registries = ["registry.terraform.io/", "registry.opentofu.org/"] if ADDRESS.count("/") == 1 else [""]
    overrides = "\n".join(f'    "{host}{ADDRESS}" = "{plugins}"' for host in registries)
    (folder / "cli.tfrc").write_text(f"""disable_checkpoint = true
provider_installation {{
  dev_overrides {{
{overrides}
  }}
  direct {{}}
}}
""")
    return folder


def run(cli, folder, cloud, *arguments):
    """How long the command took; anything but success, and a plan that changes something, ends the run."""
    environment = cloud.environment | {
        "CHECKPOINT_DISABLE": "1", "HOME": str(folder), "PATH": os.environ["PATH"],
        "TF_CLI_CONFIG_FILE": str(folder / "cli.tfrc"), "TF_IN_AUTOMATION": "1",
    }
    begun = time.perf_counter()
    result = subprocess.run([cli, *arguments, "-input=false", "-no-color"], cwd=folder, env=environment,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.perf_counter() - begun
    if result.returncode:
        sys.exit(f"{arguments[0]} ended with {result.returncode}:\n{result.stdout.decode()[-4000:]}")
    return took


class Peak:
    """The highest memory use of any provider process while it is entered."""

    def __enter__(self):
        self.bytes, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def watch(self):
        while not self.ended.wait(0.01):
            for folder in pathlib.Path("/proc").iterdir():
                with contextlib.suppress(OSError, ValueError):
                    if folder.name.isdigit() and os.path.samefile(folder / "exe", PROVIDER):
                        self.bytes = max(self.bytes, memory(folder.name, "VmHWM"))


def memory(pid, field):
    """A field of /proc/PID/status in bytes; 0 where the process has ended."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


class Cloud:
    """The stand-in Keystone, and the log of what it was asked."""

    def __init__(self, facts):
        self.environment, self.facts = facts["environment"], facts

    def control(self, method, name):
        request = urllib.request.Request(f"{self.facts['control_url']}/{name}", method=method,
                                         headers={"X-Sandbox-Token": self.facts["control_token"]})
        with urllib.request.urlopen(request) as reply:
            return reply.read()

    def forget(self):
        self.control("DELETE", "calls")

    def calls(self):
        return json.loads(self.control("GET", "calls"))


@contextlib.contextmanager
def sandbox():
    process = subprocess.Popen([RELEASE / "rekey-sandbox", "--until-stdin-closes"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        yield Cloud(json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait()


def find_cli():
    for name in (os.environ.get("TF"), os.environ.get("TOFU"), "terraform", "tofu"):
        if name and (path := shutil.which(name)):
            return path
    sys.exit("neither terraform nor tofu is on the PATH; set TF or TOFU")


def version(cli):
    text = subprocess.run([cli, "version"], env={"CHECKPOINT_DISABLE": "1"}, stdout=subprocess.PIPE).stdout.decode()
    return text.splitlines()[0]


def table(title, head, rows):
    """As Markdown, ready for contributing/performance.md."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    rows.insert(1, ["-" * width for width in widths])
    print(f"\n{title}\n")
    for row in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms"


def mebibytes(count):
    return f"{count / 2**20:.1f} MiB"


if __name__ == "__main__":
    main()
