"""Glance as a WSGI application for gunicorn."""
import sys

# Glance reads sys.argv with its own parser and would refuse gunicorn's options.
sys.argv = sys.argv[:1]

from glance.wsgi.api import application  # noqa: E402, F401
