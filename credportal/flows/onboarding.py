"""What the texts that let the portal into a role are made of: the role, its account, who the portal is. All read."""

from dataclasses import dataclass

from django.conf import settings

from credportal.access.models import Role
from credportal.domain.naming import is_role_arn
from credportal.domain.trust import Principal, TrustSubject, is_external_id, principal_problem
from credportal.domain.types import Identity
from credportal.flows.identity import portal_identity


@dataclass(frozen=True, slots=True)
class Onboarding:
    """A role that is about to trust the portal. ``neighbours`` are the ARNs of its account's enabled roles.

    ``is_told`` says that the principal comes from a setting and not from AWS, which leaves a role's path out.
    """

    role: Role
    identity: Identity
    is_told: bool
    neighbours: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return what people call the role, also where its ARN is none."""
        return self.role.label or self.role.arn.rpartition("/")[2]

    @property
    def problem(self) -> str:
        """Say why no policy can be written for this role; empty where one can."""
        if not is_role_arn(self.role.arn):
            return "What the catalogue holds for this role is not the ARN of one IAM role. Mend it there first."
        if not is_external_id(self.role.account.external_id):
            return "AWS would not take this account’s ExternalId. Tell whoever looks after the portal’s database."
        if not self.identity.principal:
            return ""
        return principal_problem(self.identity.principal, self.role.partition)

    def subject(self, principal: str) -> TrustSubject:
        """Return what the policies are made of. Raises ValueError where there is a problem."""
        return TrustSubject(
            role_id=self.role.id,
            role_arn=self.role.arn,
            max_session_duration=self.role.max_session_duration,
            principal=Principal(principal),
            external_id=self.role.account.external_id,
            neighbours=self.neighbours,
        )


def role_to_onboard(role_id: str) -> Onboarding | None:
    """Return the role with what its trust policy needs, None where the catalogue has no such role. AWS is not asked."""
    role = Role.objects.select_related("account").filter(id=role_id).first()
    if role is None:
        return None
    arns = Role.objects.filter(account_id=role.account_id, enabled=True).order_by("arn").values_list("arn", flat=True)
    return Onboarding(
        role=role,
        identity=portal_identity(),
        is_told=bool(settings.PRINCIPAL),
        neighbours=tuple(arn for arn in arns if is_role_arn(arn)),
    )
