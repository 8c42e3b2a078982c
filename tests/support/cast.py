"""One cast and one small catalogue for every test.

Alice is an engineer and may. Bob is support. Charlie is an engineer without rights. Dana
is an admin. Erin is an auditor.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group

from credportal.access.models import Account, Eligibility, GroupDuty, Role, User
from credportal.domain.types import Duty

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Cast:
    alice: User
    bob: User
    charlie: User
    dana: User
    erin: User


@dataclass(frozen=True)
class Catalogue:
    """Three accounts; the roles that tests name."""

    production: Account
    staging: Account
    sandbox: Account
    read_only: Role
    on_call: Role
    deployer: Role
    administrator: Role
    nobody: Role
    engineers: Group
    support: Group


def make_person(username: str, name: str, **fields: Any) -> User:
    return User.objects.create_user(username=username, password=PASSWORD, name=name, **fields)


def give_duties(group_name: str, duties: tuple[Duty, ...], *people: User) -> Group:
    """Put people into a group that gives these duties."""
    group, _ = Group.objects.get_or_create(name=group_name)
    for duty in duties:
        GroupDuty.objects.get_or_create(group=group, duty=duty.value)
    group.user_set.add(*people)
    return group


def make_cast() -> Cast:
    cast = Cast(
        alice=make_person("alice", "Alice Engström"),
        bob=make_person("bob", "Bob Osei"),
        charlie=make_person("charlie", "Charlie Novak"),
        dana=make_person("dana", "Dana Haddad"),
        erin=make_person("erin", "Erin Kowalski"),
    )
    give_duties("admins", (Duty.CATALOGUE_ADMIN, Duty.USER_ADMIN), cast.dana)
    give_duties("auditors", (Duty.AUDITOR,), cast.erin)
    return cast


def make_role(account: Account, name: str, **fields: object) -> Role:
    """Make a role; the usual one lasts up to 12 hours and takes source identity and tags."""
    usual: dict[str, object] = {
        "max_session_duration": timedelta(hours=12),
        "default_region": "eu-west-1",
        "accepts_source_identity": True,
        "accepts_session_tags": True,
    }
    arn = f"arn:aws:iam::{account.number}:role/{name}"
    return Role.objects.create(account=account, arn=arn, **{**usual, **fields})


def allow(role: Role, holder: Group | User, *, hours: float = 4, needs_reason: bool = False) -> Eligibility:
    """Make one eligibility."""
    whom = {"group": holder} if isinstance(holder, Group) else {"user": holder}
    return Eligibility.objects.create(role=role, max_duration=timedelta(hours=hours), needs_reason=needs_reason, **whom)


def make_catalogue(cast: Cast) -> Catalogue:
    production = Account.objects.create(
        number="491200653381", name="payments-prod", environment="production", owner="Payments Platform"
    )
    staging = Account.objects.create(number="118840276615", name="payments-staging", environment="staging")
    sandbox = Account.objects.create(number="602217449035", name="sandbox", environment="sandbox")
    engineers = Group.objects.create(name="engineers")
    support = Group.objects.create(name="support")
    engineers.user_set.add(cast.alice)
    support.user_set.add(cast.bob)
    catalogue = Catalogue(
        production=production,
        staging=staging,
        sandbox=sandbox,
        read_only=make_role(production, "PaymentsReadOnly", description="Look at everything, change nothing."),
        on_call=make_role(production, "PaymentsOnCall", description="Restart services, drain queues, read logs."),
        deployer=make_role(staging, "Deployer", description="Deploy and roll back."),
        administrator=make_role(sandbox, "Administrator", description="Yours to break."),
        nobody=make_role(production, "NobodyMayHaveThis"),
        engineers=engineers,
        support=support,
    )
    allow(catalogue.read_only, engineers, hours=4)
    allow(catalogue.on_call, engineers, hours=2, needs_reason=True)
    allow(catalogue.deployer, engineers, hours=8)
    allow(catalogue.administrator, cast.alice, hours=12)
    allow(catalogue.read_only, support, hours=1)
    return catalogue
