"""Addresses of the portal that stand in mails, chats and bookmarks, so they stay."""

from django.conf import settings

CLAIM_PATH = "/claim/"
"""Where links lead."""


def page(path: str) -> str:
    """Return the whole address of a page."""
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"


def claim_address(token: str = "") -> str:
    """Return the link: the token stands in its fragment, which no browser sends to any server (RFC 9110, 7.1)."""
    return page(CLAIM_PATH) + (f"#{token}" if token else "")


def handout_address(handout_id: str) -> str:
    """Return the page where issuer, admins and auditors see a hand-out."""
    return page(f"/handouts/{handout_id}/")


def session_address(issuance_id: str) -> str:
    """Return the page of what somebody asked for."""
    return page(f"/sessions/{issuance_id}/")
