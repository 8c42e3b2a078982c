"""The journeys of people into the portal."""

from django.core.exceptions import ValidationError

from credportal.access.models import User
from credportal.access.people import make_admin


class Refused(Exception):  # noqa: N818 -- the name says what happened.
    """The person cannot be made. ``sentences`` say why."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def create_admin(*, username: str, name: str, email: str, password: str) -> User:
    """Make an admin, or raise Refused."""
    try:
        return make_admin(username=username, name=name, email=email, password=password)
    except ValidationError as error:
        sentences = [f"{column}: {' '.join(texts)}" for column, texts in error.message_dict.items()]
        raise Refused(sentences) from None
