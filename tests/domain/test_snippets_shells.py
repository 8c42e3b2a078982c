"""Snippets in the real shells: every value arrives byte for byte, and nothing in a value runs."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.domain.snippets import snippets
from credportal.domain.types import Credentials

# Each shell as a command that runs a script file. History expansion in bash and RC_QUOTES in zsh change what a
# quote or an exclamation mark means, and people have them switched on where they paste.
SHELLS = {
    "bash": ("bash", "--norc"),
    "bash with history expansion": ("bash", "--norc", "-o", "history", "-o", "histexpand"),
    "bash as sh": ("bash", "--posix"),
    "zsh": ("zsh", "-f"),
    "zsh with RC_QUOTES": ("zsh", "-f", "-o", "RC_QUOTES", "-o", "BANG_HIST", "-o", "EXTENDED_GLOB"),
    "dash": ("dash",),
    "fish": ("fish", "--no-config"),
}
HOSTILE = (
    "\n^old^touch canary",
    "a\n^\n^^\n!!",
    "'",
    "''",
    "'''",
    '"',
    "\\",
    "\\\\",
    "trailing\\",
    "trailing\\\\",
    "\\'",
    "'\\''",
    "\\'; touch canary #",
    "'; touch canary; '",
    "'; touch canary; #",
    "'\ntouch canary\n'",
    "\ntouch canary\n",
    '"; touch canary; "',
    "$(touch canary)",
    "(touch canary)",
    "`touch canary`",
    "'$(touch canary)'",
    "'(touch canary)'",
    "${IFS}touch${IFS}canary",
    "$HOME",
    "~",
    "*",
    "?[a-z]{a,b}",
    "a;touch canary",
    "a&touch canary",
    "a|touch canary",
    "a>canary",
    "a\n\n\nb\n",
    "\ttab\t",
    " leading and trailing ",
    "-e",
    "--help",
    "-",
    "=",
    "#",
    "a # b",
    "!!",
    "!touch",
    "!$ !* !-1 ^a^b^",
    "%PATH%",
    "%s%n",
    "a=b",
    "é ß 漢字 🦀 e\u0301",
    "\u202ereversed\u202c \u2066isolated\u2069 \u200e\u200f",
    "\u2018\u2019\u201a\u201b\u201c\u201d",
    "\ufeff\u200b\u2028\u2029\u00a0",
    "\uf600\uf6ff\ue000\ufdd0",
    "<<EOF\ntouch canary\nEOF",
    "x" * 20000,
)
CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"])
TEXT = st.lists(st.sampled_from("'\"\\$`!()\n\t *?[]{}~#&;|<>%^-=") | CHARACTERS, min_size=1).map("".join)


@pytest.fixture(params=SHELLS, ids=lambda name: name.replace(" ", "-"))
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    command = SHELLS[request.param]
    if shutil.which(command[0]) is None:
        reason = f"{command[0]} is not installed: its snippets are not run."
        if "shells" in os.environ.get("CREDPORTAL_TEST_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    return command


def environment_after(shell: tuple[str, ...], script: str, folder: Path) -> dict[str, str]:
    """Run a script with ``env -0`` after it, and return the environment that it leaves."""
    path = folder / "pasted"
    path.write_bytes(f"{script}\nenv -0 > left\n".encode())
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "UNTOUCHED": "yes"}
    run = subprocess.run([*shell, path], cwd=folder, env=surroundings, capture_output=True, timeout=30, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    assert sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".")) == ["left", "pasted"]
    entries = (folder / "left").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def pasted(shell: tuple[str, ...], texts: list[str]) -> tuple[str, str, dict[str, str]]:
    """Return the snippet that carries the texts, the one that clears them, and what it has to set."""
    credentials = Credentials(
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        secret_access_key=texts[0],
        session_token=texts[-1],
        expiration=datetime(2026, 11, 23, 19, 29, 36, tzinfo=UTC),
    )
    extra = tuple((f"VALUE_{number}", text) for number, text in enumerate(texts))
    found = snippets(credentials, region="eu-west-1", profile="p", extra=extra, legacy=True)
    snippet = {snippet.key: snippet for snippet in found}["fish" if shell[0] == "fish" else "bash"]
    expected = {
        "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": texts[0],
        "AWS_SESSION_TOKEN": texts[-1],
        "AWS_SECURITY_TOKEN": texts[-1],
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CREDENTIAL_EXPIRATION": "2026-11-23T19:29:36Z",
        **dict(extra),
    }
    return snippet.text, snippet.unset, expected


def of_ours(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(("AWS_", "VALUE_"))}


def test_hostile_values_arrive_exactly_and_nothing_runs(shell: tuple[str, ...], tmp_path: Path) -> None:
    text, _, expected = pasted(shell, list(HOSTILE))
    assert of_ours(environment_after(shell, text, tmp_path)) == expected


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(texts=st.lists(TEXT, min_size=1, max_size=40))
def test_any_values_arrive_exactly_and_nothing_runs(shell: tuple[str, ...], tmp_path: Path, texts: list[str]) -> None:
    text, _, expected = pasted(shell, texts)
    assert of_ours(environment_after(shell, text, tmp_path)) == expected


def test_the_unset_snippet_clears_every_variable_and_no_other(shell: tuple[str, ...], tmp_path: Path) -> None:
    text, unset, _ = pasted(shell, list(HOSTILE))
    left = environment_after(shell, f"{text}\n{unset}", tmp_path)
    assert of_ours(left) == {}
    assert left["UNTOUCHED"] == "yes"


def test_unsetting_what_was_never_set_is_quiet(shell: tuple[str, ...], tmp_path: Path) -> None:
    _, unset, _ = pasted(shell, ["value"])
    assert of_ours(environment_after(shell, unset, tmp_path)) == {}


def test_a_dotenv_file_can_be_sourced_too(tmp_path: Path) -> None:
    credentials = Credentials(
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        session_token="IQoJb3Jp//////////wEaCWV1==",
        expiration=datetime(2026, 11, 23, 19, 29, 36, tzinfo=UTC),
    )
    extra = (("VALUE_0", "http://[::1]:5000/a,b@c%20d"),)
    found = {snippet.key: snippet for snippet in snippets(credentials, region="eu-west-1", profile="p", extra=extra)}
    left = of_ours(environment_after(("sh",), f"set -a\n{found['dotenv'].text}\nset +a", tmp_path))
    assert left["AWS_SESSION_TOKEN"] == "IQoJb3Jp//////////wEaCWV1=="
    assert left["VALUE_0"] == "http://[::1]:5000/a,b@c%20d"
