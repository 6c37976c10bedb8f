"""Makes Magnum's tables from its models: its chain of migrations alters constraints, which SQLite cannot."""
import sys

from magnum.common import service

service.prepare_service(sys.argv)

from magnum.db.sqlalchemy import models  # noqa: E402
from oslo_db.sqlalchemy import enginefacade  # noqa: E402

models.Base.metadata.create_all(enginefacade.writer.get_engine())
