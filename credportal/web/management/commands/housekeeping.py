"""Run by a timer, every 30 seconds or so."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from credportal.flows.housekeeping import keep_house


class Command(BaseCommand):
    """Turn issuances that lost their worker into ``unknown``, let what has ended expire, and drop ended sign-ins."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once and say what was done."""
        kept = keep_house()
        if kept.fault:
            sys.exit(kept.fault)
        for issuance_id in kept.reaped:
            self.stdout.write(f"unknown {issuance_id}")
        for expired_id in (*kept.expired, *kept.handouts_expired):
            self.stdout.write(f"expired {expired_id}")
        self.stdout.write(f"{len(kept.reaped)} issuances became unknown.")
