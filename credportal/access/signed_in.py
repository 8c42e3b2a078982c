"""Who is signed in: the two reads of every request.

Django's own session store and backend in all but the reading. The ORM builds the same two
statements for each request anew, which takes longer than running them (docs/performance.md).
"""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from credportal.access.models import User

ONE_SESSION = "SELECT * FROM django_session WHERE session_key = %s"
ONE_PERSON = "SELECT * FROM access_user WHERE id = %s"


class SessionStore(db.SessionStore):
    """Sessions in the database, as ``django.contrib.sessions.backends.db`` keeps them."""

    def _get_session_from_db(self) -> Session | None:
        found = next(iter(Session.objects.raw(ONE_SESSION, [self.session_key])), None)
        if found is not None and found.expire_date > timezone.now():
            return found
        self._session_key = None
        return None


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types.
    """Signs people in as allauth does."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a session, unless they are no longer active."""
        found = next(iter(User.objects.raw(ONE_PERSON, [user_id])), None)
        return found if found is not None and self.user_can_authenticate(found) else None
