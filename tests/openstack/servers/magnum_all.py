"""Magnum's API and conductor in one process, so that oslo.messaging's in-memory transport joins them.

The same objects as Magnum's two own programs make.
`indirection_api` stays unset: the conductor's own objects would otherwise call themselves.
The listening socket comes as a file descriptor in MAGNUM_FD.
"""
import os
import sys

import magnum.conf
import sqlalchemy
from magnum.api import app as api_app
from magnum.common import rpc_service, service, short_id
from magnum.conductor.handlers import (
    ca_conductor,
    cluster_conductor,
    conductor_listener,
    credential_conductor,
    federation_conductor,
    indirection_api,
    nodegroup_conductor,
)
from magnum.service import periodic
from werkzeug import serving

CONF = magnum.conf.CONF
SYNC_SECONDS = 1.0


@sqlalchemy.event.listens_for(sqlalchemy.Engine, "connect")
def let_readers_and_a_writer_be(connection, record):
    connection.execute("PRAGMA journal_mode = WAL")


@sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute", retval=True)
def commit_each_statement(connection, cursor, statement, parameters, context, executemany):
    """SQLite lets no two transactions that have read become writers, and one that a forgotten session keeps open
    would hold everybody up for minutes."""
    return ("SELECT 1" if statement == "BEGIN" else statement), parameters


service.prepare_service(sys.argv)

# The status sync runs every ten seconds by a decorator's argument; no option changes it.
tasks = periodic.MagnumPeriodicTasks
tasks._periodic_spacing["sync_cluster_status"] = SYNC_SECONDS
for name, task in tasks._periodic_tasks:
    if name == "sync_cluster_status":
        task._periodic_spacing = SYNC_SECONDS

endpoints = [
    module.Handler()
    for module in (
        indirection_api,
        cluster_conductor,
        conductor_listener,
        credential_conductor,
        ca_conductor,
        federation_conductor,
        nodegroup_conductor,
    )
]
conductor = rpc_service.Service.create(
    CONF.conductor.topic, short_id.generate_id(), endpoints, binary="magnum-conductor"
)
conductor.create_periodic_tasks()
conductor.start()
server = serving.make_server(
    CONF.api.host, CONF.api.port, api_app.load_app(), threaded=True, fd=int(os.environ["MAGNUM_FD"])
)
server.serve_forever()
