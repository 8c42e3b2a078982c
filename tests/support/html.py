"""Reading pages as a script would."""

import re


def hidden(html: str, name: str) -> str:
    """Return the value of the first input of this name."""
    for tag in re.findall(r"<input\b[^>]*>", html):
        if re.search(rf'\bname="{re.escape(name)}"', tag):
            found = re.search(r'\bvalue="([^"]*)"', tag)
            return found[1] if found else ""
    raise AssertionError(f"no input {name} in the page")
