"""Makes hand-outs for the bench, and says afterwards what portal and audit know of them.

``python -m bench.claim_links make COUNT`` hands out in a filled database and prints the links.
``python -m bench.claim_links ledger`` keeps house and prints every hand-out, issuance and claim.
``python -m bench.claim_links statements`` prints how many statements a look, a claim and an issuance take.
"""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta
from itertools import cycle
from typing import Any
from unittest.mock import patch

import django

django.setup()

from django.conf import settings  # noqa: E402 -- all of these need django.setup() first.
from django.contrib.auth.models import Group  # noqa: E402 -- as above.
from django.core.management import call_command  # noqa: E402 -- as above.
from django.db import connection  # noqa: E402 -- as above.
from django.db.models import Count  # noqa: E402 -- as above.
from django.test import Client  # noqa: E402 -- as above.
from django.test.utils import CaptureQueriesContext  # noqa: E402 -- as above.
from django.utils import timezone  # noqa: E402 -- as above.

from credportal.access.models import Delegation, GroupDuty, Handout, Role, User  # noqa: E402 -- as above.
from credportal.audit.models import Event, Issuance  # noqa: E402 -- as above.
from credportal.audit.record import upkeep  # noqa: E402 -- as above.
from credportal.domain.handouts import HandoutRequest  # noqa: E402 -- as above.
from credportal.domain.types import Duty, Origin  # noqa: E402 -- as above.
from credportal.flows.handout import Addressee, HandedOut, hand_out  # noqa: E402 -- as above.

OPEN_EACH = 100  # As many as one delegation allows a person to have open.
RECIPIENTS = "engineers"  # A group that bench.seed makes.


def main() -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["make", count]:
            print(json.dumps(make(int(count))))
        case ["ledger"]:
            print(json.dumps(ledger()))
        case ["statements"]:
            print(json.dumps(statements()))
        case other:
            raise SystemExit(f"what is {other}?")


def make(count: int) -> list[dict[str, str]]:
    """Hand out so many times, to a colleague and an outsider in turn; return the links as ``claim_load`` has them."""
    role = Role.objects.filter(eligibilities__group__name=RECIPIENTS).order_by("id")[0]
    Role.objects.filter(pk=role.pk).update(outsider_duration=timedelta(hours=1))
    people = list(User.objects.filter(groups__name=RECIPIENTS).order_by("id"))
    whom = [
        Addressee(name="Vendor", email=f"vendor{number}@vendor.example")
        if number % 2
        else Addressee(handle=people[number // 2 % len(people)].handle)
        for number in range(count)
    ]
    issuers = [_issuer(role) for _ in range(len(whom) // OPEN_EACH + 1)]
    names = {person.handle: person.username for person in people}
    links = []
    for addressee, issuer in zip(whom, cycle(issuers), strict=False):
        asked = HandoutRequest(
            role_id=role.id,
            duration=timedelta(minutes=30),
            window=timedelta(hours=4),
            reason="bench",
            submission=secrets.token_urlsafe(16),
        )
        given = hand_out(user=issuer, asked=asked, addressee=addressee, origin=Origin(), now=timezone.now())
        if not isinstance(given, HandedOut):
            raise TypeError(f"nothing was handed out: {given}")
        token = given.address.partition("#")[2]
        person = names.get(addressee.handle, "")
        links.append({"id": given.handout.id, "token": token, "code": given.code, "person": person})
    return links


def _issuer(role: Role) -> User:
    """Make a support person who may hand the role out, with a delegation of their own."""
    group, _ = Group.objects.get_or_create(name="bench-support")
    GroupDuty.objects.get_or_create(group=group, duty=Duty.SUPPORT.value)
    number = group.user_set.count()
    issuer = User.objects.create_user(username=f"bench-support-{number}-{secrets.token_hex(3)}", password=None)
    issuer.groups.add(group)
    row = Delegation.objects.create(
        name=issuer.username,
        user=issuer,
        max_duration=timedelta(hours=1),
        outsider_duration=timedelta(hours=1),
        max_open=OPEN_EACH,
        max_per_day=OPEN_EACH,
    )
    row.roles.set([role])
    return User.objects.get(pk=issuer.pk)


def ledger() -> dict[str, Any]:
    """Keep house as if all that is left had been left long ago, and tell what there is."""
    left = list(Issuance.objects.filter(status="requested").values_list("id", flat=True))
    with patch.object(upkeep, "STALE_AFTER", timedelta(0)):
        call_command("housekeeping", stdout=sys.stderr)
    counted = Event.objects.filter(kind__startswith="handout:").values("kind", "code").annotate(count=Count("id"))
    columns = ("id", "status", "access_key_id", "session_name")
    claims = Event.objects.filter(kind="handout:claimed").values_list("subject", "issuance_id")
    return {
        "left": left,
        "handouts": {row["id"]: row for row in Handout.objects.values("id", "state", "issuance_id")},
        "issuances": {row["id"]: row for row in Issuance.objects.values(*columns)},
        "issued": list(Event.objects.filter(kind="issuance:issued").values_list("issuance_id", flat=True)),
        "claims": [(subject.partition(":")[2], issuance_id) for subject, issuance_id in claims],
        "events": {f"{row['kind']} {row['code']}".strip(): row["count"] for row in counted.order_by()},
    }


def statements() -> dict[str, int]:
    """Count the statements of a look and a claim of a colleague and of an outsider, and of an issuance."""
    colleague, outsider = make(2)
    person = User.objects.get(username=colleague["person"])
    signed_in, stranger = Client(headers={"host": "127.0.0.1"}), Client(headers={"host": "127.0.0.1"})
    signed_in.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    role_id = Handout.objects.get(pk=colleague["id"]).role_id
    form = {"duration": "1800", "reason": "bench", "submission": secrets.token_urlsafe(16)}
    _count(
        signed_in, f"/roles/{role_id}/issue/", {**form, "submission": secrets.token_urlsafe(16)}
    )  # The first warms up.
    return {
        "issue": _count(signed_in, f"/roles/{role_id}/issue/", form),
        "look": _count(signed_in, "/claim/look/", {"token": colleague["token"]}),
        "claim": _count(signed_in, "/claim/", {"token": colleague["token"]}),
        "look, outsider": _count(stranger, "/claim/look/", {"token": outsider["token"]}),
        "claim, outsider": _count(stranger, "/claim/", {"token": outsider["token"], "code": outsider["code"]}),
    }


def _count(client: Client, path: str, fields: dict[str, str]) -> int:
    with CaptureQueriesContext(connection) as seen:
        answer = client.post(path, fields)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: status {answer.status_code}")
    return len(seen.captured_queries)


if __name__ == "__main__":
    main()
