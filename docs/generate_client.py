"""Write ``docs/client.md``: the guide, and a reference from docstrings; ``--check`` compares."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freg_pipeline import client, errors
from freg_pipeline.client.hendelser import HendelserService
from freg_pipeline.client.personer import PersonerService
from freg_pipeline.client.uttrekk import UttrekkService

FOLDER = Path(__file__).parent
PAGE = FOLDER / "client.md"
HEAD = "<!-- Written by `make docs` from client_guide.md and the docstrings of the client. -->"
SERVICES: dict[type, str] = {
    UttrekkService: "register.uttrekk",
    PersonerService: "register.personer",
    HendelserService: "register.hendelser",
}
ERRORS = (
    errors.FregError, errors.ConfigurationError, errors.UnreachableError, errors.RefusedError,
    errors.NotFoundError, errors.GoneError, errors.TooOldError, errors.PassingError,
)  # fmt: skip
_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises):$")
_ROLE = re.compile(r":(?:mod|class|meth|func):`~?([^`]+)`")


def page() -> str:
    """The whole page."""
    exported = [getattr(client, name) for name in client.__all__ if name != "Register"]
    parts = [HEAD, "", (FOLDER / "client_guide.md").read_text(), "## Reference", ""]
    parts += _class(client.Register, "Register")
    for service, name in SERVICES.items():
        parts += _class(service, name, constructor=False)
    for one in sorted(exported, key=lambda one: one.__name__):
        parts += _class(one, one.__name__)
    parts += ["## Errors", "", "| error | exit code | |", "| --- | --- | --- |"]
    parts += [f"| `{one.__name__}` | {one.exit_code} | {_summary(one)} |" for one in ERRORS]
    return "\n".join(parts).rstrip() + "\n"


def _class(cls: type, name: str, *, constructor: bool = True) -> Iterator[str]:
    yield from (f"### {name}", "")
    if constructor and not issubclass(cls, str) and cls is not client.Register:
        yield from ("```", f"{cls.__name__}{_signature(cls)}", "```", "")
    yield from _doc(cls)
    for member, value in vars(cls).items():
        if member.startswith("_") or not inspect.getdoc(value):
            continue
        function = value.__func__ if isinstance(value, classmethod) else value
        if inspect.isfunction(function):
            kind = "async " if inspect.iscoroutinefunction(function) else ""
            yield from (f"#### {name}.{member}", "")
            yield from ("```", f"{kind}{member}{_signature(function)}", "```", "")
            yield from _doc(function)


def _signature(of: Any) -> str:
    signature = inspect.signature(of)
    shown = [one for one in signature.parameters.values() if one.name not in {"self", "cls"}]
    text = str(signature.replace(parameters=shown))
    text = re.sub(r"<function .*? at \w+>", "…", text)  # a default that has no name
    return re.sub(r"freg_pipeline(\.\w+)*\.|'", "", text)


def _doc(of: Any) -> Iterator[str]:
    """A docstring in Markdown: its sections as lists."""
    within = False
    for line in (inspect.getdoc(of) or "").splitlines():
        section = _SECTION.match(line)
        if section:
            within = section[1] != "Returns"
            yield from (f"*{section[1]}*", "")
        elif within and (found := re.match(r"    ([\w, ]+): (.*)", line)):
            yield _plain(f"- `{found[1]}`: {found[2]}")
        elif within and line.strip():
            yield _plain(f"  {line.strip()}")
        else:
            within = within and not line.strip()
            yield _plain(line.strip())
    yield ""


def _summary(of: Any) -> str:
    return _plain((inspect.getdoc(of) or "").split("\n\n")[0].replace("\n", " "))


def _plain(text: str) -> str:
    """Without what only Sphinx understands."""
    return _ROLE.sub(lambda role: f"`{role[1].rpartition('.')[2]}`", text).replace("``", "`")


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page())
    elif not PAGE.is_file() or PAGE.read_text() != page():
        sys.exit("docs/client.md is out of date. Run make docs")
