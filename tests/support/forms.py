"""Sending a form as a browser would: what the page shows, with some of it changed."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from credportal.audit.models import Event


class _Form(HTMLParser):
    """Reads the fields of the form with the class ``parts``."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Any] = {}
        self._inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = "parts" in said.get("class", "").split()
        if not self._inside:
            return
        if tag == "input" and "name" in said and (said.get("type") != "checkbox" or "checked" in said):
            self._put(said["name"], said.get("value", "on" if said.get("type") == "checkbox" else ""))
        if tag == "select":
            self._select = said["name"]
            self.fields[self._select] = ""
        if tag == "option" and "selected" in said:
            self.fields[self._select] = said.get("value", "")

    def _put(self, name: str, value: str) -> None:
        """Keep a value; several ticks of one name are a list."""
        before = self.fields.get(name)
        self.fields[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def fields_of(page: str) -> dict[str, Any]:
    """Return what the form of a page would send as it stands."""
    form = _Form()
    form.feed(page)
    assert form.fields, "the page has no form"
    return form.fields


def opened(client: Client, path: str) -> dict[str, Any]:
    """Open a page and return what its form would send as it stands."""
    response = client.get(path)
    assert response.status_code == 200, response.status_code
    return fields_of(response.content.decode())


def send(client: Client, path: str, **changes: Any) -> Any:
    """Open a page and send its form with some fields changed; None takes a tick off or leaves a field out."""
    fields = {**opened(client, path), **changes}
    return client.post(path, {name: value for name, value in fields.items() if value is not None})


def told() -> list[tuple[str, str, str, Any]]:
    """Return kind, subject, actor and detail of all events of the audit, the oldest first."""
    return [(event.kind, event.subject, event.actor_handle, event.detail) for event in Event.objects.order_by("id")]
