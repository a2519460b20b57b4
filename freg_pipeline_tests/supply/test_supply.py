"""What an image is made of: versions, hashes, a bill of materials, and what is known against it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from freg_pipeline_tests.deployment import ROOT
from supply import BUILD, RUN, audit, sbom
from supply.hashes import EXTRAS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_PINNED = re.compile(r"^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def _pinned(text: str) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version, _ in _PINNED.findall(text)}


def _named(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements}


@pytest.mark.parametrize("file", [RUN, BUILD], ids=lambda file: file.name)
def test_hashed_files_are_of_the_versions_that_are_tested_and_name_no_address(file: Path) -> None:
    text = file.read_text()
    lines = (ROOT / "constraints.txt").read_text().splitlines()[1:]
    tested = {
        canonicalize_name(name): version for name, _, version in (x.partition("==") for x in lines)
    }
    assert _pinned(text).items() <= tested.items()
    assert _PINNED.sub("", re.sub("^#.*\n", "", text, flags=re.MULTILINE)).strip() == ""
    assert "://" not in text


def test_everything_that_runs_is_among_the_hashed_files() -> None:
    extras = PROJECT["optional-dependencies"]
    asked = PROJECT["dependencies"] + [one for name in EXTRAS.split(",") for one in extras[name]]
    assert _named(asked) <= _pinned(RUN.read_text()).keys()


def test_what_is_deployed_is_of_this_version() -> None:
    for file in ("Dockerfile", "kubernetes/values.yaml", "kubernetes/worker.yaml"):
        told = re.findall(
            r"(?:ARG VERSION=|freg_pipeline:|freg_pipeline, tag: \")([\d.]+)",
            (ROOT / "deploy" / file).read_text(),
        )
        assert set(told) == {PROJECT["version"]}, file
    assert f"\n## {PROJECT['version']}, " in (ROOT / "docs" / "changelog.md").read_text()


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (one.name.partition(".")[0] for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield (node.module or "").partition(".")[0]


def test_the_package_imports_what_it_says_that_it_needs() -> None:
    """`make demo` and the image install nothing of what development takes."""
    extras = PROJECT["optional-dependencies"]
    needed = PROJECT["dependencies"] + [
        one for name, of in extras.items() if name not in ("dev", "bench", "supply") for one in of
    ]
    names = _named(needed)
    distributions = packages_distributions()
    found = {
        name
        for path in (ROOT / "freg_pipeline").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }
    assert "httpx" in found
    strangers = {
        name
        for name in found - sys.stdlib_module_names - {"freg_pipeline"}
        if not names & set(map(canonicalize_name, distributions.get(name, [])))
    }
    assert strangers <= BROUGHT_ALONG


# Those of boto3, numba and Jinja, which pin them or belong with them.
BROUGHT_ALONG = {"botocore", "llvmlite", "markupsafe"}


def test_a_bill_of_materials_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    """A package that was installed from a folder, whose place pip keeps."""
    source = tmp_path / "source"
    (source / "lent").mkdir(parents=True)
    (source / "lent/__init__.py").touch()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "lent"\nversion = "1.2.3"\nlicense = "MIT"\n'
        'urls = {Homepage = "https://lent.example.org/"}\n'
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    pip = (sys.executable, "-m", "pip", "--quiet", "--python", tmp_path / "venv")
    subprocess.run([*pip, "install", "--disable-pip-version-check", source], check=True)
    python = tmp_path / "venv/bin/python"
    assert "file:" in json.dumps(sbom.bill(python))
    output = tmp_path / "build/sbom.json"
    command = [sys.executable, "-m", "supply.sbom", python, output]
    subprocess.run(command, check=True, cwd=ROOT)
    (component,) = json.loads(output.read_text())["components"]
    assert (component["name"], component["version"]) == ("lent", "1.2.3")
    assert [one["url"] for one in component["externalReferences"]] == ["https://lent.example.org/"]
    assert str(tmp_path) not in output.read_text()
    assert "file:" not in output.read_text()


def test_an_audit_that_could_not_look_says_so(tmp_path: Path) -> None:
    pinned = tmp_path / "pinned.txt"
    pinned.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    nowhere = ["--vulnerability-service", "osv", "--osv-url", "http://127.0.0.1:9/v1/query"]
    code, lines = audit.verdict(audit.audit(pinned, nowhere))
    assert code == 2
    assert len(lines) == 1
    assert "can't be had from here" in lines[0]


def test_what_is_known_and_what_could_not_be_looked_at_fail_an_audit() -> None:
    """As pip-audit tells it: it ends well where a package isn't known to whom it asks."""
    seen = {"name": "six", "version": "1.17.0", "vulns": []}
    faulty = {"name": "old", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    unknown = {"name": "odd", "skip_reason": "Dependency not found"}
    assert audit.verdict([seen]) == (0, ["Nothing is known against 1 packages"])
    assert audit.verdict([seen, faulty]) == (1, ["old 1: PYSEC-1, mended in 2"])
    assert audit.verdict([seen, unknown])[0] == 1
    assert audit.verdict([unknown])[0] == audit.verdict([])[0] == 2
