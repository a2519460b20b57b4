"""``make sbom``: what an environment holds as CycloneDX, without a word of where it was made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from supply import ROOT


def bill(python: Path) -> dict[str, Any]:
    """The bill of materials of what a Python interpreter imports from, as cyclonedx-py finds it."""
    command = [
        *(sys.executable, "-m", "cyclonedx_py", "environment", str(python)),
        *("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"),
        *("--spec-version", "1.6", "--output-format", "JSON", "--output-reproducible"),
        "--no-validate",  # what is left of it is validated here
    ]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    made: dict[str, Any] = json.loads(ended.stdout)
    return made


def without_places(made: dict[str, Any]) -> dict[str, Any]:
    """A bill without the places that files came from: folders of this machine, or an index."""
    for component in (made["metadata"]["component"], *made["components"]):
        told = component.pop("externalReferences", [])
        kept = [
            one
            for one in told
            if one["type"] != "distribution" and one["url"].startswith(("https://", "http://"))
        ]
        if kept:
            component["externalReferences"] = kept
    return made


def told_places(text: str, *folders: Path) -> list[str]:
    """What of a text still tells where it was made."""
    return [word for word in ("file:", *map(str, folders)) if word in text]


def main() -> int:
    """Write the bill of an interpreter's environment to a file."""
    python, output = map(Path, sys.argv[1:])
    text = json.dumps(without_places(bill(python)), indent=1, ensure_ascii=False) + "\n"
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"The bill of materials is no CycloneDX: {wrong}")
    if told := told_places(text, ROOT, python.parent.parent.absolute(), Path.home()):
        sys.exit(f"The bill of materials tells of this machine, and isn't written: {told}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    print(f"{output}: {len(json.loads(text)['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
