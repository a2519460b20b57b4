"""This software: a batch's answers to its staging tables."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.envelope import parse
from freg_pipeline.normalize import Chunk, normalize_batch

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def prepare(answers: list[Path]) -> tuple[Plan, list[list[str]]]:
    """The contract's plan, and what was asked for in each look-up; the machine code is loaded."""
    importlib.import_module("freg_pipeline.normalize.machine")
    plan = compile_contract((answers[0].parent / "contract.xsd").read_bytes())
    asked = {path: identifiers(path) for path in dict.fromkeys(answers)}
    return plan, [asked[path] for path in answers]


def identifiers(path: Path) -> list[str]:
    return [answer.identifikator or "" for answer in parse(path.read_bytes())]


def run(answers: list[Path], folder: Path, prepared: tuple[Plan, list[list[str]]]) -> int:
    plan, asked = prepared

    def chunks() -> Iterator[Chunk]:
        first = 0
        for path, wanted in zip(answers, asked, strict=True):
            yield Chunk(first, wanted, path.read_bytes(), NOW)
            first += len(wanted)

    return normalize_batch(chunks(), plan, "dokumentidentifikator", folder).outcomes["dokument"]
