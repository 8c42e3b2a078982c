"""The documents say what the code says: variables, checks, codes, commands, columns, links, examples."""

import ast
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from credportal.access.models import User
from credportal.audit.columns import COLUMNS
from credportal.audit.models import EventKind, Issuance
from credportal.aws.errors import FAILURES
from credportal.domain.sentences import SENTENCES
from credportal.domain.types import DenialReason, Status
from credportal.flows.catalogue import import_catalogue
from demo.seed import trust_policy

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATING = ROOT / "docs" / "operating.md"
WALKTHROUGH = ROOT / "docs" / "walkthrough.md"
TRUST_POLICIES = ROOT / "docs" / "trust-policies.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
AUDIT = ROOT / "docs" / "audit.md"
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def prose_of(document: Path) -> str:
    """Return a document without its code blocks."""
    return FENCE.sub("", text_of(document))


def blocks_of(document: Path, language: str) -> list[str]:
    return [body for _, named, body in FENCE.findall(text_of(document)) if named == language]


def section_of(document: Path, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text_of(document), re.M | re.S)
    assert found, f"{document.name} has no section {heading}"
    return found[2]


def first_cells(table: str) -> list[str]:
    """Return the code-formatted first cell of each row."""
    return re.findall(r"^\| `([^`]+)` \|", table, re.M)


def anchors_of(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(document), re.M)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def links_of(document: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose_of(document))


def names_read_by(file: Path, reader: str) -> Iterator[str]:
    """Return the names of the environment variables that a file reads with ``env.*`` or ``os.environ``."""
    for node in ast.walk(ast.parse(text_of(file))):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) and node.args else ""
        if isinstance(node, ast.Call) and called.startswith(reader) and "(" not in called:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


@each_document
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for link in links_of(document):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors_of(target), f"{link} names no heading"


@each_document
def test_a_document_names_no_place_of_somebody_s_machine(document: Path) -> None:
    assert not re.findall(r"(?<![\w/.])/(?:work|root|home|opt|Users|tmp)/\S*", text_of(document))


@each_document
def test_every_command_that_is_named_exists(document: Path) -> None:
    text = text_of(document)
    for command in re.findall(r"manage\.py ([a-z_]+)", text):
        assert command in get_commands(), f"manage.py {command}"
    for script in re.findall(r"(?<![\w/.])((?:bin|\.ci)/[a-z-]+)", text):
        assert (ROOT / script).exists(), script


@each_document
def test_files_that_are_named_exist(document: Path) -> None:
    named = re.findall(
        r"`((?:credportal|tests|demo|bench|docs|requirements|templates|static)/[\w./-]*)`", text_of(document)
    )
    inside = re.findall(r"`((?:web|flows|access|audit|aws|domain)/[\w./-]+\.py)`", text_of(document))
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [name for name in inside if not (ROOT / "credportal" / name).exists()]
    assert missing == []


@each_document
def test_json_and_yaml_examples_parse(document: Path) -> None:
    for block in blocks_of(document, "json"):
        json.loads(block)
    for block in blocks_of(document, "yaml"):
        yaml.safe_load(block)


def test_the_table_of_variables_is_what_the_code_reads() -> None:
    settings = set(names_read_by(ROOT / "credportal" / "settings.py", "env."))
    gunicorn = set(names_read_by(ROOT / "gunicorn.conf.py", "os.environ"))
    told = first_cells(section_of(OPERATING, "Environment variables"))
    assert len(told) == len(set(told))
    assert set(told) == settings | gunicorn


def test_the_table_of_checks_is_what_the_code_finds() -> None:
    in_code = {
        word.value: call
        for call in ast.walk(ast.parse(text_of(ROOT / "credportal" / "web" / "checks.py")))
        if isinstance(call, ast.Call)
        for word in (keyword.value for keyword in call.keywords if keyword.arg == "id")
        if isinstance(word, ast.Constant)
    }
    section = section_of(OPERATING, "System checks")
    assert first_cells(section) == sorted(str(name) for name in in_code)
    for call in in_code.values():
        hint = next(keyword.value for keyword in call.keywords if keyword.arg == "hint")
        assert isinstance(hint, ast.Constant)
        assert str(hint.value) in section


def test_the_fault_table_has_every_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w ]+) \|", section_of(OPERATING, "Fault table"), re.M)
    assert {code for code, _, _ in rows} == set(SENTENCES)


def test_the_fault_table_tells_statuses_and_outcomes_as_they_are() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w ]+) \|", section_of(OPERATING, "Fault table"), re.M)
    told = {(code, status, outcome) for code, status, words in rows for outcome in words.split(" or ")}
    by_sts = {row for row in told if row[1] != "none" and row[2] in {Status.FAILED.value, Status.UNKNOWN.value}}
    real = {(row.code, str(row.status), row.outcome.value) for row in FAILURES.values()}
    assert by_sts == real
    assert {code for code, _, outcome in told if outcome == Status.DENIED.value} == {why.value for why in DenialReason}


def test_every_event_kind_status_and_column_has_its_row() -> None:
    assert first_cells(section_of(AUDIT, "Event kinds")) == [kind.value for kind in EventKind]
    assert first_cells(section_of(AUDIT, "Statuses")) == [status.value for status in Status]
    assert first_cells(section_of(AUDIT, "Columns of an event")) == [column.name for column in COLUMNS]
    columns = first_cells(section_of(AUDIT, "Columns of an issuance"))
    assert columns == [field.attname for field in Issuance._meta.concrete_fields]


def leads_somewhere(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True


def test_every_address_of_the_contract_is_served() -> None:
    contract = section_of(ARCHITECTURE, "The stable contract")
    addresses = re.findall(r"`(?:GET |POST )?(/[^` ]*)`", contract)
    assert len(addresses) > 10
    for address in addresses:
        # Some pages go by an id of twelve characters, some by a number.
        if not any(leads_somewhere(re.sub("<[^>]+>", example, address)) for example in ("4k9zq2h7m3xw", "7")):
            pytest.fail(f"{address} leads nowhere")


def statements(document: str) -> Any:
    """Return a trust policy's statements in one form, whatever its white space."""
    return json.loads(document)["Statement"]


@pytest.mark.parametrize("document", [WALKTHROUGH, TRUST_POLICIES], ids=lambda path: path.name)
def test_the_trust_policy_shown_is_the_one_that_the_demo_proves(document: Path) -> None:
    portal = "arn:aws:iam::111111111111:role/credportal-portal"
    proven = statements(trust_policy(portal, "THE-EXTERNAL-ID-OF-THIS-ACCOUNT"))
    shown = [statements(block) for block in blocks_of(document, "json") if "sts:ExternalId" in block]
    assert shown == [proven]


def test_the_refusals_of_a_trust_policy_are_quoted_as_they_are() -> None:
    text = text_of(TRUST_POLICIES)
    for code in ("sts_denied", "sts_denied_tags", "sts_denied_source_identity"):
        assert f'`{code}`: "{FAILURES[code].headline}"' in text


@pytest.mark.django_db
def test_the_catalogue_of_the_walkthrough_can_be_imported() -> None:
    User.objects.create_user("alice", password="a password of the tests")
    (example,) = blocks_of(WALKTHROUGH, "yaml")
    plan = import_catalogue(example, dry_run=False)
    assert plan.problems == []
    assert len(plan.lines) > 0


@pytest.mark.django_db
def test_the_catalogue_of_the_reference_can_be_imported_after_it() -> None:
    User.objects.create_user("alice", password="a password of the tests")
    examples = chain(blocks_of(WALKTHROUGH, "yaml"), blocks_of(OPERATING, "yaml"))
    assert [import_catalogue(example, dry_run=False).problems for example in examples] == [[], []]


def test_the_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.png"))
    assert pictures
    assert all(picture.stat().st_size < 150_000 for picture in pictures)
