"""What happened. Rows are written by ``record/`` alone and outlive the catalogue: they keep text, not keys.

Database triggers (see the migrations) let an issuance change only from ``requested`` to an outcome, an event
change never, and either vanish only once it is archived.
"""

from credportal.audit.models.events import Event
from credportal.audit.models.issuances import Issuance
from credportal.audit.models.kinds import EventKind
from credportal.audit.models.upkeep import Checkpoint, Progress, Tally

__all__ = ["Checkpoint", "Event", "EventKind", "Issuance", "Progress", "Tally"]
