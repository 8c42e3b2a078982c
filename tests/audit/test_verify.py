"""Every edit of the log is found at its number, by whoever owns the tables and has taken the triggers away."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from credportal.audit.chain import FIRST_HASH, link
from credportal.audit.columns import COLUMNS, canonical
from credportal.audit.models import Event, Issuance
from credportal.audit.proof import head, verify
from credportal.audit.proof.differences import differences
from credportal.audit.proof.verify import Place
from tests.support.database import without_triggers
from tests.support.history import NOON, write_history, write_issuances

pytestmark = pytest.mark.django_db

EDITS = 1000
EVENTS = 14
Edit = Callable[[random.Random], int]


@pytest.fixture
def log() -> list[Event]:
    """Write a small log in which no column is empty in every event."""
    write_issuances(
        [
            {
                "status": "issued",
                "access_key_id": f"ASIA{number:016}",
                "expiration": NOON + timedelta(days=number, microseconds=number),
                "duration_given": timedelta(hours=1),
                "assumed_role_id": "AROA:alice-x",
                "aws_request_id": "4a1c8f1e",
                "reason": f"Größe 💳 {number}: 100 % | ok",
                "ticket": "INC-1",
                "source": "standard",
                "address": "192.0.2.7",
                "user_agent": "Mozilla/5.0",
                "request_id": "r" * 32,
            }
            for number in range(1, EVENTS // 2)
        ]
    )
    write_history(
        [{"kind": "role:changed", "subject": "role:1", "actor_handle": "dana", "detail": {"before": {"a": 1}}}]
    )
    write_history([{"kind": "audit:read", "actor_handle": "erin", "code": "x", "detail": {}}])
    return list(Event.objects.order_by("id"))


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fault_number() -> int | None:
    fault = verify.verify_log().fault
    return fault.number if fault else None


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def flipped(value: Any, dice: random.Random) -> Any:
    """Return a value that differs in its smallest part."""
    if isinstance(value, dict):
        return {**value, "x": 1} if dice.random() < 0.5 or not value else {}
    if isinstance(value, datetime):
        return value + timedelta(microseconds=dice.choice([1, -1, 1_000_000, 86_400_000_000]))
    if isinstance(value, timedelta):
        return value + timedelta(seconds=dice.choice([1, -1]))
    if isinstance(value, int):
        return value ^ 1 << dice.randrange(20)
    if not value:
        return {"": "x", None: None}[value]
    place = dice.randrange(len(value))
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]


def flip_a_column(dice: random.Random) -> int:
    number = dice.randint(1, EVENTS)
    event = Event.objects.get(id=number)
    name = dice.choice([column.name for column in COLUMNS if column.name != "id"])
    value = getattr(event, name)
    if value is None:
        value = {"actor_id": 0, "duration_asked": timedelta(0), "duration_given": timedelta(0)}.get(name, NOON)
    Event.objects.filter(id=number).update(**{name: flipped(value, dice)})
    return number


def flip_a_hash(dice: random.Random) -> int:
    number = dice.randint(1, EVENTS)
    hashed = bytearray(Event.objects.get(id=number).hash)
    hashed[dice.randrange(32)] ^= 1 << dice.randrange(8)
    Event.objects.filter(id=number).update(hash=bytes(hashed))
    return number


def delete(dice: random.Random) -> int:
    number = dice.randint(1, EVENTS - 1)
    Event.objects.filter(id=number).delete()
    return number


def swap(dice: random.Random) -> int:
    one, other = sorted(dice.sample(range(1, EVENTS + 1), 2))
    for old, new in ((one, 1000), (other, one), (1000, other)):
        Event.objects.filter(id=old).update(id=new)
    return one


def insert_in_between(dice: random.Random) -> int:
    number = dice.randint(1, EVENTS)
    for later in range(EVENTS, number - 1, -1):
        Event.objects.filter(id=later).update(id=later + 1)
    forged = Event.objects.get(
        id=dice.choice([other for other in range(1, EVENTS + 2) if other not in {number, number + 1}])
    )
    forged.id = number
    forged.save(force_insert=True)
    return number


def insert_at_the_end(dice: random.Random) -> int:
    forged = Event.objects.get(id=dice.randint(1, EVENTS))
    forged.id = EVENTS + 1
    forged.hash = dice.randbytes(32)
    forged.save(force_insert=True)
    return EVENTS + 1


def retime(dice: random.Random) -> int:
    number = dice.randint(1, EVENTS)
    event = Event.objects.get(id=number)
    Event.objects.filter(id=number).update(at=event.at + timedelta(seconds=dice.choice([-3600, 3600, 1, -1])))
    return number


def cut_the_tail(dice: random.Random) -> int:
    last = dice.randint(0, EVENTS - 1)
    Event.objects.filter(id__gt=last).delete()
    return last + 1


def write_anew(dice: random.Random) -> int:
    """Change one event and give it and everything after it hashes that fit."""
    number = dice.randint(1, EVENTS)
    before = bytes(Event.objects.get(id=number - 1).hash) if number > 1 else FIRST_HASH
    for event in Event.objects.filter(id__gte=number).order_by("id"):
        event.code = "written anew"
        before = link(before, canonical(vars(event)))
        Event.objects.filter(id=event.id).update(code=event.code, hash=before)
    return EVENTS


BY_THE_CHAIN: list[Edit] = [
    flip_a_column,
    flip_a_hash,
    delete,
    swap,
    insert_in_between,
    insert_at_the_end,
    retime,
]
BY_THE_HEAD: list[Edit] = [cut_the_tail, write_anew]


def test_a_thousand_random_edits_are_found_each_at_its_number(log: list[Event]) -> None:
    assert len(log) == EVENTS
    dice = random.Random(20261124)  # noqa: S311 -- not for secrets: the same edits every time.
    kept = head.Head("", EVENTS, "", bytes(log[-1].hash).hex(), "", "")
    missed = []
    with without_triggers(connection):
        for turn in range(EDITS):
            edit = dice.choice(BY_THE_CHAIN + BY_THE_HEAD)
            with undone():
                expected = edit(dice)
                found = fault_number()
                if edit in BY_THE_HEAD:
                    assert found is None, "the chain alone cannot know"
                    cut = head.against_log(kept)
                    found = cut.number if cut else None
            if found != expected:
                missed.append((turn, edit.__name__, expected, found))
    assert missed == []
    assert verify.verify_log() == verify.Walked(Place(), Place(EVENTS, bytes(log[-1].hash)), EVENTS)


def test_it_says_what_is_wrong(log: list[Event]) -> None:
    del log
    with without_triggers(connection), undone():
        Event.objects.filter(id=4).delete()
        fault = verify.verify_log().fault
        assert fault
        assert fault.text == "event 4 is missing"
        Event.objects.filter(id__in=[5, 6]).delete()
        fault = verify.verify_log().fault
        assert fault
        assert fault.text == "events 4 to 6 are missing"
        Event.objects.filter(id=2).update(reason="Nothing")
        fault = verify.verify_log().fault
        assert fault
        assert fault.text == "event 2 was changed: its hash does not fit"


def test_an_empty_log_is_whole() -> None:
    assert verify.verify_log() == verify.Walked(Place(), Place(), 0)


@pytest.mark.parametrize("number", [0, -5])
def test_an_event_before_the_first_is_found(log: list[Event], number: int) -> None:
    forged = log[2]
    forged.id = number
    with without_triggers(connection), undone():
        forged.save(force_insert=True)
        fault = verify.verify_log().fault
        assert fault
        assert fault.number == number


def test_an_event_far_ahead_is_found_at_once(log: list[Event]) -> None:
    forged = log[2]
    forged.id = 10**17
    with without_triggers(connection), undone():
        forged.save(force_insert=True)
        assert fault_number() == EVENTS + 1


def test_edits_across_chunks_are_found_too(log: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    del log
    monkeypatch.setattr(verify, "CHUNK", 3)
    assert fault_number() is None
    for number in range(1, EVENTS):
        with without_triggers(connection), undone():
            Event.objects.filter(id=number).delete()
            assert fault_number() == number
    for number in range(1, EVENTS):
        with without_triggers(connection), undone():
            Event.objects.filter(id=number).update(reason="Nothing")
            assert fault_number() == number


SLY = {
    "sqlite": [
        "UPDATE audit_event SET reason = reason || char(0) || ' and more' WHERE id = 5",
        "UPDATE audit_event SET kind = CAST(kind AS BLOB) WHERE id = 5",
        "UPDATE audit_event SET at = '2026-11-20 13:00:00.000001+09:00' WHERE id = 5",
        "UPDATE audit_event SET at = substr(at || '.000000', 1, 26) || '+09:00' WHERE id = 5",
        "UPDATE audit_event SET reason = CAST(x'ff' AS TEXT) WHERE id = 5",
        "UPDATE audit_event SET detail = '{ }' WHERE id = 5",
    ],
    "postgresql": [
        "UPDATE audit_event SET at = (to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC BC')::timestamptz WHERE id = 5",
        "UPDATE audit_event SET at = '-infinity' WHERE id = 5",
        "UPDATE audit_event SET detail = '{ }' WHERE id = 5",
        "UPDATE audit_event SET hash = '' WHERE id = 5",
    ],
}


@pytest.mark.parametrize("sql", SLY[connection.vendor])
def test_values_that_could_pass_for_others_are_found(log: list[Event], sql: str) -> None:
    del log
    with without_triggers(connection), undone():
        execute(sql)
        assert fault_number() == 5


def test_a_plain_insert_while_the_triggers_are_on_cannot_forge_the_past(log: list[Event]) -> None:
    forged = log[2]
    forged.id, forged.at = 1000, datetime(2020, 1, 1, tzinfo=UTC)
    with undone():
        forged.save(force_insert=True)
        if connection.vendor == "sqlite":
            assert fault_number() == EVENTS + 1
        else:  # The trigger gives number, time and hash, whatever they were said to be.
            added = Event.objects.order_by("-id")[0]
            assert added.id == EVENTS + 1
            assert added.at.year > 2020
            assert fault_number() is None


CHANGES: dict[str, Any] = {
    "status": "failed",
    "access_key_id": "ASIAELSE",
    "expiration": None,
    "actor_handle": "bob",
    "role_arn": "arn:aws:iam::491200653381:role/Else",
    "role_name": "Else",
    "account_number": "000000000000",
    "reason": "Something else",
    "ticket": "INC-2",
    "code": "x",
}


@pytest.mark.parametrize("column", CHANGES)
def test_an_issuance_that_differs_from_its_event_is_named(log: list[Event], column: str) -> None:
    issuance_id = log[3].issuance_id
    with without_triggers(connection), undone():
        Issuance.objects.filter(id=issuance_id).update(**{column: CHANGES[column]})
        found = list(differences(Place(), EVENTS))
        assert [difference.text for difference in found] == [f"issuance {issuance_id} differs from event 4"]
    assert list(differences(Place(), EVENTS)) == []


def test_an_issuance_that_is_missing_or_that_no_event_tells_of_is_named(log: list[Event]) -> None:
    kept = Issuance.objects.get(id=log[3].issuance_id)
    with without_triggers(connection), undone():
        Issuance.objects.filter(id=kept.id).delete()
        missing = [difference.text for difference in differences(Place(), EVENTS)]
        assert missing == [f"issuance {kept.id} is missing, and event 4 tells of it"]
    with undone():
        kept.id, kept.submission = "planted", "planted"
        kept.save(force_insert=True)
        planted = [difference.text for difference in differences(Place(), EVENTS)]
        assert planted == ["issuance planted is issued, and no event says so"]


def test_what_the_portal_writes_itself_is_whole_with_every_outcome() -> None:
    write_issuances([{"status": status} for status in ("issued", "denied", "failed", "unknown", "requested")])
    assert fault_number() is None
    assert list(differences(Place(), verify.log_end().number)) == []


def test_the_walk_takes_few_statements_whatever_the_log_holds(
    log: list[Event], django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del log
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(verify, "CHUNK", 7)
    with django_assert_max_num_queries(7):  # Three to find begin and end, two for each chunk.
        verify.verify_log(lambda done, of: told.append((done, of)))
    assert told == [(7, EVENTS), (EVENTS, EVENTS)]
