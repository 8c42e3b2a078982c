"""Who the portal itself is for AWS: asked at the start of a worker and by readiness, kept for everybody else."""

import threading
import time

from django.conf import settings

from credportal.aws import regions, sts
from credportal.aws.sts import CallerIdentity
from credportal.domain.naming import principal_from
from credportal.domain.types import Identity

KEPT_SECONDS = 60.0


class _KnownIdentity:
    """The last answer about the portal's own identity, so that a probe a second makes a call a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = ""
        self._arn = ""
        self._at = 0.0

    def state(self) -> str:
        """Ask AWS who the portal is, at most once a minute. Never raises."""
        with self._lock:
            if not self._state or time.monotonic() - self._at > KEPT_SECONDS:
                self._keep(sts.caller_identity())
            return self._state

    def warm_up(self) -> None:
        """Ask for the first time, and have the STS client ready after it. Never raises."""
        with self._lock:
            self._keep(sts.warm_up())

    def arn(self) -> str:
        """Return the ARN as AWS last told it, empty where it never did. Nothing is asked."""
        return self._arn

    def forget(self) -> None:
        """Ask again at the next probe."""
        with self._lock:
            self._state = ""
            self._arn = ""

    def _keep(self, answer: CallerIdentity) -> None:
        self._state = answer.state
        self._at = time.monotonic()
        # An endpoint that is away for a moment does not make the portal somebody else.
        self._arn = answer.arn or self._arn


known = _KnownIdentity()


def portal_identity() -> Identity:
    """Return the portal's partition, and the principal that trust policies name. AWS is not asked.

    The principal is the setting's, else what AWS last answered; empty where neither tells.
    """
    principal = settings.PRINCIPAL or principal_from(known.arn())
    partition = principal.split(":")[1] if principal else regions.partition_of(settings.AWS_REGION)
    return Identity(partition=partition, principal=principal)
