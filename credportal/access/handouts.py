"""Writers of hand-outs. Each runs inside the transaction that records it.

A change of state is one conditional UPDATE: of two at once exactly one succeeds, whichever process they are in. Of a
link's token and an outsider's code the database has hashes only.
"""

import hashlib
import secrets
from datetime import datetime

from django.db import IntegrityError
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from credportal.access.models import Handout, User
from credportal.domain.handouts import MOST_WRONG_CODES, HandoutRequest, HandoutState

TOKEN_BYTES = 32
"""256 random bits, so that a plain hash keeps them as secret as they were."""
CODE_DIGITS = 8


class AlreadyHandedOut(Exception):  # noqa: N818 -- not an error: the answer to a second press.
    """The rendered form has made a hand-out before."""


class Moved(Exception):  # noqa: N818 -- not an error: the answer to the slower of two.
    """The hand-out is no longer as it would have to be: somebody was faster, or its time is over."""


def new_token() -> str:
    """Make a link's token: 43 characters of ``[A-Za-z0-9_-]``, from the operating system's randomness."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_code() -> str:
    """Make the code that an outsider is told by phone: eight digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def hash_of(token: str) -> str:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def hash_of_code(code: str, handout_id: str) -> str:
    """Return what the database keeps of a code: worth nothing without the portal's SECRET_KEY, for digits are few."""
    return salted_hmac(f"handout:{handout_id}", code.encode(errors="replace"), algorithm="sha256").hexdigest()


def is_code(handout: Handout, code: str) -> bool:
    """Tell whether this is the hand-out's code. Spaces and hyphens that make it easier to read do not count."""
    digits = "".join(char for char in code if char not in " -")
    return constant_time_compare(hash_of_code(digits, handout.id), handout.code_hash)


def make(handout: Handout, asked: HandoutRequest, *, token: str, code: str) -> Handout:
    """Insert a hand-out that names issuer, delegation, recipient and window; ``asked`` says the rest.

    Raises AlreadyHandedOut.
    """
    handout.submission, handout.role_id, handout.duration = asked.submission, asked.role_id, asked.duration
    handout.reason, handout.ticket = asked.reason, asked.ticket
    handout.read_only, handout.region, handout.from_claim_address = (
        asked.read_only,
        asked.region,
        asked.from_claim_address,
    )
    handout.token_hash = hash_of(token)
    handout.code_hash = hash_of_code(code, handout.id) if code else ""
    try:
        handout.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyHandedOut from error
    return handout


def hold(issuer: User) -> None:
    """Lock the issuer's row until the transaction ends, so that two hand-outs at once are counted one by one.

    The weaker lock lets others name them as a recipient meanwhile: two who hand out to each other at once would wait
    for each other. SQLite needs no lock: its transactions follow one another.
    """
    User.objects.select_for_update(no_key=True).get(pk=issuer.pk)


def once(issuer: User, submission: str) -> None:
    """Raise AlreadyHandedOut where this person's rendered form has made a hand-out, while the issuer is held.

    It comes before the rules, which count that one and would refuse a second press as one too many.
    """
    if Handout.objects.filter(issuer=issuer, submission=submission).exists():
        raise AlreadyHandedOut


def make_link(handout: Handout, *, token: str, code: str, now: datetime) -> None:
    """Let a new link take the place of the old one, which is dead from then on. Raises Moved."""
    _change(
        handout.id,
        now,
        token_hash=hash_of(token),
        code_hash=hash_of_code(code, handout.id) if code else "",
        links_made=F("links_made") + 1,
        wrong_codes=0,
    )


def shorten(handout_id: str, *, until: datetime, now: datetime) -> None:
    """End the claim window sooner. Raises Moved, also where it would not be sooner."""
    changed = Handout.objects.filter(id=handout_id, state=HandoutState.OPEN, expires_at__gt=until)
    if not now < until or changed.update(expires_at=until) != 1:
        raise Moved


def claim(handout: Handout, *, issuance_id: str, address: str, now: datetime) -> None:
    """Take the hand-out for one issuance, by the link that was shown. Of many at once one succeeds; others: Moved."""
    ready = Handout.objects.filter(
        id=handout.id, state=HandoutState.OPEN, token_hash=handout.token_hash, expires_at__gt=now
    )
    taken = {"state": HandoutState.CLAIMED, "claimed_at": now, "claimed_from": address, "issuance_id": issuance_id}
    if ready.update(**taken) != 1:
        raise Moved


def give_back(handout_id: str, *, issuance_id: str) -> None:
    """Give a claim back by which nothing was minted: it can be claimed again as long as its window lasts."""
    taken = Handout.objects.filter(id=handout_id, state=HandoutState.CLAIMED, issuance_id=issuance_id)
    taken.update(state=HandoutState.OPEN, claimed_at=None, claimed_from="", issuance_id="")


def spend_try(handout_id: str, *, now: datetime) -> int:
    """Count one try of a code before it is looked at; return how many that makes. Raises Moved where none is left.

    Whoever guesses with many requests at once has no more tries than who guesses with one.
    """
    left = Handout.objects.filter(
        id=handout_id, state=HandoutState.OPEN, expires_at__gt=now, wrong_codes__lt=MOST_WRONG_CODES
    )
    if left.update(wrong_codes=F("wrong_codes") + 1) != 1:
        raise Moved
    return Handout.objects.values_list("wrong_codes", flat=True).get(id=handout_id)


def forgive_tries(handout_id: str) -> None:
    """Forget the tries of a code once the right one was given."""
    Handout.objects.filter(id=handout_id, state=HandoutState.OPEN).update(wrong_codes=0)


def lock(handout_id: str, *, now: datetime) -> None:
    """End a hand-out after too many wrong codes. Raises Moved."""
    _change(handout_id, None, state=HandoutState.LOCKED, ended_at=now)


def cancel(handout_id: str, *, by: User | None, now: datetime) -> None:
    """End a hand-out that nobody has claimed. ``by`` is None where the portal itself ends it. Raises Moved."""
    _change(handout_id, None, state=HandoutState.CANCELLED, ended_at=now, ended_by=by)


def expire(handout_id: str, *, now: datetime) -> None:
    """End a hand-out whose window is over. Raises Moved."""
    over = Handout.objects.filter(id=handout_id, state=HandoutState.OPEN, expires_at__lte=now)
    if over.update(state=HandoutState.EXPIRED, ended_at=F("expires_at")) != 1:
        raise Moved


def delete_ended(*, made_before: datetime) -> int:
    """Delete hand-outs that have ended and were made before then; return how many. Their events stay."""
    ended = Handout.objects.filter(made_at__lt=made_before).exclude(state=HandoutState.OPEN)
    return ended.delete()[0]


def note_refusal(handout_id: str, *, code: str, now: datetime) -> None:
    """Keep why the last claim was refused, for the board. The events have all of them."""
    Handout.objects.filter(id=handout_id).update(refusal=code, refused_at=now)


def report(handout_id: str, *, now: datetime) -> None:
    """Keep that the recipient says the claim was not theirs. Raises Moved where that is known already."""
    if Handout.objects.filter(id=handout_id, reported_at=None).update(reported_at=now) != 1:
        raise Moved


def _change(handout_id: str, now: datetime | None, **columns: object) -> None:
    """Change an open hand-out, with ``now`` only while its window lasts. Raises Moved."""
    still_open = Handout.objects.filter(id=handout_id, state=HandoutState.OPEN)
    if now is not None:
        still_open = still_open.filter(expires_at__gt=now)
    if still_open.update(**columns) != 1:
        raise Moved
