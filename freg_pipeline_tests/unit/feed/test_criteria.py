"""Who fits the criteria of a selection: the same as the register's own choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.feed.criteria import RULES, fits
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.selection import criteria

QUESTIONS: list[dict[str, Any]] = [
    {"personstatustyper": ["bosatt"]},
    {"personstatustyper": ["aktiv", "doed"]},
    {"personstatustyper": ["bosatt"], "kommunenummer": {"bostedskommunenummer": "0301"}},
    {"personstatustyper": ["aktiv"], "kommunenummer": {"oppholdskommunenummer": "0301"}},
    {"personstatustyper": ["bosatt"], "foedselsaarFraOgMed": "1980", "foedselsaarTilOgMed": "1990"},
    {"personstatustyper": ["doed"], "doedsaarFraOgMed": "2000", "doedsaarTilOgMed": "2020"},
    {"personstatustyper": ["bosatt"], "kjoenn": "kvinne", "sivilstandstype": "gift"},
    {"personstatustyper": ["bosatt", "utflyttet"], "statsborgerskap": "SWE"},
]
DEAD = TilpassetKriterier(personstatustyper=("doed",))


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    archive = Archive(RegisterOptions(persons=1_500))
    yield archive
    archive.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_the_choice_is_the_register_s(question: dict[str, Any], archive: Archive) -> None:
    asked, kriterier = criteria(question), TilpassetKriterier.from_register(question)
    chosen = {numbers[-1] for numbers in archive.selected(asked)}
    everybody = {numbers[-1] for numbers in archive.selected([])}
    fitting = set()
    for number in everybody:
        place = archive.by_number(number)
        assert place is not None
        if fits(msgspec.json.decode(archive.document(place)), kriterier):
            fitting.add(number)
    assert fitting == chosen
    assert len(chosen) < len(everybody)


def test_every_criterion_is_judged() -> None:
    assert RULES.keys() == set(TilpassetKriterier.__struct_fields__)


def test_a_criterion_without_a_rule_fits_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"status": [{"status": "bosatt"}], "kjoenn": [{"kjoenn": "kvinne"}]}
    women = TilpassetKriterier(personstatustyper=("bosatt",), kjoenn="kvinne")
    assert fits(document, women)
    monkeypatch.delitem(RULES, "kjoenn")
    assert not fits(document, women)


@pytest.mark.parametrize("current", [True, "true", None])
def test_a_single_row_without_its_list_and_without_a_mark_is_current(current: object) -> None:
    told = {} if current is None else {"erGjeldende": current}
    assert fits({"status": {"status": "doed", **told}}, DEAD)


def test_history_counts_for_nothing() -> None:
    document = {"status": [{"status": "doed", "erGjeldende": False}, None, "odd"]}
    assert not fits(document, DEAD)
