"""Probe the trust policies of many roles, those first that nobody probed for longest.

Stop it with Ctrl-C and start it again: what was probed within --older-than hours is skipped.
"""

import sys
from argparse import ArgumentTypeError
from datetime import timedelta
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from credportal.domain.types import Origin
from credportal.flows.doctor import AuditUnavailable, Gone, Pace, Probed, due_roles, probe_role

RED, INTERRUPTED = 1, 130
BACK_OFF_SECONDS = 1.0


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 1000:  # noqa: PLR2004 -- also refuses infinity and what is no number.
        raise ArgumentTypeError("calls per second, above 0 and up to 1000")
    return rate


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 1_000_000:  # noqa: PLR2004 -- more roles than anybody has.
        raise ArgumentTypeError("a whole number from 0 to 1000000")
    return count


class Command(BaseCommand):
    """Probe roles, one line each.

    Exit codes: 0 done; 1 a role is open, or the audit cannot be written; 130 stopped.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which roles, how fast, how many."""
        parser.add_argument("--account", default="", help="Only roles of this account number.")
        parser.add_argument("--role", nargs="+", default=[], metavar="ARN", help="Only these roles, however recent.")
        parser.add_argument("--older-than", type=_count, metavar="HOURS", help="Skip what was probed since; 1.")
        parser.add_argument("--rate", type=_rate, default=5.0, metavar="PER_SECOND", help="Calls to AWS a second; 5.")
        parser.add_argument("--limit", type=_count, metavar="N", help="At most so many roles.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Probe what is due."""
        hours = options["older_than"] if options["older_than"] is not None else 0 if options["role"] else 1
        before = timezone.now() - timedelta(hours=hours)
        pace = Pace(seconds=1 / options["rate"], back_off_seconds=BACK_OFF_SECONDS)
        due = due_roles(before=before, account=options["account"], arns=options["role"])
        done = opened = 0
        try:
            for role_id in islice(due, options["limit"]):
                answer = probe_role(role_id=role_id, actor=None, origin=Origin(), pace=pace)
                if isinstance(answer, AuditUnavailable):
                    self.stderr.write(f"The audit cannot be written. Stopped after {done} roles; run it again.")
                    sys.exit(RED)
                if isinstance(answer, Gone):
                    continue
                done += 1
                opened += answer.probe.is_open
                self.stdout.write(_line(answer))
        except KeyboardInterrupt:
            self.stderr.write(f"Stopped after {done} roles. Run it again to go on with the rest.")
            sys.exit(INTERRUPTED)
        self.stdout.write(f"Probed {done} roles, {opened} of them open.")
        if opened:
            sys.exit(RED)


def _line(probed: Probed) -> str:
    """Say in one line how a role is."""
    wrong = [finding.text for finding in probed.diagnosis.findings if finding.kind in {"open", "missing", "trouble"}]
    mark = "OPEN" if probed.probe.is_open else probed.diagnosis.outcome.value
    return f"{mark:<8} {probed.role.arn}{'  ' + ' '.join(wrong) if wrong else ''}"
