"""The values that every layer passes around. Frozen, typed, free of I/O.

The words are those of docs/architecture.md and of the AWS documentation. Above
``flows/`` a refusal and an outside failure are values from this module too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NoReturn


class Environment(StrEnum):
    """What an account is for. Production stands out wherever it is shown."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    SANDBOX = "sandbox"


class Status(StrEnum):
    """The state of one issuance. Only ``requested`` may still change."""

    REQUESTED = "requested"
    DENIED = "denied"
    ISSUED = "issued"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """What a grant rests on."""

    STANDARD = "standard"
    APPROVAL = "approval"
    BREAK_GLASS = "break-glass"
    HANDOUT = "hand-out"


class Duty(StrEnum):
    """What a group lets its members do in the portal itself, beside the roles that it gives.

    Two more come without a duty: everybody with an eligibility is an engineer, and the
    members of a role's group of approvers are its approvers.
    """

    SUPPORT = "support"
    AUDITOR = "auditor"
    CATALOGUE_ADMIN = "catalogue-admin"
    USER_ADMIN = "user-admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts: their database id, handle, name, and whether they may sign in.

    An outsider, who claims a hand-out without being a user of the portal, has the id 0.
    """

    id: int
    handle: str
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an HTTP request came from, as the trusted proxies tell it. Text, already capped."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


class Preset(StrEnum):
    """The session-policy presets by which a person may narrow one session."""

    READ_ONLY = "read-only"
    MY_ADDRESS = "my-address"
    ONE_REGION = "one-region"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a person gives up for one session. ``address`` is an IP address, ``region`` an AWS region."""

    read_only: bool = False
    address: str = ""
    region: str = ""

    def __bool__(self) -> bool:
        """Tell whether anything is narrowed at all."""
        return bool(self.presets)

    @property
    def presets(self) -> frozenset[Preset]:
        """Return the presets that are in use."""
        used = {Preset.READ_ONLY: self.read_only, Preset.MY_ADDRESS: self.address, Preset.ONE_REGION: self.region}
        return frozenset(preset for preset, value in used.items() if value)


@dataclass(frozen=True, slots=True)
class IssuanceRequest:
    """What a person asked for. ``submission`` is the one-time id of the rendered form.

    ``break_glass`` says by which address the request came. It is never a field of a form.
    """

    role_id: str
    duration: timedelta
    reason: str = ""
    ticket: str = ""
    narrowing: Narrowing = field(default_factory=Narrowing)
    submission: str = ""
    break_glass: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What a request has to bring along. ``ticket`` takes part where a ticket has to be named."""

    reason: bool = False
    ticket: bool = False
    approval: bool = False
    step_up: bool = False

    def __or__(self, other: Needs) -> Needs:
        """Add up what two places ask for: a role and one of its rows."""
        return Needs(
            reason=self.reason or other.reason,
            ticket=self.ticket or other.ticket,
            approval=self.approval or other.approval,
            step_up=self.step_up or other.step_up,
        )


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role of the catalogue with what its account adds.

    ``name`` is the label that an admin gave it, or the last segment of its ARN. ``enabled`` takes
    both the role's switch and its account's. ``ticket_pattern`` is empty where any ticket will do.
    ``narrowings`` names the session-policy presets that may be asked for. ``approvers`` is the name of
    the group that approves, empty where there is none. ``outsider_duration`` is the longest duration that may be
    handed out to somebody outside of the portal, None where that is not allowed at all.
    """

    id: str
    arn: str
    name: str
    description: str
    account_number: str
    account_name: str
    account_owner: str
    environment: Environment
    enabled: bool
    max_session_duration: timedelta
    default_region: str
    external_id: str = field(repr=False)
    accepts_source_identity: bool
    accepts_session_tags: bool
    needs: Needs = field(default_factory=Needs)
    ticket_pattern: str = ""
    narrowings: frozenset[Preset] = frozenset(Preset)
    approvers: str = ""
    approvals_needed: int = 1
    tags: tuple[str, ...] = ()
    outsider_duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class EligibilityFacts:
    """One row that may allow a person a role. ``group`` is empty where the row names the person.

    ``break_glass_duration`` is the longest duration by break-glass, None where the row does not allow that.
    """

    id: int
    group: str
    max_duration: timedelta
    needs: Needs = field(default_factory=Needs)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    break_glass_duration: timedelta | None = None

    @property
    def holder(self) -> str:
        """Who the row names, in words: ``the group engineers`` or ``you``."""
        return f"the group {self.group}" if self.group else "you"


@dataclass(frozen=True, slots=True)
class Approved:
    """What approvers agreed to: up to ``max_duration``, for this request. ``by`` names them in words."""

    id: str
    max_duration: timedelta
    by: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the portal itself is for AWS. ``principal`` is the ARN that trust policies name, empty where unknown."""

    partition: str = ""
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that ``decide`` may know. ``role`` is None where the catalogue has no such role.

    ``chaining_ceiling`` is one hour where the portal itself runs on a role session
    (AWS calls that role chaining), None where it does not. ``signed_in_at`` is when the
    person last proved who they are, None where that is not known. ``approved`` is there
    only when an approved request is collected. ``open_review`` says that an earlier
    break-glass of this person waits for its review.
    """

    actor: Actor
    role: RoleFacts | None
    eligibilities: tuple[EligibilityFacts, ...]
    chaining_ceiling: timedelta | None
    identity: Identity = field(default_factory=Identity)
    signed_in_at: datetime | None = None
    approved: Approved | None = None
    open_review: bool = False


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """AssumeRole's arguments in our words. ``session_policy`` is compact JSON or empty."""

    role_arn: str
    session_name: str
    duration: timedelta
    external_id: str = field(repr=False)
    source_identity: str = ""
    session_tags: tuple[tuple[str, str], ...] = ()
    session_policy: str = ""
    session_policy_arns: tuple[str, ...] = ()


class DenialReason(StrEnum):
    """Why the rule book says no. The sentences stand in ``refusals.py``."""

    INACTIVE = "person_inactive"
    NOT_ELIGIBLE = "not_eligible"
    ROLE_DISABLED = "role_disabled"
    DURATION_TOO_SHORT = "duration_too_short"
    DURATION_TOO_LONG = "duration_too_long"
    REASON_REQUIRED = "reason_required"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"
    ROLE_UNFIT = "role_unfit"
    NARROWING_NOT_ALLOWED = "narrowing_not_allowed"
    TICKET_REQUIRED = "ticket_required"
    TICKET_MALFORMED = "ticket_malformed"
    STEP_UP_REQUIRED = "step_up_required"
    NO_APPROVERS = "no_approvers"
    NO_BREAK_GLASS = "no_break_glass"
    REVIEW_OPEN = "review_open"
    NOT_DELEGATED = "not_delegated"
    HANDOUT_TO_SELF = "handout_to_self"
    RECIPIENT_UNKNOWN = "recipient_unknown"
    RECIPIENT_INACTIVE = "recipient_inactive"
    RECIPIENT_IS_COLLEAGUE = "recipient_is_colleague"
    RECIPIENT_NOT_ALLOWED = "recipient_not_allowed"
    OUTSIDERS_NOT_ALLOWED = "outsiders_not_allowed"
    APPROVAL_NOT_HANDED_OUT = "approval_not_handed_out"
    WINDOW_TOO_SHORT = "window_too_short"
    WINDOW_TOO_LONG = "window_too_long"
    TOO_MANY_OPEN = "too_many_open"
    TOO_MANY_TODAY = "too_many_today"
    OFF_DUTY = "off_duty"
    ISSUER_GONE = "issuer_gone"


@dataclass(frozen=True, slots=True)
class TriedRow:
    """One eligibility that was tried, and why it did not allow the whole request."""

    eligibility: EligibilityFacts
    reason: DenialReason
    why: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The rule book says yes: with this session spec, because of this row. ``approval_id`` names what was collected."""

    spec: SessionSpec
    source: Source
    eligibility: EligibilityFacts
    approval_id: str = ""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """The rule book says: this row would allow all of it, once the role's approvers agree."""

    eligibility: EligibilityFacts


@dataclass(frozen=True, slots=True)
class Denied:
    """The rule book says no. ``longest`` is what would have been allowed, where anything would."""

    reason: DenialReason
    why: str
    next_step: str
    tried: tuple[TriedRow, ...] = ()
    longest: timedelta | None = None


class Credentials:
    """Temporary credentials: access key id, secret access key, session token, aware UTC expiration.

    They live in one response only. The repr shows no secret and pickling is refused,
    so that a log line, a traceback, a cache or a queue cannot keep them.
    """

    __slots__ = ("access_key_id", "expiration", "secret_access_key", "session_token")

    def __init__(self, *, access_key_id: str, secret_access_key: str, session_token: str, expiration: datetime) -> None:
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token
        self.expiration = expiration

    def __repr__(self) -> str:
        return f"<Credentials {self.access_key_id} until {self.expiration:%Y-%m-%dT%H:%M:%SZ}, secrets withheld>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("Credentials are never pickled or copied: they live in one response.")


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A validated answer of AssumeRole. ``packed_policy_size`` is a percentage, None where STS does not tell."""

    credentials: Credentials
    assumed_role_id: str
    assumed_role_arn: str
    aws_request_id: str
    packed_policy_size: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An outside failure as a value: one message for the person, one for the log and admins.

    ``status`` is the HTTP status of our answer. ``outcome`` is ``failed`` where nothing
    can have been minted and ``unknown`` where STS may have minted. ``may_retry`` tells
    whether the portal itself may try once more. ``aws_words`` is AWS's own text: it
    names ARNs, so only admins and the log may see it.
    """

    code: str
    status: int
    outcome: Status
    headline: str
    why: str
    next_step: str
    may_retry: bool = False
    aws_code: str = ""
    aws_words: str = ""
    aws_request_id: str = ""
