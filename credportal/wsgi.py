"""The WSGI entry point. It refuses to start where a system check finds an error."""

import os
import sys
from typing import Any

from django.core import checks
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credportal.settings")


class Utf8Request(WSGIRequest):
    """A request whose text is UTF-8, whatever charset it declares.

    Django would decode the address with a declared charset before any middleware runs, and
    several of Python's codecs raise there instead of decoding. InputMiddleware refuses the rest.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


application = get_wsgi_application()
application.request_class = Utf8Request

# ``manage.py`` runs the checks itself; an application server does not.
errors = [found for found in checks.run_checks(databases=["default"]) if found.is_serious() and not found.is_silenced()]
if errors:
    sys.exit("\n".join(f"{found.id}: {found.msg} {found.hint or ''}".strip() for found in errors))
