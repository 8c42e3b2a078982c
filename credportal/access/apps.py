from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Who may ask: people, accounts, roles, eligibilities."""

    name = "credportal.access"
    label = "access"
    verbose_name = "catalogue"
