"""Imports point downward only; each sentence here is a rule of docs/architecture.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PRODUCT = Path(__file__).parent.parent / "credportal"
# What web/ may take from access/ and audit/: reads, and the types that reads return.
READERS = {"models", "paging", "patience", "selectors"}
ROW = {"domain": 0, "access": 1, "audit": 1, "aws": 1, "flows": 2, "web": 3}
FILES = [path for path in sorted(PRODUCT.rglob("*.py")) if "migrations" not in path.parts]


def folder_of(path: Path) -> str:
    parts = path.relative_to(PRODUCT).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the full name of everything imported: ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def faults(path: Path, source: str) -> list[str]:
    here, tree, found = folder_of(path), ast.parse(source), []
    for line, name in imports(tree):
        package, *rest = name.split(".")
        there = rest[0] if package == "credportal" and rest else ""
        if package in {"tests", "demo", "bench"}:
            found.append(f"{line}: product code imports {name}")
        if package in {"boto3", "botocore", "urllib3"} and here != "aws":
            found.append(f"{line}: only aws/ imports {package}")
        if package in {"django", "boto3", "structlog"} and here == "domain":
            found.append(f"{line}: domain/ imports {package}")
        if here in ROW and there in ROW and there != here and ROW[there] >= ROW[here]:
            found.append(f"{line}: {here}/ imports {there}/")
        if here == "web" and there == "aws":
            found.append(f"{line}: web/ imports aws/ past the flows")
        if here == "web" and there in {"access", "audit"} and rest[1] not in READERS:
            found.append(f"{line}: web/ imports {name}, and writes only by calling a flow")
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [name for _, name in imports(function) if name.startswith("credportal")]
            found += [f"{function.lineno}: {function.name}() hides the import of {name}" for name in hidden]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PRODUCT)))
def test_imports_point_downward(path: Path) -> None:
    assert faults(path, path.read_text()) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("domain/types.py", "from django.db import models"),
        ("access/models.py", "from credportal.audit import record"),
        ("audit/record.py", "import boto3"),
        ("web/forms/issue.py", "from credportal.aws import sts"),
        ("web/views/roles.py", "from credportal.audit import record"),
        ("flows/issue.py", "from credportal.web import rows"),
        ("flows/issue.py", "def f():\n    from credportal.access import models"),
        ("aws/sts.py", "from tests import fault_sts"),
    ],
)
def test_the_rules_notice_what_they_forbid(file: str, source: str) -> None:
    assert faults(PRODUCT / file, source) != []
