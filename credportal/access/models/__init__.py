"""Who may ask for what: people, the catalogue, and requests that wait for somebody else."""

from credportal.access.models.catalogue import (
    Account,
    Eligibility,
    Favourite,
    Probe,
    Requirements,
    Role,
    Versioned,
    assumable_role_arn,
    new_external_id,
    new_public_id,
)
from credportal.access.models.handouts import Delegation, Handout
from credportal.access.models.people import GroupDuty, People, User, known_time_zone
from credportal.access.models.requests import Approval, ApprovalDecision, ApprovalState, Review
from credportal.access.models.rota import Rota, RotaSlot

__all__ = [
    "Account",
    "Approval",
    "ApprovalDecision",
    "ApprovalState",
    "Delegation",
    "Eligibility",
    "Favourite",
    "GroupDuty",
    "Handout",
    "People",
    "Probe",
    "Requirements",
    "Review",
    "Role",
    "Rota",
    "RotaSlot",
    "User",
    "Versioned",
    "assumable_role_arn",
    "known_time_zone",
    "new_external_id",
    "new_public_id",
]
