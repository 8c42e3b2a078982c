from django.apps import AppConfig

from credportal.web import checks

__all__ = ["WebConfig", "checks"]


class WebConfig(AppConfig):
    """HTTP in, HTML out; and the management commands. Importing ``checks`` registers them."""

    name = "credportal.web"
    label = "web"
