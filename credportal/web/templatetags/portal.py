"""What the templates say in one word: icons, labels, durations, and the exact text of a snippet.

The credentials page is on the hot path, so its many small pieces are joined here in Python
and not by nested template loops. Everything that comes from outside is escaped here.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.safestring import SafeString, mark_safe

from credportal.domain.durations import clock as clock_text
from credportal.domain.durations import describe_duration
from credportal.domain.lookalikes import is_unseen
from credportal.domain.snippets import Segment, Snippet, Value

register = template.Library()

ENVIRONMENTS = {
    "production": ("octagon", "Production"),
    "staging": ("diamond", "Staging"),
    "development": ("hexagon", "Development"),
    "sandbox": ("circle", "Sandbox"),
}
OUTCOMES = {
    "requested": ("pending", "In flight", "requested"),
    "denied": ("refused", "Refused", "refused"),
    "issued": ("issued", "Issued", "issued"),
    "failed": ("failed", "Failed", "failed"),
    "unknown": ("unknown", "Unknown", "unknown"),
}
# Where a long word may wrap: before a capital after a small letter, and after a separator.
_SEAMS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[-_./:@+=,])(?=[^-_./:@+=,])")
_SEPARATORS = re.compile(r"(?<=[/:])(?=[^/:])")
_LONG_WORD = re.compile(r"\S{25,}")


@cache
def _sprite() -> str:
    """Return the sprite's address: hashed once per process, for a page shows it thirty times."""
    return str(escape(static("icons.svg")))


def _icon(name: str, kind: str = "") -> str:
    extra = f" {kind}" if kind else ""
    return f'<svg class="i{extra}" aria-hidden="true"><use href="{_sprite()}#{name}"></use></svg>'


def _copy_button(target: str, what: str, word: str = "Copy", kind: str = "") -> str:
    """Build a Copy button for the element with the id ``target``; it stays hidden until the script runs."""
    extra = f" {kind}" if kind else ""
    spoken = "" if word != "Copy" else f'<span class="vh"> {escape(what)}</span>'
    return (
        f'<button class="btn{extra}" type="button" data-copy="{escape(target)}" data-what="{escape(what)}"'
        f" data-needs-js hidden>{_icon('copy', 'i-s')}<span data-word>{escape(word)}</span>{spoken}</button>"
    )


def _segment(segment: Segment) -> str:
    text = escape(segment.text)
    if segment.kind == "secret":
        return f'<span class="veil"><span class="secret">{text}</span></span>'
    if segment.kind == "profile":
        return f"<span data-profile>{text}</span>"
    return text


@register.simple_tag
def icon(name: str, kind: str = "") -> SafeString:
    """Draw an icon of the sprite. ``kind`` is a further class, such as ``i-s`` for the small size."""
    return mark_safe(_icon(name, kind))  # noqa: S308 -- names come from templates, the address from static().


@register.simple_tag
def env(environment: str) -> SafeString:
    """Label an account's environment: shape, word and colour. Production is the only one that is filled."""
    shape, word = ENVIRONMENTS.get(environment, ("circle", str(environment)))
    known = environment if environment in ENVIRONMENTS else "other"
    return mark_safe(f'<span class="env {known}">{_icon(shape)}{escape(word)}</span>')  # noqa: S308 -- escaped here.


@register.simple_tag
def outcome(status: str) -> SafeString:
    """Label the status of an issuance: icon and word."""
    name, word, kind = OUTCOMES.get(status, ("unknown", str(status), "unknown"))
    return mark_safe(f'<span class="out {kind}">{_icon(name)}{escape(word)}</span>')  # noqa: S308 -- escaped here.


@register.simple_tag
def copy_button(target: str, what: str, word: str = "Copy", kind: str = "") -> SafeString:
    """Offer to copy the text of the element with the id ``target``. ``what`` is what the page announces."""
    return mark_safe(_copy_button(target, what, word, kind))  # noqa: S308 -- escaped in _copy_button.


@register.simple_tag
def copyable(target: str, text: str, kind: str = "id") -> SafeString:
    """Show a text that a Copy button finds by the id ``target``: exactly the text, without white space around it."""
    return mark_safe(f'<span class="{escape(kind)}" id="{escape(target)}">{escape(text)}</span>')  # noqa: S308 -- escaped here.


@register.simple_tag
def snippet_bar(item: Snippet) -> SafeString:
    """Head a snippet, with its Copy button. A snippet without lines has a heading that says why."""
    button = _copy_button(f"snippet-{item.key}", f"{item.title} snippet", kind="main wide") if item.lines else ""
    return mark_safe(f'<div class="bar"><h2>{escape(item.heading)}</h2>{button}</div>')  # noqa: S308 -- escaped here.


@register.simple_tag
def snippet(item: Snippet) -> SafeString:
    """Show a snippet's text. The ``code`` element's own text is exactly the snippet's text.

    Each named line is an element of its own, so that the page can repeat the session token under its old name.
    """
    if not item.lines:
        return SafeString()
    lines = "\n".join(
        f'<span data-line="{escape(line.name)}">{"".join(map(_segment, line.segments))}</span>' for line in item.lines
    )
    target = f"snippet-{escape(item.key)}"
    return mark_safe(  # noqa: S308 -- every text above is escaped.
        f'<pre class="snip" dir="ltr" tabindex="0" role="group" aria-label="{escape(item.title)} snippet">'
        f'<code id="{target}" data-snippet="{escape(item.key)}">{lines}</code></pre>'
    )


@register.simple_tag
def single_values(items: Iterable[Value]) -> SafeString:
    """Show the values one by one. Each ``data-field`` element's own text is exactly the value."""
    rows = []
    for item in items:
        shown = _segment(Segment(item.text, "secret" if item.secret else "plain"))
        target = f"value-{escape(item.field)}"
        what = item.title[:1].lower() + item.title[1:]
        rows.append(
            f'<div><dt>{escape(item.title)}</dt><dd><bdi class="id" id="{target}"'
            f' data-field="{escape(item.field)}">{shown}</bdi></dd>'
            f'<dd class="b">{_copy_button(target, what)}</dd></div>'
        )
    return mark_safe(f'<dl class="vals">{"".join(rows)}</dl>')  # noqa: S308 -- every text above is escaped.


@register.simple_tag
def unset_snippets(items: Iterable[Snippet]) -> SafeString:
    """Show what clears the variables again, one block per shell. The page keeps the block of the chosen tab."""
    blocks = []
    for item in items:
        if not item.unset:
            continue
        name = "unset" if item.key == "bash" else f"unset-{item.key}"
        what = f"unset for {item.title}"
        blocks.append(
            f'<div class="unset" data-for="{escape(item.key)}"><div class="bar">'
            f"<h3>In {escape(item.title)}</h3>{_copy_button(name, what)}</div>"
            f'<pre class="snip flow" dir="ltr"><code id="{escape(name)}" data-snippet="{escape(name)}">'
            f"{escape(item.unset)}</code></pre></div>"
        )
    return mark_safe("".join(blocks))  # noqa: S308 -- every text above is escaped.


@register.simple_tag
def when(moment: datetime) -> SafeString:
    """Say a moment in the person's time zone: ``today 14:42``, ``Fri 20 Nov, 18:13``."""
    local = timezone.localtime(moment)
    utc = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    today = local.date() == timezone.localdate()
    shown = local.strftime("today %H:%M") if today else date_format(local, "D j M, H:i")
    return mark_safe(f'<time datetime="{utc}">{escape(shown)}</time>')  # noqa: S308 -- escaped here.


@register.filter
def duration(value: timedelta | None) -> str:
    """Say a duration in words, ``1 h 30 min``; nothing where there is none."""
    return describe_duration(value) if value is not None else ""


@register.filter
def clock(seconds: int) -> str:
    """Show remaining seconds as a clock, ``42:10``."""
    return clock_text(int(seconds))


def _seen(escaped: str) -> SafeString:
    """Write out what a reader would not see, such as controls and marks of direction, in a text that is escaped."""
    if escaped.isascii() and escaped.isprintable():
        return mark_safe(escaped)  # noqa: S308 -- escaped before.
    marked = (f'<span class="unseen">⟨U+{ord(char):04X}⟩</span>' if is_unseen(char) else char for char in escaped)
    return mark_safe("".join(marked))  # noqa: S308 -- as above.


@register.filter
def visible(text: object) -> SafeString:
    """Show a text of the audit with everything that is in it."""
    return _seen(escape(str(text)))


@register.filter
def breakable(text: object) -> SafeString:
    """Let long words of a name wrap at their seams. The text itself stays as it is."""
    return _seen(_LONG_WORD.sub(lambda word: _SEAMS.sub("<wbr>", word[0]), escape(str(text))))


@register.filter
def arn(text: object) -> SafeString:
    """Let an ARN wrap after its colons and slashes."""
    return _seen(_SEPARATORS.sub("<wbr>", escape(str(text))))
