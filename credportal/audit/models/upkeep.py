"""Small tables beside the log: where it begins, what was counted, who has read how far."""

from django.db import models
from django.db.models.functions import Now


class Checkpoint(models.Model):
    """Where the log begins since its older part was archived. Deleting is possible up to ``through`` only.

    The event ``audit:archived`` says the same within the chain.
    """

    through = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32)
    before = models.DateTimeField()

    def __str__(self) -> str:
        return f"through {self.through}"


class Tally(models.Model):
    """How many issuances came to which end in one quarter of an hour: what the chart is drawn from.

    ``quarter`` counts quarters of an hour since 1970, UTC. Derived from the events, and made anew from them.
    """

    quarter = models.BigIntegerField(primary_key=True)
    issued = models.BigIntegerField(default=0)
    denied = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"quarter {self.quarter}"


class Progress(models.Model):
    """How far a reader of the events has come, by sequence number: the tallies, a shipping target."""

    reader = models.CharField(primary_key=True, max_length=64)
    through = models.BigIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.reader} through {self.through}"
