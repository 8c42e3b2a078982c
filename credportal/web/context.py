"""What every template may ask about the portal."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

import credportal
from credportal.access.models import User
from credportal.web.http import client_address

THEMES = ("light", "dark")
# The first part of the addresses that one item of the menu stands for.
APPROVALS = {"approvals", "reviews"}
HANDOUTS = {"handouts", "rota"}
CATALOGUE = {"catalogue", "people", "groups", "who"}


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal as a page sees it."""

    version: str
    demo: bool
    demo_endpoint: str
    theme: str
    client_address: str
    in_approvals: bool
    in_handouts: bool
    in_catalogue: bool
    person: User | None

    @property
    def may_review(self) -> bool:
        """Tell whether the audit and who has access are for this person."""
        return self.person is not None and self.person.may_review

    @property
    def sees_handouts(self) -> bool:
        """Tell whether hand-outs are for this person: their own to support, everybody's to reviewers."""
        return self.person is not None and (self.person.is_support or self.person.may_review)

    @property
    def is_support(self) -> bool:
        """Tell whether this person hands out access to others."""
        return self.person is not None and self.person.is_support

    @property
    def is_awaited(self) -> bool:
        """Tell whether a request for approval waits for this person."""
        return self.person is not None and self.person.is_awaited

    @property
    def oversees(self) -> bool:
        """Tell whether the reviews of break-glass are for this person."""
        return self.person is not None and (self.person.is_approver or self.person.may_review)

    @property
    def is_catalogue_admin(self) -> bool:
        """Tell whether accounts, roles and eligibilities are for this person."""
        return self.person is not None and self.person.is_catalogue_admin

    @property
    def is_user_admin(self) -> bool:
        """Tell whether people and groups are for this person."""
        return self.person is not None and self.person.is_user_admin


def portal(request: HttpRequest) -> dict[str, Portal]:
    """Tell templates about the portal. What the person may open is asked of the database only by pages that show it."""
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme", "")
    area = request.path.split("/")[1]
    return {
        "portal": Portal(
            version=credportal.__version__,
            demo=settings.DEMO,
            demo_endpoint=settings.DEMO_ENDPOINT,
            theme=theme if theme in THEMES else "",
            client_address=client_address(request),
            in_approvals=area in APPROVALS,
            in_handouts=area in HANDOUTS,
            in_catalogue=area in CATALOGUE,
            person=user if isinstance(user, User) else None,
        )
    }
