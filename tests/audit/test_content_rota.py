"""What the events of rotas carry."""

from datetime import date, time
from typing import Any

from credportal.access.models import Rota
from credportal.audit.models import Event, EventKind
from credportal.flows import rota as flows
from credportal.web.templatetags.history import event_lines
from tests.support.cast import Cast, Catalogue
from tests.support.content import BY_FLOW, assert_content, by
from tests.support.requests import ORIGIN


def added(cast: Cast, catalogue: Catalogue) -> Rota:
    values = {
        "name": "Support Europe",
        "group": catalogue.support,
        "time_zone": "Europe/Berlin",
        "days": "12345",
        "starts": time(9),
        "ends": None,
    }
    outcome = flows.add_rota(user=cast.dana, origin=ORIGIN, values=values)
    assert isinstance(outcome, flows.Saved)
    return outcome.rota


def change(cast: Cast, rota: Rota, version: int, values: dict[str, Any], **assigned: Any) -> flows.Outcome:
    slots = {date.fromisoformat(day.strip("_").replace("_", "-")): person for day, person in assigned.items()}
    return flows.change_rota(user=cast.dana, origin=ORIGIN, rota=rota, version=version, values=values, assigned=slots)


def test_a_new_rota_carries_its_settings(cast: Cast, catalogue: Catalogue) -> None:
    rota = added(cast, catalogue)
    after = {
        "name": "Support Europe",
        "group": "support",
        "time_zone": "Europe/Berlin",
        "hand-over on": ["Mon", "Tue", "Wed", "Thu", "Fri"],
        "hand-over at": "09:00",
    }
    subject = f"rota:{rota.pk}"
    assert_content(EventKind.ROTA_ADDED, BY_FLOW, by(cast.dana), subject=subject, detail={"before": {}, "after": after})


def test_a_change_carries_what_differs_and_whose_each_slot_was_and_is(cast: Cast, catalogue: Catalogue) -> None:
    rota = added(cast, catalogue)
    change(cast, rota, 1, {}, _2026_12_01=cast.bob, _2026_12_02=cast.bob, _2026_12_03=None)
    Event.objects.get(kind="rota:changed")
    values = {"ends": time(17), "name": "Support Europe"}
    change(cast, rota, 2, values, _2026_12_01=cast.bob, _2026_12_02=cast.charlie, _2026_12_03=None)
    first, second = Event.objects.filter(kind="rota:changed").order_by("id")
    assert first.detail == {
        "before": {"slot 2026-12-01": None, "slot 2026-12-02": None},
        "after": {"slot 2026-12-01": "bob", "slot 2026-12-02": "bob"},
    }
    assert second.detail == {
        "before": {"over at": None, "slot 2026-12-02": "bob"},
        "after": {"over at": "17:00", "slot 2026-12-02": "charlie"},
    }
    assert event_lines(second) == ["over at: none → 17:00", "slot 2026-12-02: bob → charlie"]


def test_a_change_is_about_nobodys_access_but_who_acts(cast: Cast, catalogue: Catalogue) -> None:
    rota = added(cast, catalogue)
    change(cast, rota, 1, {}, _2026_12_01=cast.bob)
    detail: dict[str, Any] = {"before": {"slot 2026-12-01": None}, "after": {"slot 2026-12-01": "bob"}}
    assert_content(EventKind.ROTA_CHANGED, BY_FLOW, by(cast.dana), subject=f"rota:{rota.pk}", detail=detail)


def test_where_nothing_differs_or_somebody_was_faster_there_is_no_event(cast: Cast, catalogue: Catalogue) -> None:
    rota = added(cast, catalogue)
    assert change(cast, rota, 9, {"name": "Support Europe"}, _2026_12_01=None) == flows.Saved(rota, changed=False)
    assert change(cast, rota, 9, {}, _2026_12_01=cast.bob) == flows.Stale()
    assert not rota.slots.exists()
    assert not Event.objects.filter(kind="rota:changed").exists()
