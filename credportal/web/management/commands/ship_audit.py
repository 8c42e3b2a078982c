"""Ship the events of the audit to the targets that the environment names, until it is told to stop.

It may run on every machine: of several, one ships at a time.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from credportal.flows.shipping import Shipper, shipping_lag, targets
from credportal.web.management.numbers import sequence_number
from credportal.web.metrics import shipping_metrics

log = structlog.get_logger(__name__)

BEHIND, NOWHERE = 1, 2
METRICS_SECONDS = 1.0


class Command(BaseCommand):
    """Ship events as they come, each target by itself.

    Exit codes: 0 stopped, or with --once nothing is left; 1 with --once something is left, or shipping broke down;
    2 no target is named, or the file of the metrics cannot be written.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --once, --restart-after and --metrics-file."""
        parser.add_argument("--once", action="store_true", help="Ship what is there, and end.")
        parser.add_argument(
            "--restart-after", type=sequence_number, metavar="SEQ", help="Ship again what comes after this number."
        )
        parser.add_argument("--metrics-file", type=Path, metavar="FILE", help="Keep metrics for Prometheus in it.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ship to all targets."""
        shippers = [Shipper(target) for target in targets()]
        if not shippers:
            self.stderr.write("No target is named: set CREDPORTAL_AUDIT_WEBHOOK or CREDPORTAL_AUDIT_SYSLOG.")
            sys.exit(NOWHERE)
        if options["restart_after"] is not None:
            for shipper in shippers:
                shipper.restart(options["restart_after"])
        try:
            done = _once(shippers) if options["once"] else _on_and_on(shippers, options["metrics_file"])
            if options["metrics_file"]:
                _write_metrics(options["metrics_file"], shippers)
        except OSError as error:
            self.stderr.write(f"{options['metrics_file']}: cannot write it ({error.strerror}).")
            sys.exit(NOWHERE)
        except DatabaseError:
            self.stderr.write("The database is away. Nothing is lost; run it again.")
            sys.exit(BEHIND)
        for shipper in shippers:
            self.stdout.write(f"{shipper.target.name}: shipped {shipper.sent}, failed {shipper.failures}.")
        if not done:
            sys.exit(BEHIND)


def _once(shippers: list[Shipper]) -> bool:
    left = [shipper for shipper in shippers if not shipper.drain()]
    return not left


def _on_and_on(shippers: list[Shipper], metrics_file: Path | None) -> bool:
    """Ship until SIGTERM or Ctrl-C; what is on its way is waited for. False where a thread has broken down."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [threading.Thread(target=shipper.run, args=[stop], name=shipper.target.name) for shipper in shippers]
    for thread in threads:
        thread.start()
    try:
        while not stop.wait(METRICS_SECONDS) and all(thread.is_alive() for thread in threads):
            if metrics_file:
                _write_metrics(metrics_file, shippers)
        return stop.is_set()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _write_metrics(file: Path, shippers: list[Shipper]) -> None:
    """Replace the file in one step, so that nobody reads half of it. Raises OSError."""
    try:
        text = shipping_metrics(shipping_lag(), shippers)
    except DatabaseError as error:
        log.warning("audit.metrics_failed", cause=type(error).__name__)
        close_old_connections()  # The next try needs a new one.
        return
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
