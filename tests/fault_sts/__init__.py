"""An STS of our own that goes wrong on request, over real HTTP, and remembers what it minted.

In a test::

    with FaultSTS() as sts:
        sts.fault("throttling")          # the next AssumeRole
        sts.fault("hang", count=None)    # every AssumeRole until sts.heal()
        ...
        sts.ledger.mints, sts.ledger.calls

As a process: ``python -m tests.fault_sts --port 5999 --ledger ledger.jsonl --latency-ms 20``.
Its ledger is an oracle that shares no code with the product. Every secret and token that it
makes contains ``FAKE-``, so that a scanner finds a leak.
"""

from tests.fault_sts.faults import ANSWERS, ERRORS, FAULTS, WIRE
from tests.fault_sts.honest import RoleRule
from tests.fault_sts.ledger import CANARY, Call, Ledger, Mint
from tests.fault_sts.server import FaultSTS

__all__ = [
    "ANSWERS",
    "CANARY",
    "ERRORS",
    "FAULTS",
    "WIRE",
    "Call",
    "FaultSTS",
    "Ledger",
    "Mint",
    "RoleRule",
]
