"""Fields that the contract does not know: found, counted and told, never dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from freg_pipeline.readable import unicode

_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")
_EXAMPLE_LENGTH = 40


class UnknownFields:
    """Tally of unknown fields by their path, such as ``navn.nyttFelt``."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, str] = {}

    def add(self, path: str, count: int, example: Any) -> None:
        """Count ``count`` values at ``path``; ``example`` is one of them, and is masked here."""
        path = unicode(path)
        self.counts[path] = self.counts.get(path, 0) + count
        masked = _masked(example)
        self.examples[path] = min(self.examples.get(path, masked), masked)  # in whatever order

    def add_value(self, path: str, value: Any) -> None:
        """Count every single value in ``value``, which came under an unknown name."""
        pending = [(path, value)]
        while pending:  # no recursion: what is unknown may be nested to any depth
            path, value = pending.pop()
            if isinstance(value, dict):
                pending += [(f"{path}.{name}", inner) for name, inner in value.items()]
            elif isinstance(value, list):
                pending += [(path, inner) for inner in value]
            elif value is not None:
                self.add(path, 1, value)

    def to_table(self) -> pa.Table:
        """The tally as rows ``sti``, ``antall``, ``eksempel``, in order of the path."""
        paths: Iterable[str] = sorted(self.counts)
        rows = [(path, self.counts[path], self.examples[path]) for path in paths]
        schema = pa.schema(
            [("sti", pa.string()), ("antall", pa.int64()), ("eksempel", pa.string())]
        )
        return pa.Table.from_pylist(
            [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
        )


def _masked(example: Any) -> str:
    """The example's form without its content: letters become x, digits 9."""
    if isinstance(example, bool):
        return "boolean"
    text = unicode(str(example)[:_EXAMPLE_LENGTH])
    return _DIGIT.sub("9", _LETTER.sub("x", text))
