"""Criteria as those who offer them need them: each with its name, its sort and what it means."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import docstring_parser
import msgspec


@dataclass(frozen=True)
class Criterion:
    """One criterion of a service.

    Attributes:
        name: the field's.
        sort: str, int or bool: what it is written as.
        several: it takes any number of them.
        meaning: a phrase that begins with a capital letter and ends with a full stop.
    """

    name: str
    sort: type[str | int | bool]
    several: bool
    meaning: str


def criteria_of(kriterier: type[msgspec.Struct]) -> list[Criterion]:
    """The criteria of a service, in the order of their definition, described by its docstring."""
    documented = docstring_parser.parse(inspect.getdoc(kriterier) or "")
    meanings = {one.arg_name: one.description or "" for one in documented.params}
    return [
        Criterion(field.name, *_sort(field.type), _phrase(meanings.get(field.name, "")))
        for field in msgspec.structs.fields(kriterier)
    ]


def _sort(annotation: Any) -> tuple[type[str | int | bool], bool]:
    if annotation == tuple[str, ...]:
        return str, True
    for sort in (bool, int):
        if annotation in (sort, sort | None):
            return sort, False
    return str, False


def _phrase(text: str) -> str:
    words = " ".join(text.split())
    return words[:1].upper() + words[1:]
