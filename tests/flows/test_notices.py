"""Who gets a mail about a hand-out, about what, and what no mail ever holds."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import Handout, User
from credportal.audit.models import Event, Issuance, Progress
from credportal.audit.record import reap_stale_intents
from credportal.domain.types import Origin
from credportal.flows import claim as claims
from credportal.flows import handout_changes
from credportal.flows.claim import report
from credportal.flows.handout import Addressee
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, claim, fresh, hand_out, handed_out, support, token_of
from tests.support.notices import begin, give_addresses, new_mails, run, to_whom, told_cast
from tests.support.requests import ORIGIN
from tests.support.scanner import found

__all__ = ["told_cast"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_recipient_hears_of_a_hand_out_and_gets_no_link(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, ticket="CASE-4711")
    [message] = new_mails()
    assert message.to == ["charlie@example.com"]
    assert message.subject == "Bob Osei hands you PaymentsReadOnly in payments-prod (production)"
    for said in ("for 1 h", "Case 4711: look at the queue", "CASE-4711", "Bob Osei gives you a link", "(UTC)"):
        assert said in message.body
    assert message.body.endswith("Where you claim:\nhttp://localhost:8000/claim/\n")
    assert token_of(given) not in str(message.message())


def test_an_outsider_reads_that_a_code_comes_by_phone(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(told_cast.bob, catalogue.read_only, VENDOR, minutes=30)
    [message] = new_mails()
    assert message.to == ["vera@vendor.example"]
    assert "tells you a code of eight digits by phone" in message.body
    assert given.code not in message.body


def test_the_issuer_hears_once_that_it_was_claimed(told_cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    claim(told_cast.charlie, given)
    [message] = new_mails()
    assert message.to == ["bob@example.com"]
    assert message.subject == "Charlie Novak claimed PaymentsReadOnly in payments-prod (production)"
    assert f"http://localhost:8000/handouts/{given.handout.id}/" in message.body
    assert "The session ends on" in message.body


def test_a_session_of_ones_own_is_nobodys_news(told_cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    Event.objects.create(kind="issuance:issued", source="standard", issuance_id="abc", at=timezone.now(), hash=b"")
    assert new_mails() == []


def test_a_wrong_person_alarms_issuer_and_admins_once_an_hour(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    for _ in range(3):
        claim(told_cast.alice, given)
    mails = new_mails()
    assert to_whom(mails) == ["bob", "dana"]
    assert mails[0].subject.startswith("Not Charlie Novak: Alice Engström used the link to PaymentsReadOnly")
    claim(told_cast.alice, given)
    assert new_mails() == []
    claim(told_cast.erin, given)
    assert to_whom(new_mails()) == ["bob", "dana"], "another person is news"


def test_a_wrong_person_who_comes_after_the_claim_is_still_an_alarm(
    told_cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    claim(told_cast.charlie, given)
    new_mails()
    claim(told_cast.alice, given)
    mails = new_mails()
    assert to_whom(mails) == ["bob", "dana"]
    assert "The link stays good" not in mails[0].body
    assert "There is nothing to claim by it any more." in mails[0].body


def test_wrong_codes_are_one_mail_and_the_lock_another(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(told_cast.bob, catalogue.read_only, VENDOR, minutes=30)
    new_mails()
    for _ in range(5):
        claim(None, given, code="wrong")
    mails = new_mails()
    assert to_whom(mails) == ["bob", "bob"]
    assert mails[0].subject.startswith("A wrong code for PaymentsReadOnly")
    assert mails[1].subject.startswith("Locked after wrong codes: PaymentsReadOnly")


def test_the_issuer_hears_that_the_rules_said_no_and_why(told_cast: Cast, catalogue: Catalogue) -> None:
    row = support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    row.roles.clear()
    claim(told_cast.charlie, given)
    [message] = new_mails()
    assert to_whom([message]) == ["bob"]
    assert "the rules said no: Nobody delegated this role to the person." in message.body


@pytest.mark.parametrize("who", [None, "charlie"])
def test_what_only_comes_too_late_or_signed_out_makes_no_mail(
    told_cast: Cast, catalogue: Catalogue, who: str | None
) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    Handout.objects.update(expires_at=timezone.now())
    new_mails()
    claim(told_cast.charlie if who else None, given)
    assert new_mails() == []


def test_where_aws_issued_nothing_both_hear_that_it_was_given_back(
    told_cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    sts.fault("access_denied")
    claim(told_cast.charlie, given)
    mails = new_mails()
    assert to_whom(mails) == ["bob", "charlie"]
    assert all("AWS issued nothing" in message.subject for message in mails)
    assert all("given back" in message.body for message in mails)
    assert "AccessDenied" not in "".join(str(message.body) for message in mails), "AWS's words are for admins"


def test_where_nobody_knows_both_hear_it_and_the_issuer_what_to_look_for(
    told_cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    sts.fault("reset_after_mint")
    claim(told_cast.charlie, given)
    mails = new_mails()
    issuance = Issuance.objects.get()
    assert (issuance.status, to_whom(mails)) == ("unknown", ["bob", "charlie"])
    assert f"The session name to look for in CloudTrail: {issuance.session_name}\n" in mails[0].body
    assert issuance.session_name.startswith("charlie+bob-")
    assert mails[1].body.endswith(f"http://localhost:8000/sessions/{issuance.id}/\n")


def test_a_claim_that_lost_its_worker_is_told_to_both(told_cast: Cast, catalogue: Catalogue) -> None:
    given = claimed_by_a_worker_that_died(told_cast, catalogue)
    new_mails()
    reap_stale_intents(alongside=claims.write_burned)
    mails = new_mails()
    assert to_whom(mails) == ["bob", "charlie"]
    assert mails[0].subject.startswith("Nobody knows whether AWS issued")
    assert Handout.objects.get(pk=given).state == "claimed", "it is never claimable again"


def claimed_by_a_worker_that_died(cast: Cast, catalogue: Catalogue) -> str:
    """Hand out, and leave a claim's intent of a minute ago without its outcome."""
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    Issuance.objects.create(
        id="4k9zq2h7m3xw",
        submission="of-a-worker-that-died",
        actor_id=cast.charlie.pk,
        actor_handle="charlie",
        role_id=catalogue.read_only.id,
        session_name="charlie+bob-4k9zq2h7m3xw",
        status="requested",
        duration_asked=timedelta(hours=1),
        requested_at=timezone.now() - timedelta(minutes=1),
    )
    Handout.objects.update(state="claimed", issuance_id="4k9zq2h7m3xw", claimed_at=timezone.now())
    return given.handout.id


def test_the_issuer_alone_hears_that_nobody_claimed(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    Handout.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    handout_changes.expire_overdue(now=timezone.now())
    [message] = new_mails()
    assert (message.to, message.subject) == (
        ["bob@example.com"],
        "Charlie Novak did not claim PaymentsReadOnly in payments-prod (production)",
    )


@pytest.mark.parametrize(("who", "to"), [("bob", ["charlie"]), ("dana", ["bob", "charlie"])])
def test_a_cancelled_hand_out_is_told_to_the_recipient_and_to_an_issuer_who_did_not_do_it(
    told_cast: Cast, catalogue: Catalogue, who: str, to: list[str]
) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    person: User = getattr(told_cast, who)
    handout_changes.cancel(user=fresh(person), handout=given.handout, origin=ORIGIN, now=timezone.now())
    assert to_whom(new_mails()) == to


def test_this_was_not_me_alarms_issuer_and_admins(told_cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    claim(told_cast.charlie, given)
    new_mails()
    report(token=token_of(given), user=fresh(told_cast.charlie), origin=ORIGIN, now=timezone.now())
    mails = new_mails()
    assert to_whom(mails) == ["bob", "dana"]
    assert "Charlie Novak reported that a claim of this hand-out was not theirs" in mails[0].body


def test_an_issuer_who_is_an_admin_too_gets_one_mail(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    told_cast.bob.groups.add(*told_cast.dana.groups.all())
    new_mails()
    claim(told_cast.alice, given)
    assert to_whom(new_mails()) == ["bob", "dana"]


def test_whoever_has_no_address_or_is_switched_off_gets_no_mail(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    User.objects.filter(handle="charlie").update(email="")
    User.objects.filter(handle="dana").update(is_active=False)
    assert new_mails() == []
    claim(told_cast.alice, given)
    assert to_whom(new_mails()) == ["bob"]


def test_the_first_run_tells_nothing_of_the_past(cast: Cast, catalogue: Catalogue) -> None:
    give_addresses(cast)
    support(cast, catalogue.read_only)
    handed_out(cast.bob, catalogue.read_only, cast.charlie)
    assert new_mails() == []
    handed_out(cast.bob, catalogue.read_only, cast.charlie, submission="another-submission")
    assert to_whom(new_mails()) == ["charlie"]


def test_what_happens_while_mail_is_off_is_never_told(
    told_cast: Cast, catalogue: Catalogue, settings: Settings
) -> None:
    support(told_cast, catalogue.read_only)
    settings.MAIL_IS_ON = False
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    assert new_mails() == []
    settings.MAIL_IS_ON = True
    assert new_mails() == []


def test_a_hand_out_whose_time_is_over_is_not_announced(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    Handout.objects.update(expires_at=timezone.now())
    assert new_mails() == []


def test_times_are_the_readers_own(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    User.objects.filter(handle="charlie").update(time_zone="Asia/Kolkata")
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    [message] = new_mails()
    assert re.search(r"Claim it by: \d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d \(Asia/Kolkata\)\n", str(message.body))


@pytest.mark.parametrize(
    "name", ["Bob\r\nBcc: mallory@example.com", "Bob\u2028Osei", "B" * 150, "Bob \u202eieso", "<b>"]
)
def test_no_name_gets_a_line_or_a_header_of_its_own(told_cast: Cast, catalogue: Catalogue, name: str) -> None:
    support(told_cast, catalogue.read_only)
    User.objects.filter(handle="bob").update(name=name)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, reason=f"Look {name[:50]}")
    [message] = new_mails()
    raw = message.message()
    assert raw["Bcc"] is None
    assert raw["To"] == "charlie@example.com"
    assert len(message.subject) <= 150
    assert message.subject.isprintable()
    assert all(line.isprintable() for line in message.body.split("\n"))
    assert "\nBcc:" not in message.body
    assert "&lt;" not in message.body


def test_mails_say_that_a_machine_sent_them_and_a_second_copy_has_the_same_name(
    told_cast: Cast, catalogue: Catalogue
) -> None:
    support(told_cast, catalogue.read_only)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    [first] = new_mails()
    begin_before_the_last()
    [second] = new_mails()
    assert first.message()["Auto-Submitted"] == "auto-generated"
    assert first.message()["Message-ID"] == second.message()["Message-ID"]


def begin_before_the_last() -> None:
    Progress.objects.filter(reader="notices").update(through=0)


def test_no_mail_of_a_whole_life_holds_a_token_a_code_or_a_secret(
    told_cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(told_cast, catalogue.read_only, outsider_minutes=30)
    mails: list[Any] = []
    tokens, codes = [], []
    whom: list[User | Addressee] = [told_cast.charlie, VENDOR, Addressee(name="Vic", email="vic@vendor.example")]
    for number, to in enumerate(whom):
        given = handed_out(told_cast.bob, catalogue.read_only, to, minutes=30, submission=f"submission-{number:06}")
        claim(told_cast.alice, given)
        answer = handout_changes.make_link(
            user=fresh(told_cast.bob), handout=given.handout, origin=ORIGIN, now=timezone.now()
        )
        if given.code:
            claim(None, answer, code="wrong")  # type: ignore[arg-type]
        sts.fault("access_denied")
        for _ in range(2):
            claim(told_cast.charlie if not given.code else None, answer, code=answer.code)  # type: ignore[union-attr, arg-type]
        tokens += [token_of(given), token_of(answer)]  # type: ignore[arg-type]
        codes += [code for code in (given.code, answer.code) if code]  # type: ignore[union-attr]
        mails += new_mails()
    text = "\n".join(f"{message.message()}\n{message.subject}\n{message.body}" for message in mails).encode()
    assert len(mails) > 10
    secrets = [secret for mint in sts.ledger.mints for secret in (mint.secret_access_key, mint.session_token)]
    assert len(secrets) == 6
    assert found([*tokens, *secrets], {"mails": text}) == []
    assert not [code for code in codes if code.encode() in text]
    assert found(tokens[:1], {"planted": text + tokens[0].encode()}) == ["planted"], "the scanner is awake"


def test_the_portal_waits_for_nobody_where_nothing_is_new(told_cast: Cast, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert run().fault == "", "no connection is made for nothing"


def test_the_link_is_mailed_where_the_issuer_chose_so_and_then_no_notice_follows(
    told_cast: Cast, catalogue: Catalogue
) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, mail_link=True)
    [message] = mail.outbox
    assert given.mailed is True
    assert (message.to, given.address in message.body) == (["charlie@example.com"], True)
    assert given.address not in message.subject
    assert Event.objects.get(kind="handout:made").detail["after"]["mailed"] == "the link"
    assert new_mails() == []


def test_the_code_never_travels_with_the_link(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(told_cast.bob, catalogue.read_only, VENDOR, minutes=30, mail_link=True)
    [message] = mail.outbox
    assert given.address in message.body
    assert given.code not in str(message.message())


def test_a_link_that_could_not_be_mailed_is_told_and_undoes_nothing(
    told_cast: Cast, catalogue: Catalogue, settings: Settings
) -> None:
    support(told_cast, catalogue.read_only)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, mail_link=True)
    assert (given.mailed, Handout.objects.get().state) == (False, "open")


def test_without_an_address_no_link_is_mailed(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    User.objects.filter(handle="charlie").update(email="")
    assert handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, mail_link=True).mailed is False
    assert mail.outbox == []


def test_a_new_link_can_be_mailed_too(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    assert given.mailed is None
    answer = handout_changes.make_link(
        user=fresh(told_cast.bob), handout=given.handout, origin=Origin(), now=timezone.now(), mail_link=True
    )
    [message] = mail.outbox
    assert answer.mailed is True  # type: ignore[union-attr]
    assert answer.address in str(message.body)  # type: ignore[union-attr]
    assert Event.objects.get(kind="handout:linked").detail["after"] == {"mailed": "the link"}


def test_a_refused_hand_out_mails_nothing(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    hand_out(told_cast.bob, catalogue.read_only, told_cast.bob, mail_link=True)
    assert mail.outbox == []
    assert new_mails() == []


def test_beginning_twice_is_beginning_once(told_cast: Cast) -> None:
    begin()
    assert run().sent == 0
