"""Links at running portals, for the crowds, the killed workers and the previews that ``bench.claim_load`` plays."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.claim_load import Doors, Link
from bench.processes import Portal as MeasuredPortal
from bench.visit import Visitor as MeasuredVisitor
from bench.visit import stranger
from credportal.access.models import User
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, handed_out, support, token_of
from tests.support.portal import Portal, running_portal
from tests.support.visitor import Visitor, new_submission

PROXY = {"CREDPORTAL_TRUSTED_PROXIES": "1"}
"""Lets each claim come from an address of its own, so that what is limited by address is not met."""


def made_links(cast: Cast, catalogue: Catalogue, count: int) -> list[Link]:
    """Let Bob hand out so many times, to Charlie and to a vendor in turn."""
    support(cast, catalogue.read_only, outsider_minutes=30, max_open=100, max_per_day=1000)
    made = []
    for number in range(count):
        to = VENDOR if number % 2 else cast.charlie
        given = handed_out(cast.bob, catalogue.read_only, to, minutes=30, submission=new_submission())
        person = "" if number % 2 else cast.charlie.username
        made.append(Link(given.handout.id, token_of(given), given.code, person))
    return made


@contextmanager
def two_portals(sts_url: str, folder: Path, *people: User, workers: int = 1, threads: int = 16) -> Iterator[Doors]:
    """Run two portals on one database, with these people signed in, and a stranger, until the block ends."""
    with ExitStack() as stack:
        portals = [
            stack.enter_context(
                running_portal(sts_url=sts_url, log=folder / f"{name}.log", workers=workers, threads=threads, **PROXY)
            )
            for name in ("one", "two")
        ]
        visitors = {person.username: _signed_in(portals[0], person) for person in people}
        yield Doors([_measured(portal) for portal in portals], {**visitors, "": stranger(portals[0].url)})


def minted(mints: Sequence[dict[str, object]]) -> list[tuple[str, str]]:
    """Return session name and access key id of what an STS minted."""
    return [(str(mint["session_name"]), str(mint["access_key_id"])) for mint in mints]


def _measured(portal: Portal) -> MeasuredPortal:
    return MeasuredPortal(portal.url, urlsplit(portal.url).port or 0, portal.process.pid, portal.log)


def _signed_in(portal: Portal, person: User) -> MeasuredVisitor:
    visitor = Visitor(portal.url, person)
    visitor.open_form("/claim/")
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    return MeasuredVisitor(urlsplit(portal.url).netloc, cookies, visitor.csrf, ())
