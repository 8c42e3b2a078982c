"""What a trust policy is to ask for. The choices live in the URL, so a page of texts is a link."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from credportal.domain.naming import ROLE_ARN_MAX_LENGTH
from credportal.domain.trust import Reach, TrustOptions, principal_problem

REACHES = [(Reach.ROLE.value, "this role"), (Reach.ACCOUNT.value, "every role of the catalogue in this account")]
USUAL = {"external_id": "on", "tags": "on", "source_identity": "on", "reach": Reach.ROLE.value}


class TrustForm(forms.Form):
    """Three switches, all on until somebody sends the form, and how far the portal's own policy reaches.

    The portal's principal is a field only where the portal does not know it: the argument is then empty. Unbound,
    and so without errors, where nothing was asked yet and the principal is missing.
    """

    external_id = forms.BooleanField(
        required=False,
        label="Ask for the ExternalId",
        help_text="The portal made it for this account and always sends it. Leave it on.",
    )
    tags = forms.BooleanField(
        required=False,
        label="Allow session tags",
        help_text="Issuance, ticket and who issued it, for CloudTrail and for policies.",
    )
    source_identity = forms.BooleanField(
        required=False,
        label="Allow a source identity",
        help_text="The person’s handle, which stays with the session through further roles.",
    )
    reach = forms.ChoiceField(
        choices=REACHES,
        widget=forms.RadioSelect,
        label="The portal’s own policy covers",
        error_messages={"invalid_choice": "Choose this role or every role of the account."},
    )
    principal = forms.CharField(
        max_length=ROLE_ARN_MAX_LENGTH,
        label="ARN of the portal’s own role or user",
        help_text="It is used for these texts only, and kept nowhere.",
        error_messages={"required": "Write the ARN of the portal’s own role or user."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "autocapitalize": "none",
                "placeholder": "arn:aws:iam::111122223333:role/credportal",
            }
        ),
    )

    def __init__(self, query: QueryDict, *, principal: str, partition: str) -> None:
        asked: dict[str, Any] = query.dict()
        # A sent form leaves out what is switched off; it always brings the reach along.
        choices = asked if "reach" in asked else {**USUAL, **asked}
        # Where only the principal is missing nobody made a mistake yet.
        super().__init__(choices if principal or asked else None, initial=USUAL)
        self._principal = principal
        self._partition = partition
        if principal:
            del self.fields["principal"]

    def clean_principal(self) -> str:
        """Refuse what cannot be the portal in this role's partition."""
        typed = str(self.cleaned_data["principal"])
        problem = principal_problem(typed, self._partition)
        if problem:
            raise ValidationError(problem)
        return typed

    def options(self) -> TrustOptions:
        """Return the valid switches as a value."""
        return TrustOptions(**{name: self.cleaned_data[name] for name in ("external_id", "tags", "source_identity")})

    def reach_asked(self) -> Reach:
        """Return for what the portal's own policy is written."""
        return Reach(self.cleaned_data["reach"])

    def principal_asked(self) -> str:
        """Return the portal's principal, known or typed."""
        return self._principal or str(self.cleaned_data["principal"])
