"""Structured logs: one event a line, JSON, control characters escaped, with the request id.

JSON in ASCII escapes line breaks, terminal escapes and bidi marks, so nobody can forge a
line. botocore writes whole STS answers at DEBUG, secrets included (its maintainers say by
design), so those loggers are held at INFO here, and our handler drops what is below it
even where something sets their level later.
"""

import logging
import re
import sys
from typing import Any

import structlog

# What may see a secret on its way. Children (``botocore.parsers``) count too.
HELD_AT_INFO = ("botocore", "boto3", "urllib3", "s3transfer")

MISPLACED_TOKEN = re.compile(r"(/claim/(?:[^\s/]*/)?(?:#|%23|\?)?)[^\s/]{20,}")
"""A claim link's token where it was sent in an address: some programs take ``#`` for an ordinary character."""


def hide_tokens(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Leave the tokens of links out of what is written. They belong behind ``#``, which reaches no server."""
    for name, value in event.items():
        if isinstance(value, str) and "/claim/" in value:
            event[name] = MISPLACED_TOKEN.sub(r"\1...", value)
    return event


class HeldLoggers(logging.Filter):
    """Drops records below INFO of the libraries that see AWS's answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record may be written."""
        return record.levelno >= logging.INFO or record.name.split(".")[0] not in HELD_AT_INFO


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    hide_tokens,
]

STRUCTLOG: dict[str, Any] = {
    "processors": [structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    "logger_factory": structlog.stdlib.LoggerFactory(),
    "wrapper_class": structlog.stdlib.BoundLogger,
    "cache_logger_on_first_use": True,
}


def configure(config: dict[str, str]) -> None:
    """Send everything to standard error as JSON lines. ``config`` is the LOGGING setting: a level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(HeldLoggers())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config["level"])
    for name in HELD_AT_INFO:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))
