"""Support's pages: the form that hands out, the link that is shown once, the board, one hand-out."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import expect

from credportal.access.models import Handout, Role, User
from credportal.flows.handout import HandedOut
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import make_role
from tests.support.handouts import VENDOR, claim, handed_out, support

REASON = "Settlement queue is stuck since the deploy of this morning, and the merchants are waiting for their money"
LONG = "A vendor with a very long name who works for an even longer company in the north of the country"


def _delegated(desk: Desk) -> None:
    """Let Bob hand out three roles, one of them to outsiders; a fourth needs an approval."""
    catalogue = desk.catalogue
    Role.objects.filter(pk=catalogue.deployer.pk).update(needs_ticket=True, ticket_pattern="INC-# CHG-#")
    Role.objects.filter(pk=catalogue.nobody.pk).update(needs_approval=True)
    support(desk.cast, catalogue.read_only, outsider_minutes=30)
    support(desk.cast, catalogue.deployer, catalogue.on_call, catalogue.nobody, hours=8, max_open=2)


def _handed(desk: Desk, number: int = 1, **more: object) -> HandedOut:
    submission = f"submission-of-number-{number}"
    return handed_out(desk.cast.bob, desk.catalogue.read_only, desk.cast.charlie, submission=submission, **more)


def _claimed(desk: Desk, given: HandedOut) -> None:
    with override_settings(AWS_ENDPOINT_URL_STS=desk.sts.url):
        claim(desk.cast.charlie, given)


def _board(desk: Desk) -> None:
    """Let hand-outs stand in every state."""
    support(desk.cast, desk.catalogue.read_only, outsider_minutes=30, max_open=50)
    given = [_handed(desk, number, ticket="INC-20417", reason=REASON) for number in range(8)]
    handed_out(desk.cast.bob, desk.catalogue.read_only, VENDOR, minutes=30, submission="submission-for-an-outsider")
    now = timezone.now()
    claim(desk.cast.alice, given[0])
    _claimed(desk, given[1])
    _claimed(desk, given[2])
    Handout.objects.filter(pk=given[2].handout.pk).update(reported_at=now)
    desk.sts.fault("truncated_xml")
    _claimed(desk, given[3])
    Handout.objects.filter(pk=given[4].handout.pk).update(expires_at=now)
    Handout.objects.filter(pk=given[5].handout.pk).update(state="cancelled", ended_at=now, ended_by=desk.cast.dana)
    Handout.objects.filter(pk=given[6].handout.pk).update(
        state="locked", ended_at=now, refusal="claim_with_wrong_code", refused_at=now
    )


def _fill(desk: Desk, *, outsider: bool = False) -> None:
    page = desk.page
    desk.goto("/handouts/new/")
    page.get_by_role("radio", name=desk.catalogue.read_only.name).check()
    if outsider:
        page.get_by_label("An outsider").check()
        page.get_by_label("Name", exact=True).fill(str(VENDOR.name))
        page.get_by_label("E-mail address").fill(VENDOR.email)
    else:
        page.get_by_label("Colleague", exact=True).fill("charlie")
    page.get_by_label("Reason").fill("Case 4711: look at the queue")


@state("bob")
def handout_nothing_delegated(desk: Desk) -> None:
    support(desk.cast)
    desk.goto("/handouts/new/")
    expect(desk.page.get_by_text("Nothing is delegated to you")).to_be_visible()


@state("bob")
def handout_form(desk: Desk) -> None:
    _delegated(desk)
    desk.goto("/handouts/new/")
    expect(desk.page.get_by_role("button", name="Make the link")).to_be_visible()


@state("bob")
def handout_form_for_an_outsider(desk: Desk) -> None:
    _delegated(desk)
    _fill(desk, outsider=True)


@state("bob", axe=False)
def handout_form_of_many_roles(desk: Desk) -> None:
    roles = [
        make_role(desk.catalogue.production, f"DataPlatformWarehouseCrossRegionReplicationMaintenance{number:02}")
        for number in range(40)
    ]
    support(desk.cast, *roles)
    User.objects.bulk_create(
        User(username=f"person{number}", handle=f"person{number}", name=f"Person {number}") for number in range(400)
    )
    desk.goto("/handouts/new/")
    expect(desk.page.get_by_role("searchbox", name="Search these roles")).to_be_visible()


@state("bob")
def handout_form_with_mistakes(desk: Desk) -> None:
    _delegated(desk)
    _fill(desk, outsider=True)
    desk.page.get_by_label("E-mail address").fill("vera")
    desk.page.get_by_label("Other", exact=True).check()
    desk.page.get_by_label("Other duration, in minutes").fill("soon")
    desk.page.locator("form[data-hand-out]").evaluate("form => { form.noValidate = true; }")
    desk.page.get_by_role("button", name="Make the link").click()
    expect(desk.page.locator(".errors")).to_be_focused()


@state("bob")
def handout_refused(desk: Desk) -> None:
    _delegated(desk)
    _fill(desk)
    desk.page.get_by_label("Other", exact=True).check()
    desk.page.get_by_label("Other duration, in minutes").fill("600")
    desk.page.get_by_role("button", name="Make the link").click()
    expect(desk.page.get_by_role("button", name="Hand it out for 2 h")).to_be_visible()


@state("bob")
def handout_made(desk: Desk) -> None:
    _delegated(desk)
    _fill(desk)
    desk.page.get_by_role("button", name="Make the link").click()
    expect(desk.page.locator("[data-field=claim-link]")).to_be_visible()


@state("bob")
def handout_made_for_an_outsider(desk: Desk) -> None:
    _delegated(desk)
    _fill(desk, outsider=True)
    desk.page.get_by_role("button", name="Make the link").click()
    expect(desk.page.locator("[data-field=claim-code]")).to_be_visible()


@state("bob")
def handout_made_before(desk: Desk) -> None:
    _delegated(desk)
    _handed(desk)
    _fill(desk)
    desk.page.locator("[name=submission]").evaluate("el => { el.value = 'submission-of-number-1'; }")
    desk.page.get_by_role("button", name="Make the link").click()
    expect(desk.page.locator(".letter")).to_be_visible()


@state("bob")
def handouts_empty(desk: Desk) -> None:
    support(desk.cast)
    desk.goto("/handouts/")


@state("erin", axe=False)
def handouts_empty_for_an_auditor(desk: Desk) -> None:
    desk.goto("/handouts/")


@state("bob")
def handouts_of_my_own(desk: Desk) -> None:
    _board(desk)
    desk.goto("/handouts/")
    desk.page.get_by_text("Cancel all that you have open").click()


@state("dana")
def handouts_of_everybody(desk: Desk) -> None:
    _board(desk)
    Handout.objects.filter(recipient=None).update(outsider_name=LONG, outsider_email=f"{'v' * 60}@{'d' * 60}.example")
    desk.goto("/handouts/")


@state("dana", axe=False)
def handouts_none_match(desk: Desk) -> None:
    _board(desk)
    desk.goto("/handouts/?person=nobody-at-all&state=claimed")


@state("bob")
def handout_open(desk: Desk) -> None:
    _delegated(desk)
    given = _handed(desk, window=timedelta(hours=8), read_only=True, region="eu-west-1", ticket="INC-7")
    claim(desk.cast.alice, given)
    desk.goto(f"/handouts/{given.handout.id}/")
    desk.page.get_by_text("Shorten the claim window").click()


@state("dana")
def handout_of_another_open(desk: Desk) -> None:
    _delegated(desk)
    given = _handed(desk)
    desk.goto(f"/handouts/{given.handout.id}/")
    desk.page.get_by_text("Cancel all that").click()


@state("erin")
def handout_claimed(desk: Desk) -> None:
    _delegated(desk)
    given = _handed(desk)
    _claimed(desk, given)
    Handout.objects.update(reported_at=timezone.now())
    desk.goto(f"/handouts/{given.handout.id}/")
    expect(desk.page.get_by_text("Nobody can claim it again")).to_be_visible()


@state("bob", axe=False)
def handout_already_gone(desk: Desk) -> None:
    _delegated(desk)
    given = _handed(desk)
    desk.goto(f"/handouts/{given.handout.id}/")
    Handout.objects.update(state="cancelled", ended_at=timezone.now())
    desk.page.get_by_role("button", name="Cancel it").click()
    expect(desk.page.locator(".errors")).to_be_visible()
