"""Every page and state of the portal by name, each with the steps that lead there."""

from tests.browser.states import (
    access,
    approvals,
    around,
    asking,
    catalogue,
    claiming,
    exporting,
    extremes,
    looking,
    onboarding,
    people,
    probing,
    requirements,
    reviewing,
)
from tests.browser.states.core import STATES, State, away

__all__ = [
    "STATES",
    "State",
    "access",
    "approvals",
    "around",
    "asking",
    "away",
    "catalogue",
    "claiming",
    "exporting",
    "extremes",
    "looking",
    "onboarding",
    "people",
    "probing",
    "requirements",
    "reviewing",
]
