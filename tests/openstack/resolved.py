"""Says what openstacksdk and keystoneauth make of configurations: which login they would send, and where.

Reads a list of cases as JSON: name, root (where the case's files lie), env, kwargs of get_one. Writes a list of
what came of each: the request of the login as it would go out, or the error. Nothing is contacted: the
transport under `requests` is ours. Each case runs in a process of its own, since openstacksdk looks at the working
directory and the home when it is imported.
"""

import io
import json
import os
import sys
import warnings

import keystoneauth1.loading  # noqa: F401  (imported before the fork, once for all)
import keystoneauth1.session
import platformdirs  # noqa: F401
import requests
import requests.adapters
import yaml  # noqa: F401


class Recorder(requests.adapters.BaseAdapter):
    """Plays a Keystone that has only v3, and keeps the login."""

    login = None

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        base = request.url.split("?")[0].rstrip("/")
        answer = requests.Response()
        answer.request, answer.url = request, request.url
        answer.headers["Content-Type"] = "application/json"
        if request.method == "POST" and base.endswith("/auth/tokens"):
            self.login = {
                "url": base,
                "body": json.loads(request.body),
                "timeout": timeout,
                "verify": verify,
                "cert": cert,
            }
            answer.status_code = 201
            answer.headers["X-Subject-Token"] = "token"
            body = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "methods": [], "user": {}}}
        else:
            root = base if base.endswith("/v3") else base + "/v3"
            version = {
                "id": "v3.14",
                "status": "stable",
                "links": [{"rel": "self", "href": root + "/"}],
            }
            answer.status_code = 200 if base.endswith("/v3") else 300
            body = {"version": version} if base.endswith("/v3") else {"versions": {"values": [version]}}
        answer.raw = io.BytesIO(json.dumps(body).encode())
        return answer

    def close(self):
        pass


def resolve(case):
    os.environ.clear()
    for key, value in case["env"].items():
        os.environ[key] = value.replace("ROOT", case["root"])
    os.environ["HOME"] = os.path.join(case["root"], "home")
    os.chdir(os.path.join(case["root"], "work"))
    recorder = Recorder()

    def session(**kwargs):
        transport = requests.Session()
        transport.mount("https://", recorder)
        transport.mount("http://", recorder)
        return keystoneauth1.session.Session(session=transport, **kwargs)

    try:
        import openstack.config

        config = openstack.config.OpenStackConfig(session_constructor=session)
        region = config.get_one(**case["kwargs"])
        if hasattr(region.get_auth(), "identity_provider"):
            return federated(region)
        region.get_session().get_token()
    except Exception as error:  # whatever it is, it is what a user would see
        return {"error": f"{type(error).__name__}: {error}"}
    return {
        "login": recorder.login,
        "region": region.get_region_name(),
        "interface": region.get_interface(),
    }


def federated(region):
    """What such a login consists of; that both send it alike is seen against a real Keystone."""
    auth = region.get_auth()
    fields = ["access_token", "client_id", "client_secret", "access_token_endpoint", "discovery_endpoint", "scope",
              "access_token_type", "username", "password"]
    said = {name: getattr(auth, name) for name in fields if getattr(auth, name, None)}
    if "access_token" in said:
        said = {"access_token": said["access_token"]}
    project = [auth.project_id, auth.project_name, auth.project_domain_id, auth.project_domain_name]
    return {
        "federation": {"url": auth.federated_token_url, "project": project} | said,
        "region": region.get_region_name(),
        "interface": region.get_interface(),
    }


def main():
    warnings.simplefilter("ignore")
    results = []
    for case in json.load(sys.stdin):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "w") as out:
                json.dump(resolve(case), out)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            results.append(json.loads(answer.read()))
        os.waitpid(child, 0)
    json.dump(results, sys.stdout)


main()
