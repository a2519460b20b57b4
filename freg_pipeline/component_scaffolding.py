"""What ``dg scaffold defs freg_pipeline.FregComponent`` writes: a ``defs.yaml`` that explains."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from freg_pipeline.orchestration.names import LONGEST
from freg_pipeline.orchestration.running import BY_DEFAULT

# Told of first; all other settings come after them.
_FIRST = ("key_prefix", "store", "environment", "rettighetspakke", "parts", "running", "variables")
_EXAMPLES: dict[str, Any] = {
    "environment": "konsumenttest",
    "parts": ["navn", "bostedsadresse"],
    "running": ["uttrekk_sensor", "hendelser_sensor", "compaction_sensor", *BY_DEFAULT.names],
    "variables": {"token": "KUNDER_TOKEN"},
}


class Wanted(BaseModel):
    """What the command may be told."""

    key_prefix: str | None = Field(default=None, description="Default: the folder's name.")
    store: str | None = Field(default=None, description="A folder or s3://bucket/prefix.")
    environment: str | None = Field(default=None, description="Which register.")


def write_defs(request: dg.ScaffoldRequest[Wanted], fields: Mapping[str, FieldInfo]) -> None:
    """Write ``defs.yaml``, with everything that isn't told as a comment.

    Args:
        request: as Dagster makes it of the command.
        fields: the attributes of the component, described.
    """
    given = request.params.model_dump(exclude_none=True)
    folder = request.target_path.parent if request.append else request.target_path
    given.setdefault("key_prefix", _fit(folder.name))
    given.setdefault("store", f"data/{given['key_prefix']}")
    text = _yaml(request.type_name, fields, given)
    if request.append:
        with request.target_path.open("a", encoding="utf-8") as file:
            file.write(f"---\n{text}")
    else:
        (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")


def _fit(name: str) -> str:
    """What of a folder's name can be a key prefix."""
    within = re.sub(r"[^A-Za-z0-9]+", "_", name).lstrip("_0123456789")
    return within[:LONGEST].rstrip("_") or "freg"


def _yaml(type_name: str, fields: Mapping[str, FieldInfo], given: Mapping[str, Any]) -> str:
    others = [name for name in fields if name not in _FIRST]
    told = [_told(name, fields[name], given) for name in (*_FIRST, *others)]
    note = _comment(
        "What isn't given here is read from the environment, by its published name (FREG_STORE and"
        " so on), and so is every secret: FREG_TOKEN, or a variable of this store's own.",
        "",
    )
    return f"type: {type_name}\n\n{note}attributes:\n" + "\n".join(told)


def _told(name: str, field: FieldInfo, given: Mapping[str, Any]) -> str:
    """An attribute with what it is for; a comment where it isn't given."""
    value = given.get(name, _EXAMPLES.get(name))
    written = f"{name}:" if value is None else f"{name}: {json.dumps(value, ensure_ascii=False)}"
    hidden = "" if name in given else "# "
    meaning = (field.description or "").replace("``", "")
    return f"{_comment(meaning, '  ')}  {hidden}{written}\n"


def _comment(text: str, indent: str) -> str:
    lines = textwrap.wrap(text, 88, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
    return "\n".join(lines) + "\n"
