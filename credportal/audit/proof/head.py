"""The signed head of the log: how far it had come and with which hash, to be kept elsewhere.

The chain alone cannot tell a log from the same log without its last events. A head that is kept where the
database's owner cannot reach it can: the log must still hold that event, with that hash.
"""

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from credportal.audit.columns import json_text, text_of
from credportal.audit.models import Event
from credportal.audit.proof.verify import Fault, Place, log_end, newest_checkpoint

FORMAT = "credportal audit head 1"


class BadHead(Exception):  # noqa: N818 -- the sentence for the person.
    """A head that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log had come. ``hash`` and ``public_key`` are hexadecimal and base64; times are text."""

    portal: str
    seq: int
    at: str
    hash: str
    made_at: str
    public_key: str


def sign_head(*, portal: str, key: bytes, now: datetime) -> str:
    """Return the head of the log as it is now, as signed JSON. ``key`` are the private key's 32 bytes."""
    signer = Ed25519PrivateKey.from_private_bytes(key)
    place = log_end()
    at = Event.objects.filter(id=place.number).values_list("at", flat=True).first()
    public = base64.b64encode(signer.public_key().public_bytes_raw()).decode()
    head = Head(portal, place.number, text_of(at), place.hash.hex(), text_of(now.astimezone(UTC)), public)
    signature = base64.b64encode(signer.sign(_signed_bytes(head))).decode()
    return json.dumps({"format": FORMAT, **asdict(head), "signature": signature}, indent=2) + "\n"


def public_half(key: bytes) -> bytes:
    """Return the 32 bytes of the public key that belongs to a private one."""
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()


def read_head(text: str, *, portal: str, public_key: bytes) -> Head:
    """Read a head that this public key signed for this portal. Raises BadHead."""
    try:
        values = json.loads(text)
        signature = base64.b64decode(values.pop("signature"), validate=True)
        known = values.pop("format") == FORMAT
        head = Head(**values)
        bytes.fromhex(head.hash)
        head.seq.bit_length()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        raise BadHead("this is no head that export_audit_head wrote, or it was damaged.") from None
    if not known:
        raise BadHead("this head was written by another version of credportal.")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed_bytes(head))
    except InvalidSignature:
        if head.public_key != base64.b64encode(public_key).decode():
            raise BadHead("another key signed this head. Give that key's public half with --public-key.") from None
        raise BadHead("the signature does not fit: the head was changed or damaged.") from None
    if head.portal != portal:
        raise BadHead(f"this is the head of {head.portal or 'a portal without an address'}, not of {portal}.")
    return head


def against_log(head: Head) -> Fault | None:
    """Return what the log lacks that it had when the head was made; None where it has it all."""
    place, checkpoint = Place(head.seq, bytes.fromhex(head.hash)), newest_checkpoint()
    if place.number < checkpoint.number or place == checkpoint:
        return None  # Archived since: the checkpoint covers it.
    end = log_end()
    if place.number > end.number:
        text = (
            f"the log ends at event {end.number}, the head says {place.number}: "
            "its tail was cut, or an old backup restored"
        )
        return Fault(end.number + 1, text)
    kept = Event.objects.filter(id=place.number).values_list("hash", flat=True).first()
    if place.number == 0 or (kept is not None and bytes(kept) == place.hash):
        return None
    text = f"event {place.number} has another hash than the head says: the log was written anew, there or before"
    return Fault(place.number, text)


def _signed_bytes(head: Head) -> bytes:
    return json_text({"format": FORMAT, **asdict(head)}).encode()
