"""Writes the catalogue as the file that the import reads, whole and in one order.

The text is made here and not by a YAML library: every value is either a plain word that no
reader of YAML takes for something else, or stands in double quotes, and the same catalogue
always gives the same text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from django.contrib.auth.models import Group

from credportal.access.catalogue_columns import DELEGATION_UNSAID, DUTIES, UNSAID
from credportal.access.catalogue_rows import (
    ACCOUNT_VALUES,
    DELEGATION_VALUES,
    ELIGIBILITY_VALUES,
    ROLE_VALUES,
    values_of,
    written,
)
from credportal.access.models import Account, Delegation, Eligibility, GroupDuty, Role, User

_HEAD = "# The catalogue of credportal. manage.py import_catalogue reads it back; docs/operating.md describes it.\n"
_PLAIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9_.:/=+@-]*(?: [A-Za-z0-9][A-Za-z0-9_.:/=+@-]*)*|(?:[0-9]+[hms])+)", re.ASCII)
_NO_TEXT = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}

Pairs = list[tuple[str, Any]]


def catalogue_text(*, with_external_ids: bool) -> str:
    """Return the whole catalogue as YAML. Accounts have their ExternalId where it is asked for.

    What names is read before what is named, so a change in between leaves nothing named and not there.
    """
    delegations = list(_delegations())
    eligibilities = list(_eligibilities())
    roles = list(_roles())
    groups = list(_groups())
    accounts = list(_accounts(with_external_ids=with_external_ids))
    sections = {
        "accounts": accounts,
        "roles": roles,
        "groups": groups,
        "eligibilities": eligibilities,
        "delegations": delegations,
    }
    return _HEAD + "".join(_section(name, entries) for name, entries in sections.items())


def _accounts(*, with_external_ids: bool) -> Iterator[Pairs]:
    for account in sorted(Account.objects.all(), key=attrgetter("number")):
        external_id = [("external_id", account.external_id)] if with_external_ids else []
        yield [("number", account.number), *values_of(account, ACCOUNT_VALUES).items(), *external_id]


def _roles() -> Iterator[Pairs]:
    for role in sorted(Role.objects.select_related("approvers"), key=attrgetter("arn")):
        yield [("arn", role.arn), *values_of(role, ROLE_VALUES).items()]


def _groups() -> Iterator[Pairs]:
    members, duties = defaultdict(list), defaultdict(set)
    for group_id, name in User.groups.through.objects.values_list("group_id", "user__username"):
        members[group_id].append(name)
    for group_id, duty in GroupDuty.objects.values_list("group_id", "duty"):
        duties[group_id].add(duty)
    for group in sorted(Group.objects.all(), key=attrgetter("name")):
        theirs = tuple(duty for duty in DUTIES if duty in duties[group.pk])
        yield [("name", group.name), ("duties", theirs), ("members", sorted(members[group.pk]))]


def _eligibilities() -> Iterator[Pairs]:
    rows = Eligibility.objects.select_related("role", "group", "user")
    holders = ((("user", row.user.username) if row.user else ("group", str(row.group)), row) for row in rows)
    for holder, row in sorted(holders, key=lambda pair: (pair[1].role.arn, pair[0])):
        values = values_of(row, ELIGIBILITY_VALUES).items()
        said = [(name, value) for name, value in values if name not in UNSAID or value != UNSAID[name]]
        yield [("role", row.role.arn), holder, *said]


def _delegations() -> Iterator[Pairs]:
    rows = Delegation.objects.select_related("group", "user", "recipients", "rota").prefetch_related("roles")
    for row in sorted(rows, key=attrgetter("name")):
        holder = ("user", row.user.username) if row.user else ("group", str(row.group))
        values = values_of(row, DELEGATION_VALUES).items()
        said = [(name, value) for name, value in values if value != DELEGATION_UNSAID.get(name)]
        yield [("name", row.name), holder, ("roles", sorted(role.arn for role in row.roles.all())), *said]


def _section(name: str, entries: Sequence[Pairs]) -> str:
    if not entries:
        return f"\n{name}: []\n"
    return f"\n{name}:\n" + "".join(f"  - {'    '.join(_lines(entry))}" for entry in entries)


def _lines(entry: Pairs) -> Iterable[str]:
    for name, value in entry:
        if isinstance(value, list) and value:
            yield f"{name}:\n" + "".join(f"      - {_scalar(item)}\n" for item in value)
        else:
            yield f"{name}: {_value(value)}\n"


def _value(value: Any) -> str:
    shown = written(value)
    if isinstance(shown, list):
        return f"[{', '.join(_scalar(word) for word in shown)}]"
    return _scalar(shown) if isinstance(shown, str) else str(shown).lower()


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and not text.endswith(":") and ": " not in text and text.lower() not in _NO_TEXT:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in escaped)
    return f'"{shown}"'
