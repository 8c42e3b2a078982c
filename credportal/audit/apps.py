from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What happened: issuances and their events."""

    name = "credportal.audit"
    label = "audit"
