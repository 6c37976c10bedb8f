"""What the services hold at the start: roles, a few users to play with by hand, images, cluster templates.

Tests make users and projects of their own. Over REST, because the command line takes a second for each call.
"""
import json
import urllib.request

ROLES = ("_member_", "project_admin", "compute_start_stop", "unheld_role")
# The user's password is the name and "-password".
USERS = {
    "alice": {"demo": ["member", "_member_", "project_admin", "compute_start_stop"], "other": ["member"]},
    "bob": {"demo": ["member"]},
    "carol": {"demo": ["_member_", "project_admin"]},  # without `member`: Magnum refuses her
    "rita": {"demo": ["reader"]},
}


class Rest:
    """A logged-in client; urls are relative to Keystone's unless whole."""

    def __init__(self, keystone, user, password, project):
        self.base, self.token = keystone, None
        domain = {"id": "default"}
        login = {"auth": {
            "identity": {"methods": ["password"],
                         "password": {"user": {"name": user, "domain": domain, "password": password}}},
            "scope": {"project": {"name": project, "domain": domain}}}}
        self.token = self.send("POST", "/auth/tokens", login)[1]["X-Subject-Token"]

    def send(self, method, url, body=None, **headers):
        headers |= {"Content-Type": "application/json"} | ({"X-Auth-Token": self.token} if self.token else {})
        request = urllib.request.Request(url if "://" in url else self.base + url, method=method, headers=headers,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as reply:
            text = reply.read()
            return json.loads(text) if text else None, reply.headers

    def make(self, kind, **fields):
        return self.send("POST", f"/{kind}s", {kind: fields})[0][kind]["id"]


def keystone(urls, admin_password):
    rest = Rest(urls["keystone"], "admin", admin_password, "admin")
    roles = {role["name"]: role["id"] for role in rest.send("GET", "/roles")[0]["roles"]}
    roles |= {name: rest.make("role", name=name) for name in ROLES}
    projects = {name: rest.make("project", name=name, domain_id="default") for name in ("service", "demo", "other")}
    users = {}
    for name, grants in USERS.items():
        users[name] = new_user(rest, name, grants, projects, roles)
    return {"auth_url": urls["keystone"], "region": "RegionOne", "admin_password": admin_password,
            "roles": roles, "projects": projects, "users": users}


def new_user(rest, name, grants, projects, roles):
    user = rest.make("user", name=name, password=name + "-password", domain_id="default")
    for project, granted in grants.items():
        for role in granted:
            rest.send("PUT", f"/projects/{projects[project]}/users/{user}/roles/{roles[role]}")
    return {"id": user, "password": name + "-password"}


def magnum(urls, admin_password):
    rest = Rest(urls["keystone"], "admin", admin_password, "admin")
    names = {kind: {entry["name"]: entry["id"] for entry in rest.send("GET", f"/{kind}")[0][kind]}
             for kind in ("roles", "projects")}
    new_user(rest, "magnum", {"service": ["admin", "service"]}, names["projects"], names["roles"])
    for service_type, name in (("container-infra", "magnum"), ("image", "glance")):
        service = rest.make("service", type=service_type, name=name)
        for interface in ("public", "internal", "admin"):
            rest.make("endpoint", service_id=service, interface=interface, url=urls[name], region_id="RegionOne")

    # A new token: the old one's catalog does not have the services.
    rest = Rest(urls["keystone"], "admin", admin_password, "admin")
    for image in ("stub-full", "stub-norotate"):
        rest.send("POST", urls["glance"] + "/v2/images", {
            "name": image, "os_distro": image, "magnum_driver": image.replace("-", "_"), "visibility": "public",
            "disk_format": "raw", "container_format": "bare"})

    rest = Rest(urls["keystone"], "alice", "alice-password", "demo")
    templates = {f"tpl-{kind}": {"image_id": f"stub-{kind}"} for kind in ("full", "norotate")}
    templates |= {f"kubernetes-{tag}": {"image_id": "stub-full", "labels": {"kube_tag": tag}}
                  for tag in ("v1.33.8", "v1.34.2")}
    made = {}
    for name, fields in templates.items():
        body = {"name": name, "coe": "kubernetes", **fields}
        made[name] = rest.send("POST", urls["magnum"] + "/clustertemplates", body,
                               **{"OpenStack-API-Version": "container-infra 1.12"})[0]["uuid"]
    return {"magnum_url": urls["magnum"], "glance_url": urls["glance"], "cluster_templates": made}
