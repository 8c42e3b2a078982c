"""A column of JSON that is kept as the text that was written, so that its bytes can be proved."""

import json
from typing import Any

from django.db import models

from credportal.audit.columns import json_text


class JSONText(models.TextField):  # type: ignore[type-arg]  # the stubs make it generic, Django 5.2 does not.
    """A JSON object as text. PostgreSQL's ``jsonb`` would write it anew, and refuses an escaped NUL."""

    _pyi_private_set_type: Any  # What mypy's plugin reads.
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Read the text as JSON."""
        del expression, connection
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """Read text as JSON; leave an object as it is."""
        return json.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> str:
        """Write the one text of the object."""
        return json_text(value)
