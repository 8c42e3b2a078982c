"""The portal on a database without its chain: each commit waits for the disk itself, as PostgreSQL does by default."""

from credportal.wsgi import application  # noqa: I001 -- models need the portal's set-up first.
from credportal.audit import chain

__all__ = ["application"]

chain.EARLY = ""
chain.make_durable = lambda: None
