"""Somebody has a link: what they may claim, and everything that keeps them from it."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import expect

from credportal.access.models import Account, Handout, Role
from credportal.flows.handout import HandedOut
from tests.browser.desk import Desk
from tests.browser.states.core import letter, state
from tests.support.handouts import VENDOR, claim, handed_out, support, token_of

REASON = "Case 4711: the settlement queue is stuck since this morning, and the merchants wait for their money"


def _for_charlie(desk: Desk, **more: object) -> HandedOut:
    role = desk.catalogue.read_only
    support(desk.cast, role)
    return handed_out(desk.cast.bob, role, desk.cast.charlie, **{"reason": REASON, "ticket": "INC-20417", **more})


def _for_vendor(desk: Desk) -> HandedOut:
    role = desk.catalogue.read_only
    support(desk.cast, role, outsider_minutes=30)
    return handed_out(desk.cast.bob, role, VENDOR, minutes=30, reason=REASON, read_only=True, region="eu-west-1")


def _open(desk: Desk, given: HandedOut) -> None:
    desk.goto(f"/claim/#{token_of(given)}")


def _offered(desk: Desk, given: HandedOut) -> None:
    _open(desk, given)
    expect(desk.page.get_by_role("button", name="Get credentials")).to_be_visible()
    desk.settled()


def _press(desk: Desk, code: str = "") -> None:
    if code:
        desk.page.get_by_label("Code").fill(code)
    desk.page.get_by_role("button", name="Get credentials").click()


@state("")
def claim_paste(desk: Desk) -> None:
    desk.goto("/claim/")
    expect(desk.page.get_by_label("Link or token")).to_be_visible()


@state("", axe=False)
def claim_pasted_nonsense(desk: Desk) -> None:
    desk.goto("/claim/")
    desk.page.get_by_label("Link or token").fill("https://portal.example/claim/#half-of-it")
    desk.page.get_by_role("button", name="Look at it").click()
    expect(desk.page.locator(".wrong")).to_be_visible()


@state("charlie")
def claim_offered_to_a_colleague(desk: Desk) -> None:
    _offered(desk, _for_charlie(desk, from_claim_address=True))


@state("charlie", axe=False)
def claim_offered_in_production_with_long_names(desk: Desk) -> None:
    role = desk.catalogue.read_only
    Role.objects.filter(pk=role.pk).update(label="PaymentsSettlementReconciliationReadOnlyForPartners")
    long = "payments-settlement-and-reconciliation-production-frankfurt"
    Account.objects.filter(pk=role.account_id).update(name=long)
    _offered(desk, _for_charlie(desk, reason=f"{REASON} " * 4))


@state("")
def claim_with_a_wrong_code(desk: Desk) -> None:
    given = _for_vendor(desk)
    _offered(desk, given)
    _press(desk, "00000000" if given.code != "00000000" else "1")
    expect(desk.page.locator(".wrong")).to_contain_text("4 tries are left")


@state("")
def claim_signed_out(desk: Desk) -> None:
    _open(desk, _for_charlie(desk))
    letter(desk)


@state("alice")
def claim_by_the_wrong_person(desk: Desk) -> None:
    _open(desk, _for_charlie(desk))
    letter(desk)


@state("bob", axe=False)
def claim_by_its_issuer(desk: Desk) -> None:
    _open(desk, _for_charlie(desk))
    letter(desk)


@state("charlie")
def claim_used(desk: Desk) -> None:
    given = _for_charlie(desk)
    with override_settings(AWS_ENDPOINT_URL_STS=desk.sts.url):
        claim(desk.cast.charlie, given)
    _open(desk, given)
    letter(desk)


@state("charlie", axe=False)
def claim_expired(desk: Desk) -> None:
    given = _for_charlie(desk)
    Handout.objects.update(expires_at=timezone.now() - timedelta(minutes=3))
    _open(desk, given)
    letter(desk)


@state("charlie", axe=False)
def claim_cancelled(desk: Desk) -> None:
    given = _for_charlie(desk)
    Handout.objects.update(state="cancelled", ended_at=timezone.now(), ended_by=desk.cast.bob)
    _open(desk, given)
    letter(desk)


@state("")
def claim_locked(desk: Desk) -> None:
    given = _for_vendor(desk)
    for _ in range(5):
        claim(None, given, code="wrong")
    _open(desk, given)
    expect(desk.page.get_by_role("button", name="This was not me")).to_be_visible()


@state("")
def claim_reported(desk: Desk) -> None:
    claim_locked(desk)
    desk.page.get_by_role("button", name="This was not me").click()
    expect(desk.page.get_by_role("heading", name="Thank you")).to_be_visible()


@state("", axe=False)
def claim_of_an_unknown_link(desk: Desk) -> None:
    desk.goto(f"/claim/#{'x' * 43}")
    letter(desk)


@state("")
def claim_credentials_of_an_outsider(desk: Desk) -> None:
    given = _for_vendor(desk)
    _offered(desk, given)
    _press(desk, given.code)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    desk.settled()


@state("charlie")
def claim_given_back(desk: Desk) -> None:
    given = _for_charlie(desk)
    desk.sts.fault("access_denied")
    _offered(desk, given)
    _press(desk)
    letter(desk)


@state("charlie", axe=False)
def claim_of_unknown_outcome(desk: Desk) -> None:
    given = _for_charlie(desk)
    desk.sts.fault("hang", count=None)
    _offered(desk, given)
    _press(desk)
    letter(desk)


@state("charlie", axe=False)
def claim_refused_by_the_rules(desk: Desk) -> None:
    given = _for_charlie(desk)
    desk.catalogue.read_only.delegations.get().roles.clear()
    _offered(desk, given)
    _press(desk)
    letter(desk)
