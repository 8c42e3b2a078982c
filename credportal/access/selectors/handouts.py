"""Reads of hand-outs and delegations. Every list is bounded."""

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from credportal.access.models import Delegation, Handout, Role, User
from credportal.access.selectors.facts import actor_of, chaining_ceiling, group_names, role_facts
from credportal.access.selectors.rota import rotas_on_duty
from credportal.domain.handouts import (
    DAY,
    DelegationFacts,
    HandoutFacts,
    HandoutRequest,
    HandoutState,
    Issuer,
    Recipient,
)
from credportal.domain.naming import outsider_handle_for
from credportal.domain.types import Actor, Duty


def handout(handout_id: str) -> Handout | None:
    """Return one hand-out with its role, issuer and recipient."""
    return _handouts().filter(id=handout_id).first()


def handout_with(token_hash: str) -> Handout | None:
    """Return the hand-out whose link has the token of this hash."""
    return _handouts().filter(token_hash=token_hash).first()


def handout_of_submission(issuer: User, submission: str) -> Handout | None:
    """Return the hand-out that this person's rendered form has made."""
    return _handouts().filter(issuer=issuer, submission=submission).first()


def handout_of_issuance(issuance_id: str) -> Handout | None:
    """Return the hand-out that was claimed by this issuance."""
    return _handouts().filter(~Q(issuance_id=""), issuance_id=issuance_id).first()


def open_handouts_of(issuer: User) -> list[Handout]:
    """Return all of one issuer's hand-outs that nobody has claimed or ended."""
    return list(_handouts().filter(issuer=issuer, state=HandoutState.OPEN).order_by("made_at", "id"))


def overdue_handouts(*, now: datetime, most: int = 1000) -> list[Handout]:
    """Return the open hand-outs whose window is over."""
    return list(_handouts().filter(state=HandoutState.OPEN, expires_at__lte=now).order_by("expires_at", "id")[:most])


def stranded_handouts() -> list[Handout]:
    """Return the open hand-outs whose issuer may hand out nothing any more, or whose recipient is switched off."""
    support = User.objects.filter(is_active=True, groups__duties__duty=Duty.SUPPORT.value).order_by().values("pk")
    still_open = _handouts().filter(state=HandoutState.OPEN)
    return list(still_open.filter(Q(recipient__is_active=False) | ~Q(issuer__in=support)).order_by("made_at", "id"))


def is_over(found: Handout, now: datetime) -> bool:
    """Tell whether an open hand-out has reached its end, whether or not housekeeping has seen it."""
    return found.state == HandoutState.OPEN and now >= found.expires_at


def state_of(found: Handout, now: datetime) -> HandoutState:
    """Return where a hand-out stands by the clock."""
    return HandoutState.EXPIRED if is_over(found, now) else HandoutState(found.state)


def request_in(found: Handout) -> HandoutRequest:
    """Return what was handed out, as a value."""
    return HandoutRequest(
        role_id=found.role_id,
        duration=found.duration,
        window=found.expires_at - found.made_at,
        reason=found.reason,
        ticket=found.ticket,
        read_only=found.read_only,
        region=found.region,
        from_claim_address=found.from_claim_address,
    )


def recipient_of(found: Handout) -> Recipient:
    """Return for whom a hand-out is, as a value."""
    if found.recipient is not None:
        return colleague(found.recipient)
    return outsider(found.outsider_name, found.outsider_email)


def colleague(user: User) -> Recipient:
    """Return a user of the portal as a recipient."""
    return Recipient(actor_of(user), groups=frozenset(group_names(user)))


def outsider(name: str, email: str) -> Recipient:
    """Return somebody who is no user of the portal as a recipient. A user who is switched off is no outsider either."""
    users = set(User.objects.filter(email__iexact=email).values_list("is_active", flat=True))
    actor = Actor(id=0, handle=outsider_handle_for(email), name=name, is_active=users != {False})
    return Recipient(actor, is_outsider=True, is_colleague_by_email=True in users)


def facts_to_hand_out(
    issuer: User, role_id: str, recipient: Recipient | None, *, now: datetime, signed_in_at: datetime | None = None
) -> HandoutFacts:
    """Gather what ``decide_handout`` needs, but for the portal's identity, which nobody asks AWS for in between."""
    role, rows = _role_and_rows(issuer, role_id)
    return _facts(issuer, recipient, role, _facts_of(rows, issuer, now), signed_in_at)


def facts_to_claim(issuer: User, role_id: str, recipient: Recipient) -> HandoutFacts:
    """Gather what ``decide_claim`` needs likewise. Counts and duty were asked for when it was handed out."""
    role, rows = _role_and_rows(issuer, role_id)
    uncounted = tuple(delegation_facts(row) for row in rows)
    return _facts(issuer, recipient, role, uncounted, None)


def _role_and_rows(issuer: User, role_id: str) -> tuple[Role | None, list[Delegation]]:
    role = Role.objects.select_related("account", "approvers").filter(id=role_id).first()
    return role, [] if role is None else list(_delegations_of(issuer).filter(roles=role))


def _facts(
    issuer: User,
    recipient: Recipient | None,
    role: Role | None,
    delegations: tuple[DelegationFacts, ...],
    signed_in_at: datetime | None,
) -> HandoutFacts:
    return HandoutFacts(
        issuer=Issuer(actor_of(issuer), issuer.is_support, issuer.email, signed_in_at),
        recipient=recipient,
        role=role_facts(role) if role else None,
        delegations=delegations,
        chaining_ceiling=chaining_ceiling(),
    )


def delegated_to(issuer: User, *, now: datetime) -> list[tuple[Role, tuple[DelegationFacts, ...]]]:
    """Return the enabled roles that this person may hand out, each with their rows for it: three statements."""
    delegations = list(_delegations_of(issuer).prefetch_related("roles__account", "roles__approvers"))
    facts = {row.id: row for row in _facts_of(delegations, issuer, now)}
    roles: dict[str, tuple[Role, list[DelegationFacts]]] = {}
    for delegation in delegations:
        for role in delegation.roles.all():
            if role.enabled and role.account.enabled:
                roles.setdefault(role.id, (role, []))[1].append(facts[delegation.pk])
    ordered = sorted(roles.values(), key=lambda found: (found[0].account.name, found[0].name, found[0].id))
    return [(role, tuple(rows)) for role, rows in ordered]


def _facts_of(rows: list[Delegation], issuer: User, now: datetime) -> tuple[DelegationFacts, ...]:
    """Return delegations as values, with the counts of this issuer's hand-outs: one statement.

    One more asks whether the issuer is on duty, where a delegation depends on that.
    """
    counted = {}
    if rows:
        counts = (
            Handout.objects.filter(issuer=issuer, delegation__in=rows)
            .values("delegation")
            .order_by()
            .annotate(
                open_now=Count("id", filter=Q(state=HandoutState.OPEN, expires_at__gt=now)),
                made_lately=Count("id", filter=Q(made_at__gt=now - DAY)),
            )
        )
        counted = {row["delegation"]: (row["open_now"], row["made_lately"]) for row in counts}
    duty = rotas_on_duty(issuer, {row.rota for row in rows if row.rota}, now=now)
    return tuple(delegation_facts(row, *counted.get(row.pk, (0, 0)), duty=duty) for row in rows)


def delegation_facts(
    row: Delegation, open_now: int = 0, made_lately: int = 0, *, duty: frozenset[int] = frozenset()
) -> DelegationFacts:
    """Return a delegation as a value, with counts and the ids of the rotas that have the issuer on duty."""
    return DelegationFacts(
        id=row.pk,
        name=row.name,
        group=row.group.name if row.group else "",
        max_duration=row.max_duration,
        max_open=row.max_open,
        max_per_day=row.max_per_day,
        outsider_duration=row.outsider_duration,
        recipients=row.recipients.name if row.recipients else "",
        rota=row.rota.name if row.rota else "",
        on_duty=row.rota_id is None or row.rota_id in duty,
        open_now=open_now,
        made_lately=made_lately,
    )


def _delegations_of(issuer: User) -> QuerySet[Delegation]:
    """Return the rows that name this person or a group of theirs."""
    groups = issuer.groups.order_by().values("id")
    return Delegation.objects.select_related("group", "recipients", "rota").filter(Q(user=issuer) | Q(group__in=groups))


def _handouts() -> QuerySet[Handout]:
    return Handout.objects.select_related("issuer", "recipient", "role__account", "ended_by")
