"""The form of a role."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from credportal.access import selectors as access
from credportal.access.models import Role
from credportal.access.models.catalogue import MOST_APPROVALS
from credportal.domain.durations import describe_duration
from credportal.domain.naming import account_number_from, arn_problem, is_role_arn
from credportal.domain.tickets import pattern_problem, ticket_example
from credportal.domain.types import Environment
from credportal.flows.identity import portal_identity
from credportal.flows.regions import regions_for, regions_in
from credportal.web.forms.catalogue.rows import Row, RowForm
from credportal.web.forms.fields import DurationField, LineField, NameField

USUAL_PARTITION = "aws"
OUTSIDERS = (
    "People who are no users here, by a link and a code. Empty: not to them. A delegation has to allow it too. "
    "What needs approval or a fresh sign-in never goes to them."
)
PRODUCTION = "This is production: somebody outside would hold its credentials."
BETWEEN_APPROVALS = f"Write a number from 1 to {MOST_APPROVALS}."


class GroupChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # It is generic in the stubs only.
    """A group by its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            Group.objects.order_by("name"), required=False, error_messages={"invalid_choice": NO_GROUP}, **options
        )

    def label_from_instance(self, obj: Any) -> str:
        """Return the group's name."""
        return str(obj.name)


NO_GROUP = "There is no such group. Choose one from the list."


class RoleForm(RowForm):
    """An IAM role. Its ARN is given once: people, rows and history hang on it."""

    sections_of = {
        "The role": ("arn", "label", "description", "tags", "default_region", "enabled"),
        "What AWS allows": ("max_session_duration", "accepts_source_identity", "accepts_session_tags"),
        "What every request needs": ("needs_reason", "needs_ticket", "ticket_pattern", "needs_step_up"),
        "Approval": ("needs_approval", "approvers", "approvals_needed"),
        "How a person may narrow a session": ("allows_read_only", "allows_my_address", "allows_one_region"),
        "Hand-outs": ("outsider_duration",),
    }
    only_once = ("arn",)

    arn = forms.CharField(
        max_length=600,
        strip=False,
        label="ARN",
        help_text="arn:aws:iam::123456789012:role/name. It stays: for another ARN add another role.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "id"}),
    )
    label = NameField(max_length=64, required=False, help_text="Shown in place of the name in the ARN.")
    description = LineField(max_length=200, required=False, help_text="What people use it for, in one line.")
    tags = LineField(max_length=200, required=False, help_text="Words to find the role by, with spaces between.")
    default_region = forms.ChoiceField(help_text="What the snippets set.")
    enabled = forms.BooleanField(
        required=False, initial=True, label="In use", help_text="Without the tick nobody gets it. Nothing is deleted."
    )
    max_session_duration = DurationField(
        shortest=timedelta(hours=1),
        initial=timedelta(hours=1),
        label="Maximum session duration",
        help_text="The role’s MaxSessionDuration in AWS, 1 h to 12 h. The probe learns it.",
    )
    accepts_source_identity = forms.BooleanField(
        required=False,
        label="Takes a source identity",
        help_text="Its trust policy allows the portal sts:SetSourceIdentity. The probe learns it.",
    )
    accepts_session_tags = forms.BooleanField(
        required=False,
        label="Takes session tags",
        help_text="Its trust policy allows the portal sts:TagSession. The probe learns it.",
    )
    needs_reason = forms.BooleanField(required=False, label="A reason")
    needs_ticket = forms.BooleanField(required=False, label="A ticket")
    ticket_pattern = LineField(max_length=200, required=False, label="Ticket pattern")
    needs_step_up = forms.BooleanField(
        required=False, label="A fresh sign-in", help_text="The password again, at most 5 minutes before."
    )
    needs_approval = forms.BooleanField(required=False, label="Approval", help_text="Somebody else has to agree.")
    approvers = GroupChoice(empty_label="Nobody", help_text="The group that agrees. Nobody approves their own request.")
    approvals_needed = forms.IntegerField(
        initial=1,
        label="How many have to agree",
        validators=[
            MinValueValidator(1, BETWEEN_APPROVALS),
            MaxValueValidator(MOST_APPROVALS, BETWEEN_APPROVALS),
        ],
        error_messages={"invalid": BETWEEN_APPROVALS},
    )
    allows_read_only = forms.BooleanField(required=False, initial=True, label="Read only")
    allows_my_address = forms.BooleanField(required=False, initial=True, label="Only from their own address")
    allows_one_region = forms.BooleanField(required=False, initial=True, label="Only one region")

    outsider_duration = DurationField(
        required=False,
        label="May be handed to outsiders, for up to",
        help_text=OUTSIDERS,
    )

    def __init__(self, data: Any = None, *, row: Row | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, row=row, initial=initial)
        self._offer_regions(row)
        self._tell_of_outsiders(row)
        pattern = getattr(row, "ticket_pattern", "")
        example = f" Now, for example: {ticket_example(pattern)}." if pattern else ""
        self.fields[
            "ticket_pattern"
        ].help_text = (
            f"Such as INC-# CHG-#: # stands for digits, a blank between two patterns. Empty takes any ticket.{example}"
        )

    def _offer_regions(self, row: Row | None) -> None:
        """Offer the regions of the role's partition: a new role is in the portal's, where that is known."""
        arn, partition = getattr(row, "arn", "") or str(self.data.get("arn", "")), portal_identity().partition
        is_of_row = row is not None or not partition
        regions = regions_for(arn) if is_of_row and is_role_arn(arn) else regions_in(partition or USUAL_PARTITION)
        choices = [(name, f"{name} · {label}") for name, label in regions]
        stored = getattr(row, "default_region", "")
        if stored and stored not in dict(choices):
            choices.append((stored, stored))
        region = self.fields["default_region"]
        region.choices = [("", "Choose one"), *choices]  # type: ignore[attr-defined]  # a ChoiceField has them.
        region.error_messages["invalid_choice"] = "This is no region of the role’s partition. Choose one from the list."

    def _tell_of_outsiders(self, row: Row | None) -> None:
        """Say of a production role what it means, and of one that never goes to outsiders that it has no effect."""
        if not isinstance(row, Role):
            return
        words = [format_html("{}", OUTSIDERS)]
        if row.needs_approval or row.needs_step_up:
            why = "approval, so it is never handed out" if row.needs_approval else "a fresh sign-in"
            words.append(format_html("<strong>It has no effect now: the role needs {}.</strong>", why))
        if row.account.environment == Environment.PRODUCTION:
            words.append(format_html('<span class="wrong">{}</span>', PRODUCTION))
        self.fields["outsider_duration"].help_text = format_html_join(" ", "{}", ((word,) for word in words))

    def clean_arn(self) -> str:
        """Return the ARN of a role that the portal could ask for, in an account of the catalogue."""
        arn: str = self.cleaned_data["arn"]
        problem = arn_problem(arn, portal_identity())
        if problem:
            raise forms.ValidationError(problem)
        number = account_number_from(arn)
        if access.account(number) is None:
            url = f"{reverse('catalogue_account_new')}?number={number}"
            words = 'Account {} is not in the catalogue. <a href="{}">Add the account</a> first.'
            raise forms.ValidationError(format_html(words, number, url))
        return arn

    def clean_ticket_pattern(self) -> str:
        """Return the pattern, empty where any ticket will do."""
        pattern: str = self.cleaned_data["ticket_pattern"]
        problem = pattern_problem(pattern) if pattern else ""
        if problem:
            raise forms.ValidationError(problem)
        return pattern

    def clean(self) -> dict[str, Any]:
        """Refuse approval that nobody could give, and more for outsiders than AWS allows anybody."""
        cleaned = super().clean()
        self._refuse_more_than_aws(cleaned)
        if "approvers" in cleaned and cleaned["approvers"] is None:
            if cleaned.get("needs_approval"):
                self.add_error("approvers", "Name the group that approves, or take the tick off Approval.")
            elif self.row is not None and access.needs_approvers(str(self.row.pk)):
                words = "An eligibility of this role needs approval. Name the group that approves."
                self.add_error("approvers", words)
        return cleaned

    def _refuse_more_than_aws(self, cleaned: dict[str, Any]) -> None:
        """Refuse it where one of the two was touched: a probe may have learned a shorter maximum meanwhile."""
        names = ("max_session_duration", "outsider_duration")
        longest, outsiders = (cleaned.get(name) for name in names)
        touched = any(cleaned.get(name) != getattr(self.row, name, None) for name in names)
        if longest and outsiders and touched and outsiders > longest:
            words = f"The role’s maximum session duration is {describe_duration(longest)}. Write at most that."
            self.add_error("outsider_duration", words)
