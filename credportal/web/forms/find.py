"""The box that takes what turned up somewhere, and asks whose it is."""

from django import forms


class FindForm(forms.Form):
    """One text of any form. What it is, domain/sought.py reads."""

    pasted = forms.CharField(
        label="Access key id, session or issuance",
        strip=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "class": "id"}
        ),
        help_text="ASIA…, arn:aws:sts::…:assumed-role/…, a session name as CloudTrail shows it, or an issuance id. "
        "Never a secret.",
    )

    @classmethod
    def again(cls, text: str, why: str = "") -> "FindForm":
        """Return the form with a text that may be shown, and what is wrong with it."""
        form = cls(initial={"pasted": text})
        form.errors.update({"pasted": form.error_class([why])} if why else {})
        return form
