"""The form that hands out: the roles to choose from with how long each may be handed out, and what was typed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from credportal.access.models import User
from credportal.access.selectors import chaining_ceiling, person_named, role_facts
from credportal.access.selectors import handouts as access
from credportal.access.selectors.handout_board import colleagues, handle_of_name
from credportal.domain.delegation import longest_for, longest_for_outsiders
from credportal.domain.durations import describe_duration
from credportal.domain.handouts import DEFAULT_WINDOW, DelegationFacts
from credportal.domain.limits import Maximum
from credportal.domain.policy import is_fresh
from credportal.domain.tickets import ticket_examples
from credportal.domain.types import Denied, RoleFacts
from credportal.flows.regions import regions_for
from credportal.web import offers
from credportal.web.forms.handouts import CLAIM_ADDRESS, COLLEAGUE, OUTSIDER, HandoutForm
from credportal.web.forms.issue import CUSTOM, MAX_REASON, MAX_TICKET, READ_ONLY, REGION_PREFIX, UNWRITABLE
from credportal.web.handout_mends import mend_of, mistakes_in
from credportal.web.http import PortalRequest, signed_in_at_of
from credportal.web.presets import PRESETS, USUAL
from credportal.web.rota import off_duty

WINDOWS = [timedelta(minutes=15), timedelta(minutes=30), *(timedelta(hours=hours) for hours in (1, 4, 8, 24))]
SEARCH_OVER = 8
"""With more roles than this the list can be searched."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A role that the person may hand out. ``outsiders`` is None where it is for colleagues only."""

    role: RoleFacts
    colleagues: Maximum
    outsiders: Maximum | None
    tickets: tuple[str, ...]
    recipients: tuple[str, ...]
    obstacle: str
    waits_for: tuple[str, ...]
    """The rotas by which the person would have to be on duty, where nothing else lets them hand it out now."""

    @property
    def offers(self) -> str:
        """Return the narrowings that the role offers, as the page's script reads them."""
        return " ".join(sorted(preset.value for preset in self.role.narrowings))


@dataclass(frozen=True, slots=True)
class Offered:
    """One choice of a duration or a window."""

    seconds: int
    label: str
    checked: bool
    usual: bool


@dataclass(frozen=True, slots=True)
class Again:
    """The same hand-out once more for a duration that the rule book allows: one press, with all that was typed."""

    label: str
    fields: tuple[tuple[str, str], ...]
    submission: str = field(default_factory=offers.new_submission)


def choices(user: User, now: datetime) -> tuple[list[Choice], list[RoleFacts]]:
    """Return the roles to choose from, and those that are delegated but need an approval, so are not handed out."""
    chained = chaining_ceiling()
    offered: list[Choice] = []
    approved: list[RoleFacts] = []
    for role, rows in access.delegated_to(user, now=now):
        facts = role_facts(role)
        if facts.needs.approval:
            approved.append(facts)
        else:
            offered.append(_choice(facts, rows, chained))
    return offered, approved


def handle_typed(text: str) -> str:
    """Return the handle of whom somebody wrote by name or user name; else the text, which the flow then refuses."""
    person = person_named(text)
    return person.handle if person else handle_of_name(text) or text


def context_of(
    request: PortalRequest, form: HandoutForm, *, denied: Denied | None = None, role_id: str = ""
) -> dict[str, Any]:
    """Return what ``handouts/new.html`` shows. ``denied`` is what the rule book said to what was sent."""
    now = timezone.now()
    offered, approved = choices(request.user, now)
    people, more_people = colleagues(without=request.user) if offered else ([], False)
    chosen = next((one for one in offered if one.role.id == role_id), offered[0] if len(offered) == 1 else None)
    for_outsiders = any(one.outsiders for one in offered)
    confirm = _confirm_url(request, form, chosen, now)
    by, at = mend_of(denied, confirm)
    return {
        "form": form,
        "mistakes": mistakes_in(form),
        "mends_by": by,
        "mends_at": at,
        "choices": offered,
        "off_duty": off_duty(request.user, {rota for one in offered for rota in one.waits_for}, now=now),
        "approved": approved,
        "chosen": chosen,
        "searchable": len(offered) > SEARCH_OVER,
        "people": people,
        "more_people": more_people,
        "for_outsiders": for_outsiders,
        "to": _value(form, "to") or COLLEAGUE,
        "durations": _durations(form, offered, chosen),
        "custom_checked": _value(form, "duration") == CUSTOM,
        "windows": _windows(form),
        "regions": _regions(offered),
        "narrowing_chosen": set(form.chosen_narrowing()),
        "submission": offers.new_submission(),
        "denied": denied,
        "mail_is_on": settings.MAIL_IS_ON,
        "again": _again(form, denied),
        "confirm_url": confirm,
        "read_only": READ_ONLY,
        "claim_address": CLAIM_ADDRESS,
        "outsider": OUTSIDER,
    }


def typed_before(request: PortalRequest) -> dict[str, str]:
    """Return what the address brings along for the form, cut to what it takes: from somebody sent to confirm."""
    lengths = {"role": 64, "to": 16, "recipient": 64, "duration": 16, "window": 16}
    lengths |= {"reason": MAX_REASON, "ticket": MAX_TICKET}
    return {name: UNWRITABLE.sub("", request.GET.get(name, ""))[:length] for name, length in lengths.items()}


def _choice(role: RoleFacts, rows: Iterable[DelegationFacts], chained: timedelta | None) -> Choice:
    rows = list(rows)
    own = [longest_for(row, role, chained) for row in rows]
    theirs = [limit for row in rows if (limit := longest_for_outsiders(row, role, chained))]
    anybody = any(not row.recipients for row in rows)
    obstacles = [_obstacle(row) for row in rows]
    return Choice(
        role=role,
        colleagues=max(own, key=lambda limit: limit.duration),
        outsiders=max(theirs, key=lambda limit: limit.duration) if theirs else None,
        tickets=ticket_examples(role.ticket_pattern) if role.needs.ticket else (),
        recipients=() if anybody else tuple(sorted({row.recipients for row in rows})),
        obstacle=obstacles[0] if all(obstacles) else "",
        waits_for=tuple(row.rota for row in rows if row.rota and not row.on_duty) if all(obstacles) else (),
    )


def _obstacle(row: DelegationFacts) -> str:
    """Say what stops one more hand-out by this row just now; empty where nothing does."""
    if row.rota and not row.on_duty:
        return f"Only while you are on duty ({row.rota})"
    if row.open_now >= row.max_open:
        return f"{row.open_now} of {row.max_open} are open"
    if row.made_lately >= row.max_per_day:
        return f"{row.made_lately} of {row.max_per_day} in 24 hours are made"
    return ""


def _durations(form: HandoutForm, offered: list[Choice], chosen: Choice | None) -> list[Offered]:
    """Return every duration that some role may be handed out for; the page's script keeps those of the chosen one."""
    limits = {one.colleagues.duration for one in offered} | {one.outsiders.duration for one in offered if one.outsiders}
    longest = chosen.colleagues.duration if chosen else max(limits, default=USUAL)
    durations = {preset for preset in PRESETS if preset <= max(limits, default=USUAL)} | limits
    typed = _value(form, "duration")
    sent = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 0  # noqa: PLR2004 -- under a day.
    if typed != CUSTOM and sent:
        durations.add(timedelta(seconds=sent))
    checked = timedelta(seconds=sent) if typed else min(USUAL, longest)
    return [_offered(duration, duration == checked, duration in PRESETS) for duration in sorted(durations)]


def _windows(form: HandoutForm) -> list[Offered]:
    typed = _value(form, "window")
    seconds = int(typed) if typed in {str(int(window.total_seconds())) for window in WINDOWS} else 0
    checked = timedelta(seconds=seconds) or DEFAULT_WINDOW
    return [_offered(window, window == checked, usual=True) for window in WINDOWS]


def _offered(duration: timedelta, checked: bool, usual: bool) -> Offered:
    return Offered(int(duration.total_seconds()), describe_duration(duration), checked, usual)


def _regions(offered: list[Choice]) -> list[tuple[str, str]]:
    """Return the regions of all partitions that the roles are in, as values of the field."""
    labels = {name: label for one in offered for name, label in regions_for(one.role.arn)}
    return [(f"{REGION_PREFIX}{name}", label) for name, label in sorted(labels.items())]


def _value(form: HandoutForm, name: str) -> str:
    value = form[name].value()
    return value if isinstance(value, str) else ""


def _again(form: HandoutForm, denied: Denied | None) -> Again | None:
    """Return the press that mends a duration that was too long, None where nothing so simple does."""
    if denied is None or denied.longest is None or not form.is_valid():
        return None
    kept = ("role", "to", "recipient", "outsider_name", "outsider_email", "window", "reason", "ticket", "mail_link")
    fields = [(name, str(form.data[name])) for name in kept if form.data.get(name)]
    fields += [("narrowing", value) for value in form.chosen_narrowing()]
    fields.append(("duration", str(int(denied.longest.total_seconds()))))
    return Again(f"Hand it out for {describe_duration(denied.longest)}", tuple(fields))


def _confirm_url(request: PortalRequest, form: HandoutForm, chosen: Choice | None, now: datetime) -> str:
    """Return where to confirm who one is, for a role that asks for it; an outsider is never handed such a role."""
    if chosen is None or not chosen.role.needs.step_up or is_fresh(signed_in_at_of(request), now):
        return ""
    typed = {name: _value(form, name) for name in ("to", "recipient", "duration", "window", "reason", "ticket")}
    query = urlencode({"role": chosen.role.id, **{name: value for name, value in typed.items() if value}})
    return offers.confirm_url(f"{reverse('handout_new')}?{query}")
