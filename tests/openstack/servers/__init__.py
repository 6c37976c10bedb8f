"""Starts Keystone, Glance and Magnum as child processes: databases, configuration, sockets, health."""
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

from . import config, seed

HERE = pathlib.Path(__file__).resolve().parent
ADMIN_PASSWORD = "adminpw"
# Stands in the cached database until the port is known.
NO_ADDRESS = "http://keystone.invalid/v3"
HEALTH_SECONDS = 180


class Children:
    """The server processes; all of them end with this object."""

    def __init__(self):
        self.processes = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name, command, sock, state, **env):
        log = open(state / "log" / f"{name}.out", "wb")
        self.processes[name] = subprocess.Popen(
            command, cwd=state, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[sock.fileno()], env=os.environ | env)

    def check(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                sys.exit(f"{name} ended with code {process.returncode}; see its log")


def bring_up(services, root, state, venv, children):
    """Returns what a client must know: addresses, users, roles."""
    for part in ("log", "images"):
        (state / part).mkdir(parents=True)
    sockets = {name: listener() for name in services}
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    urls = {"keystone": f"http://127.0.0.1:{ports['keystone']}/v3"}
    if "magnum" in services:
        urls["glance"] = f"http://127.0.0.1:{ports['glance']}"
        urls["magnum"] = f"http://127.0.0.1:{ports['magnum']}/v1"

    config.write(state, venv, urls, ports)
    databases(services, root, state, venv, urls)

    keystone = {"OS_KEYSTONE_CONFIG_FILES": str(state / "keystone.conf")}
    children.start("keystone", gunicorn(venv, "keystone_wsgi", sockets["keystone"]), sockets["keystone"], state,
                   **keystone)
    if "magnum" in services:
        children.start("glance", gunicorn(venv, "glance_wsgi", sockets["glance"]), sockets["glance"], state,
                       OS_GLANCE_CONFIG_DIR=str(state))
        children.start("magnum", [venv / "bin" / "python", HERE / "magnum_all.py", "--config-file",
                                  state / "magnum.conf"], sockets["magnum"], state,
                       MAGNUM_FD=str(sockets["magnum"].fileno()), **stub_driver(state))
    healthy(urls["keystone"], children)
    if "magnum" in services:
        healthy(urls["glance"] + "/", children)
        healthy(urls["magnum"].removesuffix("v1"), children)

    facts = seed.keystone(urls, ADMIN_PASSWORD)
    if "magnum" in services:
        facts |= seed.magnum(urls, ADMIN_PASSWORD) | {"stub_state": str(state / "stub")}
    return facts | {"venv": str(venv)}


def listener():
    sock = socket.create_server(("127.0.0.1", 0), backlog=256)
    sock.set_inheritable(True)
    return sock


def gunicorn(venv, module, sock):
    """One worker with one thread: the cache lives in the process, and SQLite wants one writer at a time."""
    return [venv / "bin" / "gunicorn", "-w", "1", "-k", "gthread", "--threads", "1", "-b", f"fd://{sock.fileno()}",
            "--no-control-socket", "--chdir", HERE, f"{module}:application"]


def stub_driver(state):
    return {"PYTHONPATH": str(HERE.parent / "stub_driver"), "MAGNUM_STUB_STATE": str(state / "stub")}


def databases(services, root, state, venv, urls):
    """Copies empty, migrated databases, made once for each set of services and pinned packages."""
    cache = root / f"databases-{'-'.join(services)}"
    mark = cache / "made-for"
    pins = b"".join(path.read_bytes() for path in sorted(HERE.parent.glob("requirements*.txt")))
    if not (mark.exists() and mark.read_bytes() == pins):
        shutil.rmtree(cache, ignore_errors=True)
        make_databases(services, state, venv)
        cache.mkdir()
        for path in state.glob("*.db"):
            shutil.copy2(path, cache)
        shutil.copytree(state / "keys", cache / "keys")
        mark.write_bytes(pins)
    else:
        for path in cache.glob("*.db"):
            shutil.copy2(path, state)
        shutil.copytree(cache / "keys", state / "keys")
    with sqlite3.connect(state / "keystone.db") as connection:
        connection.execute("update endpoint set url = ? where url = ?", (urls["keystone"], NO_ADDRESS))


def make_databases(services, state, venv):
    """Keystone's and Magnum's chains take seconds each, so they run beside each other."""
    (state / "keys").mkdir(mode=0o700)
    others = []
    if "magnum" in services:
        magnum = ["--config-file", state / "magnum.conf"]
        others = [
            [[venv / "bin" / "glance-manage", "--config-file", state / "glance-api.conf", "db_sync"]],
            [[venv / "bin" / "python", HERE / "magnum_schema.py", *magnum],
             [venv / "bin" / "magnum-db-manage", *magnum, "stamp", "head"]],
        ]
    manage = [venv / "bin" / "keystone-manage", "--config-file", state / "keystone.conf"]
    owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    address = [part for kind in ("admin", "internal", "public") for part in (f"--bootstrap-{kind}-url", NO_ADDRESS)]
    chains = [*others, [
        [*manage, "db_sync"],
        [*manage, "fernet_setup", *owner],
        [*manage, "bootstrap", "--bootstrap-password", ADMIN_PASSWORD, "--bootstrap-region-id", "RegionOne", *address],
    ]]
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(run_chain, chain, state) for chain in chains]:
            done.result()


def run_chain(commands, state):
    for command in commands:
        subprocess.run(command, cwd=state, check=True, stdin=subprocess.DEVNULL, stdout=sys.stdout, stderr=sys.stderr,
                       env=os.environ | stub_driver(state))


def healthy(url, children):
    end = time.monotonic() + HEALTH_SECONDS
    while time.monotonic() < end:
        children.check()
        try:
            with urllib.request.urlopen(url, timeout=20) as reply:
                status = reply.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = None
        if status in (200, 300):
            return
        time.sleep(0.05)
    sys.exit(f"{url} does not answer; see the logs")
