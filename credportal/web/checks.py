"""What must not be true in production. Each check has an id, a hint and its own tests.

``manage.py`` runs these, and the WSGI entry point refuses to start on an error.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 -- Django's own name.
from django.db import DatabaseError
from django.http.request import validate_host

PER_PROCESS_CACHES = ("locmem", "dummy")
WEAK_KEYS = ("demo-", "django-insecure")
FEWEST_CHARACTERS = 12  # A random key of 32 has far more different ones.
DEMO_MAIL_DOMAIN = "@demo.invalid"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _portal_host() -> str:
    return urlsplit(settings.PORTAL_URL).hostname or ""


# What must not be true in production, and what is said where it is.
NOT_IN_PRODUCTION: tuple[tuple[Callable[[], bool], Error], ...] = (
    (
        lambda: settings.DEBUG,
        Error("DEBUG is on.", hint="Unset DEBUG: its error pages show variables.", id="credportal.E001"),
    ),
    (
        lambda: not settings.ALLOWED_HOSTS or any(host.startswith("*") for host in settings.ALLOWED_HOSTS),
        Error(
            "ALLOWED_HOSTS is empty or takes any host.",
            hint="List the host names people use, such as portal.example.com.",
            id="credportal.E002",
        ),
    ),
    (
        lambda: not settings.PORTAL_URL.startswith("https://"),
        Error(
            "CREDPORTAL_URL is not https.",
            hint="Credentials cross this connection: put TLS in front and write https://.",
            id="credportal.E003",
        ),
    ),
    (
        lambda: bool(settings.PORTAL_URL) and not validate_host(_portal_host(), settings.ALLOWED_HOSTS),
        Error(
            "CREDPORTAL_URL names a host that ALLOWED_HOSTS does not.",
            hint="People would get an error page at the portal's own address. Add its host name to ALLOWED_HOSTS.",
            id="credportal.E010",
        ),
    ),
    (
        lambda: bool(settings.DEMO_ENDPOINT),
        Error(
            "CREDPORTAL_DEMO_ENDPOINT is set.",
            hint="Unset it: only bin/demo uses it, with CREDPORTAL_MODE=demo.",
            id="credportal.E004",
        ),
    ),
    (
        lambda: settings.SECRET_KEY.startswith(WEAK_KEYS) or len(set(settings.SECRET_KEY)) < FEWEST_CHARACTERS,
        Error(
            "SECRET_KEY is the demo's or too simple.",
            hint="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'.",
            id="credportal.E005",
        ),
    ),
    (
        lambda: any(kind in settings.CACHES["default"]["BACKEND"] for kind in PER_PROCESS_CACHES),
        Error(
            "CACHE_URL names a cache that each process has for itself.",
            hint="Sign-in throttling counts there. Unset CACHE_URL: the database is shared by all.",
            id="credportal.E006",
        ),
    ),
    (
        lambda: settings.TRUSTED_PROXIES < 0,
        Error(
            "CREDPORTAL_TRUSTED_PROXIES is not set.",
            hint="Say how many reverse proxies of yours stand in front: 0, 1, ...",
            id="credportal.E007",
        ),
    ),
)


@register(Tags.security)
def check_mail(**kwargs: Any) -> list[CheckMessage]:
    """Refuse, outside the demo, mail that others could read, and say where there is none."""
    del kwargs
    if settings.DEMO:
        return []
    if not settings.MAIL_IS_ON:
        return [
            Warning(
                "CREDPORTAL_EMAIL_SERVER is not set, so nobody gets notices about hand-outs.",
                hint="Name your mail server, such as smtps://portal@mail.example.com.",
                id="credportal.W002",
            )
        ]
    place = urlsplit(settings.MAIL_SERVER)
    if place.scheme in {"smtps", "smtp+starttls"} or (place.scheme == "smtp" and place.hostname in LOOPBACK):
        return []
    return [
        Error(
            "CREDPORTAL_EMAIL_SERVER is a folder, or another machine without encryption.",
            hint="A mail may hold the link of a hand-out: write smtps:// or smtp+starttls://.",
            id="credportal.E013",
        )
    ]


@register(Tags.security)
def check_production(**kwargs: Any) -> list[CheckMessage]:
    """Refuse the demo's conveniences outside the demo."""
    del kwargs
    return [] if settings.DEMO else [message for is_so, message in NOT_IN_PRODUCTION if is_so()]


@register(Tags.security)
def check_endpoints(**kwargs: Any) -> list[CheckMessage]:
    """Refuse, outside the demo, AWS endpoints that are not https: the answers carry secrets."""
    del kwargs
    if settings.DEMO:
        return []
    endpoints = {
        "AWS_ENDPOINT_URL_STS": settings.AWS_ENDPOINT_URL_STS,
        "AWS_ENDPOINT_URL_IAM": settings.AWS_ENDPOINT_URL_IAM,
        "AWS_ENDPOINT_URL_SIGNIN": settings.AWS_ENDPOINT_URL_SIGNIN,
    }
    return [
        Error(
            f"{name} is not an https address.",
            hint="Unset it to use AWS's own endpoint of the region, or write https://.",
            id="credportal.E008",
        )
        for name, url in endpoints.items()
        if url and urlsplit(url).scheme != "https"
    ]


@register(Tags.security)
def check_webhook(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a webhook that anybody on the way could read, or that nobody could tell from a forgery."""
    del kwargs
    if not settings.AUDIT_WEBHOOK:
        return []
    place = urlsplit(settings.AUDIT_WEBHOOK)
    found: list[CheckMessage] = []
    if place.scheme != "https" and not (settings.DEMO and place.hostname in LOOPBACK):
        found.append(
            Error(
                "CREDPORTAL_AUDIT_WEBHOOK is not an https address.",
                hint="Events name people and what they did: write https://.",
                id="credportal.E011",
            )
        )
    if not settings.AUDIT_WEBHOOK_SECRET:
        found.append(
            Error(
                "CREDPORTAL_AUDIT_WEBHOOK has no secret to sign with.",
                hint="Name a file with CREDPORTAL_AUDIT_WEBHOOK_SECRET_FILE that holds at least 32 random characters.",
                id="credportal.E012",
            )
        )
    return found


@register(Tags.database)
def check_demo_people(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to run in production on a database where people of the demo may sign in."""
    del kwargs
    if settings.DEMO or not databases:
        return []
    people = apps.get_model("access", "User")
    try:
        demo_people = people.objects.filter(email__endswith=DEMO_MAIL_DOMAIN, is_active=True).exists()
    except DatabaseError:
        return []  # A database that is away or not yet migrated is the business of /readyz.
    if not demo_people:
        return []
    return [
        Error(
            "People of the demo may sign in.",
            hint="This is the demo's database. Use another one, or switch those people off.",
            id="credportal.E009",
        )
    ]


@register(Tags.database)
def check_sqlite(**kwargs: Any) -> list[CheckMessage]:
    """Say that SQLite is for one machine."""
    del kwargs
    if settings.DEMO or not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    return [
        Warning(
            "The database is SQLite.",
            hint="It serves one machine well. For several replicas set DATABASE_URL to PostgreSQL.",
            id="credportal.W001",
        )
    ]
