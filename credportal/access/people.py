"""Writes of people."""

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from credportal.access.models import GroupDuty, User
from credportal.domain.types import Duty

ADMINS = "admins"
ADMIN_DUTIES = (Duty.CATALOGUE_ADMIN, Duty.USER_ADMIN)


def make_admin(*, username: str, name: str, email: str, password: str) -> User:
    """Make a person in the group of admins, with that group's duties.

    Raises ValidationError with sentences for whoever types.
    """
    # Neither a lone surrogate (a byte that is no UTF-8) nor a line break gets as far as the database.
    texts = {"username": username, "name": name, "email": email, "password": password}
    unprintable = [key for key, text in texts.items() if not text.isprintable()]
    if unprintable:
        raise ValidationError(dict.fromkeys(unprintable, "Take line breaks and control characters out."))
    person = User(username=username, name=name, email=email)
    person.set_password(password)
    problems: dict[str, list[str]] = {}
    try:
        person.full_clean(exclude=["handle"])  # The handle is made when the person is saved.
    except ValidationError as error:
        problems = error.message_dict
    if "username" not in problems and User.objects.filter(username__iexact=username).exists():
        problems["username"] = ["There is a person with this name in other capitals. Choose another."]
    try:
        validate_password(password, person)
    except ValidationError as error:
        problems["password"] = error.messages
    if problems:
        raise ValidationError(problems)
    person.save()
    admins, _ = Group.objects.get_or_create(name=ADMINS)
    for duty in ADMIN_DUTIES:
        GroupDuty.objects.get_or_create(group=admins, duty=duty.value)
    person.groups.add(admins)
    return person
