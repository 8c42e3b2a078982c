"""How gunicorn serves the portal. Everything that differs between two places is a variable.

Two workers with eight threads each serve best on two cores: an issuance waits for STS,
more threads only raise the slowest answers.
"""

import gc
import os
import resource
from pathlib import Path
from typing import Any


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


proc_name = "credportal"
bind = os.environ.get("GUNICORN_BIND") or f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or min(max(2, _cores()), 8))
# The pool of connections to STS has the same size: settings read the same variable.
threads = int(os.environ.get("GUNICORN_THREADS") or 8)
timeout = 30  # Seconds. Far longer than the STS deadline of 8 plus the database's 5.
graceful_timeout = 20  # Seconds for requests in flight on a restart; longer than the STS deadline.
keepalive = 5
# Whose X-Forwarded-* gunicorn itself believes: the proxy on this host, unless said otherwise.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
# The master loads the portal once and the workers share its memory.
preload_app = True
# A worker never restarts while a person waits for credentials.
max_requests = 0
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
umask = 0o077
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes its own private file there.
# The portal logs each request itself, without its query string.
accesslog = None
errorlog = "-"
# At DEBUG gunicorn would write every address as it came, also one with a claim link's token in its path.
loglevel = os.environ.get("LOG_LEVEL", "info").lower().replace("debug", "info")


def on_starting(_server: Any) -> None:
    """Forbid core dumps: one would hold the secrets of every request in flight."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def when_ready(_server: Any) -> None:
    """Keep what is loaded out of the garbage collector's sight, so that workers go on sharing its pages."""
    gc.collect()
    gc.freeze()


def post_worker_init(_worker: Any) -> None:
    """Warm a worker up before its first request."""
    from credportal.flows.start import warm_up  # noqa: PLC0415 - this file is read before the portal is on sys.path.

    warm_up()
