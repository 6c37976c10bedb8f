"""The services' configuration files."""

KEYSTONE = """\
[DEFAULT]
log_file = {state}/log/keystone.log
[database]
connection = sqlite:///{state}/keystone.db
sqlite_synchronous = false
[token]
provider = fernet
[fernet_tokens]
key_repository = {state}/keys
[fernet_receipts]
key_repository = {state}/keys
[identity]
# The lowest bcrypt takes: logins are what the tests do most.
password_hash_rounds = 4
[cache]
# Without a cache each request is some 200 queries. The pickling backend hands out copies; the plain
# in-memory ones hand out the same mutable object, and replies grow.
enabled = true
backend = dogpile.cache.memory_pickle
expiration_time = 60
"""

AUTHTOKEN = """\
auth_type = password
auth_url = {keystone}
username = magnum
password = magnum-password
project_name = service
user_domain_id = default
project_domain_id = default
"""

GLANCE = """\
[DEFAULT]
log_file = {state}/log/glance.log
enabled_backends = fs:file
[database]
connection = sqlite:///{state}/glance.db
sqlite_synchronous = false
[glance_store]
default_backend = fs
[fs]
filesystem_store_datadir = {state}/images
[os_glance_staging_store]
filesystem_store_datadir = {state}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {state}/tasks
[paste_deploy]
flavor = keystone
config_file = {venv}/etc/glance/glance-api-paste.ini
[oslo_concurrency]
lock_path = {state}
[keystone_authtoken]
www_authenticate_uri = {keystone}
token_cache_time = -1
{authtoken}"""

MAGNUM = """\
[DEFAULT]
transport_url = fake://
# How long the API waits for the driver: 60 seconds by default, too long for a test of what comes after.
rpc_response_timeout = 15
log_file = {state}/log/magnum.log
host = 127.0.0.1
state_path = {state}
periodic_interval_max = 1
[api]
host = 127.0.0.1
port = {magnum_port}
api_paste_config = {venv}/etc/magnum/api-paste.ini
[database]
# The seconds are how long one writer waits for another.
connection = sqlite:///{state}/magnum.db?timeout=60
sqlite_synchronous = false
[oslo_concurrency]
lock_path = {state}
[quotas]
max_clusters_per_project = 10000
[certificates]
cert_manager_type = x509keypair
[cinder]
# Else each new cluster asks Nova for its flavors.
default_boot_volume_size = 1
[keystone_auth]
{authtoken}
[keystone_authtoken]
www_authenticate_uri = {keystone}
# A revoked token must be refused at once.
token_cache_time = -1
# Else tokens with access rules are refused.
service_type = container-infra
{authtoken}"""


def write(state, venv, urls, ports):
    facts = {"state": state, "venv": venv, "keystone": urls["keystone"], "magnum_port": ports.get("magnum")}
    facts["authtoken"] = AUTHTOKEN.format(**facts)
    files = {"keystone.conf": KEYSTONE}
    if "magnum" in urls:
        files |= {"glance-api.conf": GLANCE, "magnum.conf": MAGNUM}
    for name, template in files.items():
        (state / name).write_text(template.format(**facts))
