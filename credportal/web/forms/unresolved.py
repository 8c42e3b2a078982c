"""What an admin writes who looked into an unknown issuance."""

from django import forms

from credportal.web.forms.approvals import CommentField


class CloseUnknownForm(forms.Form):
    """What somebody found in CloudTrail, or elsewhere."""

    comment = CommentField(
        label="What you found",
        error_messages={"required": "Write what you found. One sentence is enough."},
    )
