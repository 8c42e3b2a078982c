"""What every template may ask about the portal."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

import credportal
from credportal.web.http import client_address

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal as a page sees it."""

    version: str
    demo: bool
    demo_endpoint: str
    theme: str
    client_address: str
    may_review: bool
    is_admin: bool


def portal(request: HttpRequest) -> dict[str, Portal]:
    """Tell templates about the portal and about what the person may open. No statement is sent for it."""
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme", "")
    return {
        "portal": Portal(
            version=credportal.__version__,
            demo=settings.DEMO,
            demo_endpoint=settings.DEMO_ENDPOINT,
            theme=theme if theme in THEMES else "",
            client_address=client_address(request),
            may_review=getattr(user, "may_review", False),
            is_admin=getattr(user, "is_catalogue_admin", False),
        )
    }
