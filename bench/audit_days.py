"""What happens on one day of a made-up audit: stories of one event or a few, by weekday and office hours.

Each day is drawn from a seed of its own, so that days can be made side by side and come out the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from bench.audit_world import COMMON, DOINGS, MEDIUM, RARE, SEED, STANDING_TICKET, Person, Role, World
from credportal.audit.columns import json_text

Texts = tuple[str, ...]
"""An event without its number: the canonical text of every column of ``COLUMNS`` but the first."""

SECOND = 1_000_000  # Everything here is in microseconds.
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
DAY = 24 * HOUR
LAST_MOMENT = DAY - 10 * MINUTE  # A story that begins later than this would end on the day after.
DURATIONS = (HOUR, HOUR, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR)
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
THREE = [a + b + c for a in DIGITS for b in DIGITS for c in DIGITS]
NO_ROLE = ("",) * 5
NOBODY = ("",) * 3
REFUSALS = ("not_eligible", "not_eligible", "not_eligible", "duration_too_long", "no_longer_valid", "ticket_required")
FAILURES = (("sts_denied", "AccessDenied"), ("sts_throttled", "Throttling"), ("sts_unreachable", ""))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for, as all events of one issuance say it."""

    begins: int
    person: Person
    role: Role
    duration: str
    reason: str
    ticket: str
    source: str
    issuance_id: str
    address: str
    request_id: str


@dataclass(slots=True)
class Day:
    """One day, being made."""

    world: World
    number: int
    date: date
    rng: random.Random = field(init=False)
    dates: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{SEED}:{self.number}")  # noqa: S311 -- made-up data.
        self.dates = tuple(f"{self.date + timedelta(days=more):%Y-%m-%d}T" for more in range(2))

    def events(self, count: int) -> list[Texts]:
        """Return so many events in the order of their times."""
        people = iter(self.rng.choices(self.world.people, cum_weights=self.world.people_weights, k=2 * count + 1))
        stories: tuple[Callable[[Person], list[Texts]], ...]
        stories = (self._issuance, self._with_approval, self._broken_glass, self._sign_in, self._reading, self._change)
        kinds = iter(self.rng.choices(stories, (740, 14, 2, 200, 30, 14), k=count))
        found: list[Texts] = []
        while len(found) < count:
            story = next(kinds)(next(people))
            # At the end of the day only what is told by one event has room.
            found += story if len(found) + len(story) <= count else self._sign_in(next(people))
        found.sort()
        return found

    def _clock(self, moment: int) -> str:
        day, rest = divmod(moment, DAY)
        seconds, micro = divmod(rest, SECOND)
        minutes, second = divmod(seconds, 60)
        return f"{self.dates[day]}{minutes // 60:02}:{minutes % 60:02}:{second:02}.{micro:06}Z"

    def _moment(self, person: Person) -> int:
        """Return when somebody does something: mostly between nine and six o'clock of their own."""
        draw = self.rng.random()
        hour = self.rng.gauss(10.5 if draw < 0.5 else 15.0, 1.6) if draw < 0.95 else 24 * self.rng.random()
        return min(int((hour - person.zone) % 24 * HOUR), LAST_MOMENT - 1)

    def _id(self) -> str:
        bits = self.rng.getrandbits(60)
        return THREE[bits >> 45] + THREE[bits >> 30 & 32767] + THREE[bits >> 15 & 32767] + THREE[bits & 32767]

    def _hex(self) -> str:
        return f"{self.rng.getrandbits(128):032x}"

    def _address(self, person: Person) -> str:
        draw = self.rng.random()
        if draw > 0.97:  # On the road.
            return f"198.18.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"
        return person.addresses[0 if draw < 0.6 else 1 if draw < 0.9 else 2]

    def _reason(self) -> str:
        rng, draw = self.rng, self.rng.random()
        if draw < 0.25:
            return ""
        words = rng.choices(self.world.words, cum_weights=self.world.word_weights, k=3)
        if draw < 0.250_004:
            words.append(RARE)
        elif draw < 0.252:
            words.append(MEDIUM)
        doing = COMMON if draw < 0.32 else rng.choice(DOINGS)
        return f"{doing} {' '.join(words)}"

    def _ticket(self) -> str:
        draw = self.rng.random()
        if draw < 0.03:
            return STANDING_TICKET
        return f"OPS-{int(self.number * 40 + 3000 * self.rng.random()) + 2}" if draw < 0.4 else ""

    def _asked(self, person: Person, source: str = "standard") -> Asked:
        rng = self.rng
        return Asked(
            begins=self._moment(person),
            person=person,
            role=person.roles[int(len(person.roles) * rng.random() ** 2)],
            duration=str(rng.choice(DURATIONS)),
            reason=self._reason(),
            ticket=self._ticket(),
            source=source,
            issuance_id=self._id(),
            address=self._address(person),
            request_id=self._hex(),
        )

    def _issuance(self, person: Person) -> list[Texts]:
        asked = self._asked(person)
        if self.rng.random() < 0.08:
            return [self._refused(asked)]
        return [self._intent(asked), *self._outcome(asked)]

    def _refused(self, asked: Asked) -> Texts:
        code = self.rng.choice(REFUSALS)
        role = self.rng.choice(self.world.roles) if code == "not_eligible" else asked.role
        return self._about(
            asked, 0, "issuance:denied", '{"tried":[]}', role=role, source="", outcome=("", code, "", "", "", "")
        )

    def _intent(self, asked: Asked) -> Texts:
        whole = int(asked.duration) // HOUR
        eligibility = f"the group engineers, up to {whole} {'hour' if whole == 1 else 'hours'}"
        session = f"{asked.person.handle}-{asked.issuance_id}"
        glass = '"break_glass":true,' if asked.source == "break-glass" else ""
        detail = f'{{{glass}"eligibility":"{eligibility}","session_name":"{session}"}}'
        return self._about(asked, 0, "issuance:requested", detail)

    def _outcome(self, asked: Asked) -> Iterator[Texts]:
        """Tell how an issuance ends, and what may follow."""
        draw, later = self.rng.random(), int(self.rng.uniform(0.08, 0.6) * SECOND)
        if draw < 0.0165:
            code, aws_code = self.rng.choice(FAILURES)
            detail = json_text({"aws_code": aws_code} if aws_code else {})
            yield self._about(asked, later, "issuance:failed", detail, outcome=("", code, self._uuid(), "", "", ""))
            return
        if draw < 0.0187:
            yield self._about(asked, 8 * SECOND, "issuance:unknown", "{}", outcome=("", "sts_timeout", "", "", "", ""))
            return
        key = f"ASIA{self.rng.getrandbits(64):016X}"
        assumed = f"{asked.role.unique_id}:{asked.person.handle}-{asked.issuance_id}"
        expiration = self._clock((asked.begins + later) // SECOND * SECOND + int(asked.duration))
        given = (asked.duration, "", self._uuid(), key, assumed, expiration)
        yield self._about(asked, later, "issuance:issued", "{}", outcome=given)
        if draw > 0.9:
            yield self._about(
                asked, later + SECOND, "console:opened", "{}", outcome=("", "", given[2], key, assumed, expiration)
            )

    def _with_approval(self, person: Person) -> list[Texts]:
        asked = self._asked(person, "approval")
        subject = f"approval:{self._id()}"
        approver = self.rng.choice(self.world.people[:40])
        collects = self.rng.random() < 0.9
        steps = [("approval:requested", person, -5 * MINUTE, "")]
        if collects:
            steps += [("approval:agreed", approver, -MINUTE, ""), ("approval:approved", approver, -MINUTE + 1, "")]
            steps += [("approval:collected", person, 1, asked.issuance_id)]
        else:
            steps += [("approval:denied", approver, -MINUTE, "")]
        told = [
            self._about(asked, later, kind, "{}", who=who, subject=subject, source="", issuance_id=issuance_id)
            for kind, who, later, issuance_id in steps
            if asked.begins + later >= 0
        ]
        return [*told, self._intent(asked), *self._outcome(asked)] if collects else told

    def _broken_glass(self, person: Person) -> list[Texts]:
        asked = self._asked(person, "break-glass")
        subject = f"review:{self._id()}"
        opened = json_text({"after": {"reason": asked.reason}, "break_glass": True})
        closed = json_text({"after": {"comment": "Looked at it: fine."}})
        reviewer = self.rng.choice(self.world.people[:40])
        return [
            self._intent(asked),
            self._about(asked, 1, "review:opened", opened, subject=subject),
            *self._outcome(asked),
            self._about(asked, 9 * MINUTE, "review:closed", closed, who=reviewer, subject=subject),
        ]

    def _sign_in(self, person: Person) -> list[Texts]:
        draw = self.rng.random()
        if draw < 0.04:
            return [self._alone("sign-in:failed", person, code="wrong_password", known=False)]
        return [self._alone("sign-in:ended" if draw > 0.85 else "sign-in:succeeded", person)]

    def _reading(self, person: Person) -> list[Texts]:
        del person
        reader = self.world.people[self.rng.randrange(5)]
        return [self._alone("audit:read", reader, subject="audit:list", detail=json_text({"person": "person017"}))]

    def _change(self, person: Person) -> list[Texts]:
        role = self.rng.choice(self.world.roles)
        detail = json_text({"before": {"enabled": True}, "after": {"enabled": False, "owner": "Zoë’s team"}})
        admin = self.world.people[self.rng.randrange(5)]
        del person
        return [self._alone("role:changed", admin, subject=f"role:{self._id()}", detail=detail, role=role.about)]

    def _about(
        self,
        asked: Asked,
        later: int,
        kind: str,
        detail: str,
        *,
        who: Person | None = None,
        role: Role | None = None,
        subject: str = "",
        source: str | None = None,
        issuance_id: str | None = None,
        outcome: Texts = ("",) * 6,
    ) -> Texts:
        """Return an event of one issuance. ``outcome`` is duration, code, request id, key, assumed role, end."""
        given, code, aws_request_id, key, assumed, expiration = outcome
        return (
            self._clock(asked.begins + later), kind, asked.issuance_id if issuance_id is None else issuance_id, subject,
            *(who or asked.person).actor, asked.person.handle, *(role or asked.role).about,
            asked.duration, given, asked.reason, asked.ticket, asked.source if source is None else source,
            code, aws_request_id, key, assumed, expiration,
            asked.address, asked.person.agent, asked.request_id, detail,
        )  # fmt: skip

    def _alone(
        self,
        kind: str,
        person: Person,
        *,
        subject: str = "",
        code: str = "",
        detail: str = "{}",
        role: Texts = NO_ROLE,
        known: bool = True,
    ) -> Texts:
        """Return an event that is no issuance's. Where the actor is not ``known`` nobody has proved who they are."""
        return (
            self._clock(self._moment(person)), kind, "", subject, *(person.actor if known else NOBODY), person.handle,
            *role, "", "", "", "", "", code, "", "", "", "", self._address(person), person.agent, self._hex(), detail,
        )  # fmt: skip

    def _uuid(self) -> str:
        text = self._hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
