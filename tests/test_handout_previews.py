"""Whatever opens a link ahead of its reader leaves it as it was, and the reader can still claim it."""

from pathlib import Path

import pytest

from bench.claim_load import race
from bench.previews import KINDS, visit
from credportal.access.models import Handout
from credportal.audit.models import Event
from tests.support.cast import make_cast, make_catalogue
from tests.support.claim_crowds import made_links, two_portals
from tests.support.sts_process import running_sts

EACH = 2
"""Links for each kind: a colleague's and an outsider's."""


@pytest.mark.django_db(transaction=True)
def test_no_preview_prefetch_or_scanner_uses_a_link_up(tmp_path: Path) -> None:
    cast = make_cast()
    links = made_links(cast, make_catalogue(cast), EACH * len(KINDS))
    before = set(Handout.objects.values_list("id", "state", "token_hash", "wrong_codes"))
    with running_sts(tmp_path) as sts, two_portals(sts.url, tmp_path, cast.charlie) as doors:
        statuses = {
            kind.name: {status for _ in range(EACH) for status in visit(kind, f"{doors.portals[0].url}/claim/")}
            for kind in KINDS
        }
        assert set(Handout.objects.values_list("id", "state", "token_hash", "wrong_codes")) == before
        assert sts.calls() == []
        claimed = race(doors, links, 1)
    # What sends the form without having opened the page has no CSRF token.
    assert statuses.pop("a scanner that sends forms") == {403}
    assert statuses.pop("OPTIONS") <= {200, 405}
    assert {status for seen in statuses.values() for status in seen} <= {200, 405}
    assert [reply.status for [reply] in claimed] == [200] * len(links)
    assert len({key_id for [reply] in claimed for key_id in reply.key_ids}) == len(links)
    assert Event.objects.filter(kind="handout:claimed").count() == len(links)


def test_there_are_twenty_kinds_and_each_has_a_name_of_its_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 20
    assert {kind.method for kind in KINDS} == {"GET", "HEAD", "OPTIONS", "POST"}
    sent = {name: text for kind in KINDS for name, text in kind.headers.items()}
    assert {"Purpose", "Sec-Purpose"} <= set(sent)
