#!/usr/bin/env python3
"""A real OpenStack Keystone on loopback, from PyPI, on SQLite; with Glance and Magnum where asked.

    bed.py up [--services keystone|magnum] [--dir DIR]     start it, or find it running; prints the path of env.json
    bed.py down [--services ...] [--dir DIR]               stop it
    bed.py status [--services ...] [--dir DIR]             is it running?

Needs Python 3.11 or newer with `venv` and `pip`; everything else is installed under DIR (default: target/openstack).
Ports are chosen by the kernel. Each start has fresh databases, copied from ones made once.
Runs that share a bed hold a shared lock on DIR/<services>/users.lock; nobody holding it for ten minutes ends the bed.

Not for anything that must be kept or must be safe: passwords are fixed, data goes away.
"""
import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVICES = {"keystone": ("keystone",), "magnum": ("keystone", "glance", "magnum")}
START_SECONDS = 240
IDLE_SECONDS = 600


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["up", "down", "status", "supervise"])
    parser.add_argument("--services", choices=sorted(SERVICES), default=os.environ.get("SERVICES", "keystone"))
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path(os.environ.get("OSDIR", "target/openstack")))
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]} (set PYTHON to another one)")
    bed = Bed(arguments.dir.resolve(), arguments.services)
    getattr(bed, arguments.command)()


class Bed:
    """One set of services, its files, and the process that watches over it."""

    def __init__(self, root, services):
        self.root, self.services = root, services
        self.home = root / services
        self.venv = root / "venv"
        self.env_file = self.home / "env.json"
        self.log = self.home / "bed.log"

    # What the user asks

    def up(self):
        self.home.mkdir(parents=True, exist_ok=True)
        with locked(self.root / "lock"):
            if not (self.alive() and self.env_file.exists()):
                self.stop()
                self.install()
                self.start()
        print(self.env_file)

    def down(self):
        self.home.mkdir(parents=True, exist_ok=True)
        with locked(self.root / "lock"):
            self.stop()

    def status(self):
        if not (self.alive() and self.env_file.exists()):
            sys.exit("not running")
        print(self.env_file)

    # How it is done

    def alive(self):
        """The supervisor holds this lock for as long as it lives, however it ends."""
        return self.home.exists() and not free(self.home / "alive.lock")

    def stop(self):
        self.env_file.unlink(missing_ok=True)
        if not self.alive():
            return
        pid = int((self.home / "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not self.alive(), 30, "the bed did not stop")

    def install(self):
        """Installs what is pinned, once for each set of versions."""
        files = ["requirements.txt"] + (["requirements-magnum.txt"] if self.services == "magnum" else [])
        for name in files:
            mark, wanted = self.venv / f".{name}", pins(HERE / name)
            if mark.exists() and mark.read_text() == wanted:
                continue
            say(f"installing {name} into {self.venv}")
            if not (self.venv / "bin" / "python").exists():
                run([sys.executable, "-m", "venv", self.venv], "the Debian package is called python3-venv")
            # Everything is pinned, so pip has nothing to resolve; and each file is one that was looked at.
            run([self.venv / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps", "--require-hashes",
                 "--disable-pip-version-check", "-r", HERE / name], "is PyPI in reach?")
            mark.write_text(wanted)

    def start(self):
        say(f"starting {', '.join(SERVICES[self.services])}")
        with open(self.log, "wb") as log:
            supervisor = subprocess.Popen(
                [self.venv / "bin" / "python", HERE / "bed.py", "supervise", "--services", self.services,
                 "--dir", self.root],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.home,
                env=server_environment(self.root / "pycache"))

        def ready():
            if supervisor.poll() is not None:
                sys.exit(f"the test bed did not start; the end of {self.log}:\n{tail(self.log)}")
            return self.env_file.exists()

        wait_for(ready, START_SECONDS, f"the test bed is not up after {START_SECONDS} s; see {self.log}")

    # The supervisor: starts the servers, and ends them when told to or when nobody needs them

    def supervise(self):
        import servers

        alive = open(self.home / "alive.lock", "w")
        fcntl.flock(alive, fcntl.LOCK_EX)
        (self.home / "pid").write_text(str(os.getpid()))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
        state = self.home / "state"
        shutil.rmtree(state, ignore_errors=True)
        with contextlib.ExitStack() as stack:
            stack.callback(self.env_file.unlink, missing_ok=True)
            stack.enter_context(children := servers.Children())
            # Once it has begun, the end is not interrupted: it would leave servers behind.
            stack.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
            facts = servers.bring_up(SERVICES[self.services], self.root, state, self.venv, children)
            write_atomically(self.env_file, json.dumps(facts, indent=1))
            self.watch(children)

    def watch(self, children):
        last_used = time.monotonic()
        while True:
            time.sleep(1)
            children.check()
            if not free(self.home / "users.lock"):
                last_used = time.monotonic()
            elif time.monotonic() - last_used > IDLE_SECONDS:
                # Under the lock nobody can find the bed running and then lose it.
                with locked(self.root / "lock"):
                    if free(self.home / "users.lock"):
                        self.env_file.unlink(missing_ok=True)
                        sys.exit("nobody needs the bed any more")


def pins(path):
    """The versions in a file of requirements, without the hashes."""
    lines = path.read_text().splitlines()
    return "".join(line.removesuffix(" \\") + "\n" for line in lines if not line.startswith(" "))


def server_environment(cache):
    """What the caller has set must not steer the servers: neither OS_* nor Python's own switches."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "PYTHON"))}
    return kept | {"PYTHONWARNINGS": "ignore", "PYTHONPYCACHEPREFIX": str(cache)}


@contextlib.contextmanager
def locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free(path):
    """Does nobody hold a lock on this file?"""
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def wait_for(condition, seconds, complaint):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(complaint)
        time.sleep(0.05)


def run(command, hint):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed ({hint}):\n{result.stdout.decode(errors='replace')}")


def tail(path, lines=30):
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def write_atomically(path, text):
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def say(text):
    print(f"[test bed] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
