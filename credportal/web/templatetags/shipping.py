"""What the foot of the audit says about the second places that events are shipped to."""

from typing import Any

from django import template

from credportal.flows.shipping import shipping_lag

register = template.Library()


@register.inclusion_tag("audit/_shipping.html")
def shipping() -> dict[str, Any]:
    """Say how far each target is behind; nothing where the environment names none."""
    return {"lags": shipping_lag()}
