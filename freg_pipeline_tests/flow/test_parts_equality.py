"""Whoever asks for few parts gets the same people as whoever takes all, whatever happens."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from freg_pipeline.client import SoekKriterier, TilpassetKriterier
from freg_pipeline.extract.parts import COMPOSITES, entities
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.query import connect, query
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, list_load, search_load, sync
from freg_pipeline_tests.registers import events_of, happen

# Answers in another order, and damaged ones.
OPTIONS = RegisterOptions(
    persons=120, batch_size=70, ready_after_seconds=0.02, faults="500=0.02,unordered=0.3"
)
PARTS = sorted({*COMPOSITES, *COMPOSITES["person-basis"], "familierelasjon"})
WHO_IS_WHO = (
    "endringIIdentifikasjonsnummer",
    "endringIKjoenn",
    "personErBosatt",
    "personErViderefoertSomGjeldendeVedSammenslaaing",
    "personErGjenopprettetVedSplitting",
    "personErOpphoert",
    "personErReaktivert",
)
Load = Callable[[Settings], Manifest]
WOMEN = TilpassetKriterier(personstatustyper=("aktiv", "bosatt"), kjoenn="kvinne")


def everyone(settings: Settings) -> Manifest:
    return full_load(settings)


def from_the_first_number(settings: Settings) -> Manifest:
    """Every document that there ever was: several of one person."""
    return full_load(settings, feedsekvensnr=1)


def women(settings: Settings) -> Manifest:
    return full_load(settings, WOMEN)


def found_women(settings: Settings) -> Manifest:
    return search_load(settings, SoekKriterier(kjoenn="kvinne", inkluder_doede=True))


def listed(settings: Settings) -> Manifest:
    """Half of those who have had an event, by the numbers that they had then."""
    events = [event["hendelse"] for event in events_of(str(settings.base_url))]
    return list_load(settings, [event["folkeregisteridentifikator"] for event in events[::2]])


# No shrinking: an example takes seconds.
@settings(max_examples=6, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
@given(
    st.sampled_from([everyone, from_the_first_number, women, found_women, listed]),
    st.sets(st.sampled_from(PARTS), min_size=1, max_size=3),
    st.lists(st.sampled_from(WHO_IS_WHO), max_size=4),
    st.sampled_from(["json", "xml"]),
    st.integers(1, 1_000),
)
def test_few_parts_give_the_people_of_all_parts(
    begin: Load, parts: set[str], course: list[str], form: str, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, running(replace(OPTIONS, seed=seed)) as url:
        happen(url, 60)
        lives(url, course)
        both = [
            load(base_url=url, store=f"{folder}/{place}", poll_seconds=0.02, confirm_seconds=0.05,
                 parts=",".join(sorted(chosen)), answer_format=form)
            for place, chosen in enumerate([set[str](), parts])
        ]  # fmt: skip
        for chosen in both:
            begin(chosen)
        assert people(both[1]) == people(both[0])
        lives(url, course)
        happen(url, 40)
        for chosen in both:
            sync(chosen)
        assert people(both[1]) == people(both[0])
        assert numbers_landed(both[1]) == numbers_asked_for(both[0], parts)


def lives(url: str, course: list[str]) -> None:
    for kind in course:
        with contextlib.suppress(Exception):  # nobody is left whom it can happen to
            happen(url, 2, type=kind)


def people(settings: Settings) -> dict[str, Any]:
    """Who there is, under which numbers, and what became of everybody who was delivered."""
    store = open_store(settings)
    questions = {
        "person": "SELECT personidentifikator FROM person ORDER BY ALL",
        "tidligere": "FROM tidligere_identifikator ORDER BY ALL",
        "avvik": "SELECT utfall, aarsak, gikk_til, count(*) FROM avvik GROUP BY ALL ORDER BY ALL",
    }
    with closing(connect(store)) as connection:
        found = {
            name: connection.execute(question).fetchall() for name, question in questions.items()
        }
    return {**found, "accounting": require_current(store).accounting}


def numbers_landed(settings: Settings) -> list[Any]:
    return query(open_store(settings), "FROM identifikasjonsnummer ORDER BY ALL").fetchall()


def numbers_asked_for(everything: Settings, parts: set[str]) -> list[Any]:
    """The table identifikasjonsnummer as these parts give it, from the one with all of it."""
    if parts == {"historikk"}:
        parts = {"person-basis", "historikk"}
    if "identifikasjonsnummer" not in entities(parts):
        return []
    if "historikk" in parts:
        return numbers_landed(everything)
    rows = query(
        open_store(everything),
        "SELECT * REPLACE ((row_number() OVER (PARTITION BY personidentifikator ORDER BY rad_nr)"
        " - 1)::INTEGER AS rad_nr) FROM identifikasjonsnummer WHERE er_gjeldende ORDER BY ALL",
    )
    return rows.fetchall()
