"""``make constraints-hashed``: the files that deploy/Dockerfile installs, by their SHA-256.

pip tells which file it would take on each processor, and its hash by the index. Nothing is
installed for it, and no address is kept: a file is the same wherever it lies.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from supply import BUILD, ROOT, RUN

EXTRAS = "alerts,celery,k8s,postgres"  # what the image can do beside the package itself
PYTHON = "3.11"
PROCESSORS = ("x86_64", "aarch64")
# The image's Debian 12 has glibc 2.36, and takes what was made for any older one.
GLIBC = (*(f"manylinux_2_{minor}" for minor in range(17, 37)), "manylinux2014")

HEAD = """\
# {what}, for CPython {python} on Linux with
# glibc 2.36 or newer (Debian 12), {processors}: other platforms have other files, which pip
# refuses by these hashes. Versions are those of constraints.txt. Made by `make constraints-hashed`.
"""


def main() -> None:
    """Write both files anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    _write(RUN, "What deploy/Dockerfile installs", [f"{ROOT}[{EXTRAS}]"])
    _write(BUILD, "What the wheel is built by", project["build-system"]["requires"])


def _write(path: Path, what: str, requirements: list[str]) -> None:
    files: dict[str, set[str]] = {}
    for processor in PROCESSORS:
        for pinned, sha256 in chosen(requirements, processor):
            files.setdefault(pinned, set()).add(sha256)
    head = HEAD.format(what=what, python=PYTHON, processors=" and ".join(PROCESSORS))
    lines = [
        " \\\n    ".join([pinned, *(f"--hash=sha256:{one}" for one in sorted(hashes))])
        for pinned, hashes in sorted(files.items(), key=lambda item: item[0].lower())
    ]
    path.write_text(head + "\n".join(lines) + "\n")


def chosen(requirements: list[str], processor: str) -> list[tuple[str, str]]:
    """What pip would install on a processor: ``name==version``, and its file's SHA-256."""
    platforms = [f"--platform={glibc}_{processor}" for glibc in GLIBC]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--dry-run", "--ignore-installed", "--report", str(report)),
                *("--target", f"{folder}/nothing", "--only-binary=:all:"),
                *("--implementation", "cp", "--python-version", PYTHON, *platforms),
                *("--constraint", str(ROOT / "constraints.txt"), *requirements),
            ],
            check=True,
        )
        installs = json.loads(report.read_text())["install"]
    return [_file(one) for one in installs if "dir_info" not in one["download_info"]]


def _file(install: dict[str, Any]) -> tuple[str, str]:
    name, version = install["metadata"]["name"], install["metadata"]["version"]
    try:
        return f"{name}=={version}", install["download_info"]["archive_info"]["hashes"]["sha256"]
    except KeyError:
        sys.exit(f"{name} {version}: the index tells no SHA-256 of its file. Use one that does")


if __name__ == "__main__":
    main()
