"""The signed head of the log: what it says, whose signature counts, and what it finds that the chain cannot."""

import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from credportal.audit.models import Event
from credportal.audit.proof import head, keys
from tests.support.database import without_triggers
from tests.support.history import write_history

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PORTAL = "https://portal.example.com"


def signed(key: bytes = KEY) -> str:
    return head.sign_head(portal=PORTAL, key=key, now=NOW)


def read(text: str, key: bytes = KEY, portal: str = PORTAL) -> head.Head:
    return head.read_head(text, portal=portal, public_key=head.public_half(key))


@pytest.mark.django_db
def test_a_head_says_how_far_the_log_has_come() -> None:
    last = write_history([{"actor_handle": "alice"}, {"actor_handle": "bob"}])[-1]
    text = signed()
    public = base64.b64encode(head.public_half(KEY)).decode()
    assert json.loads(text) == {
        "format": "credportal audit head 1",
        "portal": PORTAL,
        "seq": 2,
        "at": "2026-11-20T12:00:02.000000Z",
        "hash": bytes(last.hash).hex(),
        "made_at": "2026-11-24T12:00:00.000000Z",
        "public_key": public,
        "signature": json.loads(text)["signature"],
    }
    assert head.against_log(read(text)) is None


@pytest.mark.django_db
def test_a_log_that_goes_on_still_holds_an_earlier_head() -> None:
    empty = read(signed())
    assert (empty.seq, empty.at) == (0, "")
    write_history([{"actor_handle": "alice"}])
    earlier = read(signed())
    write_history([{"actor_handle": "bob"}])
    assert head.against_log(empty) is None
    assert head.against_log(earlier) is None


@pytest.mark.django_db
def test_a_cut_tail_and_a_restored_backup_are_told_with_both_numbers() -> None:
    write_history([{"actor_handle": "alice"}] * 3)
    kept = read(signed())
    with without_triggers(connection):
        Event.objects.filter(id__gt=1).delete()
    fault = head.against_log(kept)
    assert fault
    assert fault.number == 2
    assert fault.text == "the log ends at event 1, the head says 3: its tail was cut, or an old backup restored"
    # A log that has grown again beyond the head after an old backup came back.
    write_history([{"actor_handle": "bob"}] * 5)
    fault = head.against_log(kept)
    assert fault
    assert fault.text.startswith("event 3 has another hash than the head says")


@pytest.mark.django_db
def test_every_field_of_a_head_is_signed() -> None:
    write_history([{"actor_handle": "alice"}])
    values = json.loads(signed())
    for name in values:
        changed = {**values, name: 7 if name == "seq" else "00"}
        with pytest.raises(head.BadHead):
            read(json.dumps(changed))
        with pytest.raises(head.BadHead):
            read(json.dumps({other: value for other, value in values.items() if other != name}))
    with pytest.raises(head.BadHead):
        read(json.dumps({**values, "more": 1}))


@pytest.mark.django_db
def test_a_head_that_signs_itself_with_a_key_of_its_own_counts_nothing() -> None:
    with pytest.raises(head.BadHead, match="another key signed this head"):
        read(signed(OTHER))


@pytest.mark.django_db
def test_a_changed_head_is_told_from_one_of_another_key() -> None:
    text = signed()
    with pytest.raises(head.BadHead, match="the signature does not fit"):
        read(text.replace('"seq": 0', '"seq": 1'))


@pytest.mark.django_db
def test_the_head_of_another_portal_is_told() -> None:
    with pytest.raises(head.BadHead, match=r"this is the head of https://portal\.example\.com, not of https://else"):
        read(signed(), portal="https://else")


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_text_is_more_than_a_sentence(text: str) -> None:
    with pytest.raises(head.BadHead):
        read(text)


def test_a_key_of_openssl_is_read_and_so_are_32_bytes(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)], check=True, capture_output=True)
    public = subprocess.run(
        ["openssl", "pkey", "-in", str(file), "-pubout"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    seed = keys.private_key(file.read_text())
    assert head.public_half(seed) == keys.public_key(public)
    assert keys.private_key(base64.b64encode(seed).decode() + "\n") == seed
    with pytest.raises(ValueError, match="PUBLIC KEY"):
        keys.private_key(public)


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 44, base64.b64encode(bytes(31)).decode(), "-----BEGIN PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    for read_key in (keys.private_key, keys.public_key):
        with pytest.raises(ValueError, match="write an Ed25519 key") as told:
            read_key(text)
        assert not text or len(text) < 2 or text not in str(told.value)


def test_a_key_of_another_kind_is_refused() -> None:
    pem = base64.b64encode(bytes(200)).decode()
    with pytest.raises(ValueError, match="write an Ed25519 key"):
        keys.private_key(f"-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n")
