"""What pages say about an event of the audit."""

from credportal.audit.models import Event, EventKind
from credportal.web.templatetags.history import EVENTS, event_lines, event_words


def test_every_kind_has_words_and_a_retired_one_says_its_name() -> None:
    assert list(EVENTS) == [kind.value for kind in EventKind]
    assert event_words("issuance:issued") == "Issued by AWS"
    assert event_words("issuance:melted") == "issuance:melted"


def test_what_allowed_a_request_is_told_from_the_source_and_the_row() -> None:
    event = Event(source="standard", detail={"eligibility": "the group engineers, up to 4 h"})
    assert event_lines(event) == ["Allowed: standard, the group engineers, up to 4 h"]


def test_a_refusal_tells_the_rows_that_were_tried_and_the_sentence_of_its_code() -> None:
    event = Event(code="duration_too_long", detail={"tried": ["the group engineers: too long"]})
    assert event_lines(event) == ["the group engineers: too long", "Longer than allowed"]


def test_a_refused_sign_in_tells_why() -> None:
    assert event_lines(Event(code="throttled")) == ["Too many tries, so this one was not looked at"]


def test_a_change_tells_before_and_after() -> None:
    change = {"before": {"max_duration": "4 h", "note": ""}, "after": {"max_duration": "8 h", "joined": ["bob"]}}
    assert event_lines(Event(detail=change)) == ["max duration: 4 h → 8 h", "note: none → none", "joined: bob"]
