"""What the audit page shows around its rows: days, chips, addresses, and what it could not read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateformat import format as date_format

from credportal.audit.models import Event
from credportal.audit.paging import Page
from credportal.web.forms.audit import NAMES, FilterForm

PLACES = ("cursor", "seen", "chart")
"""Parameters that are no filters: a place in the list, what was shown, and whether to draw it."""

RARE = ("environment", "kind", "source", "ticket", "address", "key", "issuance")
FOLDED = {*RARE, "from", "to", "tz", "day"}
MOST_NAMED, LONGEST_NAMED = 5, 40


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on, and the address of the page without it."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Day:
    """The events of one day, in the time zone of the page."""

    day: date
    rows: list[Event]


def by_day(found: list[Event]) -> list[Day]:
    """Group events that are in order by their days."""

    def day_of(row: Event) -> date:
        return timezone.localtime(row.at).date()

    return [Day(day, list(same)) for day, same in groupby(found, key=day_of)]


def address(query: QueryDict, **changes: str) -> str:
    """Return the query string with some values changed, from its first page on; an empty value leaves it out."""
    changed = query.copy()
    for name in (*PLACES, *changes):
        changed.pop(name, None)
    changed.update({name: value for name, value in changes.items() if value})
    return f"?{changed.urlencode()}"


def addresses(query: QueryDict, page: Page[Event]) -> dict[str, str]:
    """Return the addresses of the neighbouring pages, by the names of ``_pages.html``."""
    return {
        "older_url": address(query, cursor=page.older) if page.older else "",
        "newer_url": address(query, cursor=page.newer) if page.newer else "",
    }


def switches(query: QueryDict) -> dict[str, str]:
    """Return the addresses that turn something on or off, and the query string of an export of the same."""
    turned = {name: address(query, **{name: "" if query.get(name) else "1"}) for name in ("live", "steps")}
    return {**turned, "chart": address(query, chart="1"), "here": address(query), "export": address(query, live="")}


def ignored(query: QueryDict) -> list[str]:
    """Return the names of parameters that mean nothing here, cut short, and only the first few."""
    names = [name for name in query if name not in NAMES.split() and name not in PLACES]
    cut = [name if len(name) <= LONGEST_NAMED else f"{name[:LONGEST_NAMED]}…" for name in names[:MOST_NAMED]]
    return [*cut, "…"] if len(names) > MOST_NAMED else cut


def chips_of(form: FilterForm, query: QueryDict) -> list[Chip]:
    """Return a chip for each filter that is on."""
    chips = []
    for name in shadowless(form.cleaned_data):
        value, field = form.cleaned_data[name], form.fields[name]
        label = "" if name in {"range", "steps"} else str(field.label)
        chips.append(Chip(label, _shown(form, name, value), address(query, **{name: ""})))
    return chips


def shadowless(given: Mapping[str, object]) -> list[str]:
    """Return the names of the filters that count: times win over a day, and a day over a preset."""
    winner = "time" if given["from"] or given["to"] else "day" if given["day"] else "range"
    loses = {"time": {"day", "range"}, "day": {"range"}, "range": set()}[winner]
    return [name for name in NAMES.split() if given[name] and name not in loses and name != "live"]


def given_texts(form: FilterForm) -> dict[str, str]:
    """Return the filters that are on, as text: what the record of a reading says."""
    return {name: str(form.data[name]) for name in shadowless(form.cleaned_data)}


def kept(form: FilterForm) -> list[tuple[str, str]]:
    """Return all that the address says about filters, right or wrong: a second form on the page keeps it."""
    return [(name, str(form.data[name])) for name in NAMES.split() if form.data.get(name)]


def has_rare(form: FilterForm) -> bool:
    """Tell whether one of the filters that few need is on, or one that is folded away with them is wrong."""
    return any(form.data.get(name) for name in RARE) or not form.errors.keys().isdisjoint(FOLDED)


def _shown(form: FilterForm, name: str, value: object) -> str:
    """Write the value of one filter for its chip."""
    if name == "steps":
        return str(form.fields[name].label)
    choices = dict(getattr(form.fields[name], "choices", ()))
    if value in choices:
        return str(choices[value])
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j M Y, H:i")
    return date_format(value, "j M Y") if isinstance(value, date) else str(value)
