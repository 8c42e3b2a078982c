"""Run by a timer, every 30 seconds or so."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from credportal.flows.housekeeping import keep_house


class Command(BaseCommand):
    """Turn issuances that lost their worker into ``unknown``, let what is over expire, and mail notices.

    Exit codes: 0 done; 1 the audit cannot be written, or the mail server takes nothing: all else is done then.
    """

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
        for cancelled_id in kept.handouts_cancelled:
            self.stdout.write(f"cancelled {cancelled_id}")
        if kept.handouts_deleted:
            self.stdout.write(f"{kept.handouts_deleted} hand-outs that ended long ago were deleted.")
        if kept.told.sent or kept.told.refused:
            self.stdout.write(f"{kept.told.sent} notices were mailed, {kept.told.refused} refused.")
        self.stdout.write(f"{len(kept.reaped)} issuances became unknown.")
        if kept.told.fault:
            sys.exit(kept.told.fault)
