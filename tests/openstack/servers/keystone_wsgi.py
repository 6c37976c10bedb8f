"""Keystone as a WSGI application for gunicorn, on SQLite."""
import sys

# Keystone reads sys.argv with its own parser and would refuse gunicorn's options.
sys.argv = sys.argv[:1]

from keystone.common import sql  # noqa: E402

# Without foreign keys SQLite leaves rows of deleted users behind and hands their ids out again:
# a new credential is then refused with a false 409.
sql.enable_sqlite_foreign_key()

from keystone.wsgi.api import application  # noqa: E402, F401
