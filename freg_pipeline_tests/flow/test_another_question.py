"""An uttrekk that is begun is never taken for the answer to another question.

Whoever gives its name with other criteria, another list or other settings is told what differs, by
the command and by a run of Dagster's alike, and nothing is sent.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import click
import dagster as dg
import msgspec
import pytest
from click.testing import CliRunner

from freg_pipeline.client import Register, SoekKriterier, TilpassetKriterier
from freg_pipeline.commands.soek import soek
from freg_pipeline.commands.uttrekk import komplett, liste, tilpasset
from freg_pipeline.criteria.described import criteria_of
from freg_pipeline.extract.begin import Fill, OtherQuestionError
from freg_pipeline.extract.liste import taken_list
from freg_pipeline.extract.treff import Search
from freg_pipeline.journal.kinds import AnyKind, Komplett, Tilpasset
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.config import OrderConfig
from freg_pipeline.orchestration.partitions import UTTREKK
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import carry_on
from freg_pipeline.settings import Settings, load
from freg_pipeline_tests.asked import OTHER_CRITERIA, SOME
from freg_pipeline_tests.loads import opened
from freg_pipeline_tests.registers import status_of

A, B = "03851598730", "41819077906"
FLAGS = {
    one.name: "--" + one.name.replace("_", "-").replace("typer", "type")
    for one in criteria_of(TilpassetKriterier)
}


@pytest.fixture(scope="module")
def freg(small_register: str, tmp_path_factory: pytest.TempPathFactory) -> Freg:
    """A store in which everyone, a selection and a list have been begun."""
    folder = tmp_path_factory.mktemp("begun")
    settings = load(base_url=small_register, store=str(folder / "store"))
    freg = Freg.from_settings(settings)
    (folder / "list").write_text(A)
    begin(settings, "all", Komplett())
    begin(settings, "some", Tilpasset(SOME))
    with taken_list(freg.store, folder / "list") as taken:
        begin(settings, "mine", taken.kind, taken.fill)
    return freg


def begin(settings: Settings, name: str, kind: AnyKind, fill: Fill | None = None) -> None:
    async def run() -> None:
        async with Register.from_settings(settings) as register:
            await opened(settings, register, kind, fill=fill, name=name)

    asyncio.run(run())


def criteria(**changed: Any) -> dict[str, Any]:
    given = {**msgspec.structs.asdict(SOME), **changed}
    return {name: filled_in(value) for name, value in given.items() if value is not None}


def filled_in(value: Any) -> Any:
    """A criterion as the form takes it: years are numbers there, a kommune's number isn't."""
    if isinstance(value, tuple):
        return list(value)
    return int(value) if re.fullmatch(r"(19|20)\d\d", value) else value


# Whose name, what is said on Dagster's page, and what differs.
CASES: list[tuple[str, dict[str, Any], str]] = [
    *(
        ("some", {"kind": "tilpasset", **criteria(**{name: value})}, name.split("_")[0])
        for name, value in OTHER_CRITERIA.items()
    ),
    ("some", {"kind": "komplett"}, "kind was tilpasset and is komplett now"),
    ("some", {"kind": "liste", "liste": "LIST"}, "kind was tilpasset and is liste now"),
    ("all", {"kind": "komplett", "feedsekvensnr": 7}, "feedsekvensnr was not given and is 7"),
    ("all", {"kind": "tilpasset", **criteria()}, "kind was komplett and is tilpasset now"),
    ("mine", {"kind": "komplett"}, "kind was liste and is komplett now"),
    ("mine", {"kind": "liste", "liste": "LIST"}, "antall was 1 and is 2 now; its content differs"),
    ("mine", {"kind": "liste", "liste": "LIST", "liste_kolonne": "b"}, "its content differs"),
]


def test_the_cases_are_all_there_are() -> None:
    tried = set[str]().union(*(config for _, config, _ in CASES))
    assert tried | {"order_again", "allow_other_kind"} == set(OrderConfig.model_fields)


@pytest.fixture
def other_list(tmp_path: Path) -> str:
    path = tmp_path / "list.csv"
    path.write_text(f"fnr;b\n{A};{B}\n{B};\n")
    return str(path)


def arguments(config: dict[str, Any], other_list: str) -> tuple[click.Command, list[str]]:
    """The same for the command line."""
    match config["kind"]:
        case "komplett":
            begin_at = config.get("feedsekvensnr")
            return komplett, [] if begin_at is None else ["--feedsekvensnr", str(begin_at)]
        case "liste":
            column = config.get("liste_kolonne")
            return liste, [other_list, *(["--column", column] if column else [])]
        case _:
            found = []
            for name in config.keys() & FLAGS.keys():
                values = config[name] if isinstance(config[name], list) else [config[name]]
                found += [part for value in values for part in (FLAGS[name], str(value))]
            return tilpasset, found


@pytest.mark.parametrize(("name", "config", "difference"), CASES)
def test_the_command_refuses_and_tells_what_differs(
    name: str,
    config: dict[str, Any],
    difference: str,
    freg: Freg,
    other_list: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FREG_BASE_URL", str(freg.settings.base_url))
    monkeypatch.setenv("FREG_STORE", freg.settings.store)
    before = status_of(str(freg.settings.base_url))["requests"]
    command, given = arguments(config, other_list)
    ended = CliRunner().invoke(command, [*given, "--name", name], obj={})
    assert isinstance(ended.exception, OtherQuestionError), ended.output
    assert f"the uttrekk {name} asks for something else: " in str(ended.exception)
    assert difference in str(ended.exception)
    assert ended.exception.exit_code == 2
    assert status_of(str(freg.settings.base_url))["requests"] == before


@pytest.fixture(scope="module")
def instance() -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(UTTREKK, ["all", "some", "mine"])
        yield instance


@pytest.mark.parametrize(("name", "config", "difference"), CASES)
def test_a_run_on_a_partition_that_is_there_fails_and_tells_what_differs(
    name: str,
    config: dict[str, Any],
    difference: str,
    freg: Freg,
    other_list: str,
    instance: dg.DagsterInstance,
) -> None:
    if "liste" in config:
        there = Path(freg.settings.store, "lists", "list.csv")
        there.parent.mkdir(mode=0o700, exist_ok=True)
        there.write_text(Path(other_list).read_text())
        config = {**config, "liste": "list.csv"}
    before = status_of(str(freg.settings.base_url))["requests"]
    ended = (
        make_definitions(freg)
        .resolve_job_def("full_load")
        .execute_in_process(
            run_config={"ops": {"uttrekk": {"config": config}}},
            partition_key=name,
            instance=instance,
            raise_on_error=False,
        )
    )
    assert not ended.success
    (failed,) = [one for one in ended.all_events if one.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    assert difference in error.to_string()
    assert status_of(str(freg.settings.base_url))["requests"] == before


OTHER_SETTINGS: dict[str, Any] = {
    "environment": "konsumenttest",
    "rettighetspakke": "offentlig-uten-hjemmel",
    "parts": ("navn",),
    "base_url": None,  # the register may move, and the form of the answers changes no row
    "form": None,
}


def test_the_settings_are_all_there_are() -> None:
    assert OTHER_SETTINGS.keys() | {"kind"} == set(Question.__struct_fields__)


@pytest.mark.parametrize("field", [name for name, value in OTHER_SETTINGS.items() if value])
def test_going_on_under_other_settings_is_refused(field: str, freg: Freg) -> None:
    changed = {**freg.settings.model_dump(exclude_unset=True), field: OTHER_SETTINGS[field]}
    other = Freg.from_settings(load(**changed))
    with pytest.raises(OtherQuestionError, match=f"different settings: FREG_{field.upper()} was"):
        carry_on(other, Uttrekk(freg.store, "some"))


def test_another_search_is_refused_and_nothing_of_either_is_told(
    freg: Freg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREG_BASE_URL", str(freg.settings.base_url))
    monkeypatch.setenv("FREG_STORE", freg.settings.store)
    search = Search(SoekKriterier(navn="Slik Ingen", foedselsdato="19800101"))
    begin(freg.settings, "found", search.kind, search.fill)
    others = ["--navn", "Slik Annen", "--foedselsdato", "19800101"]
    ended = CliRunner().invoke(soek, [*others, "--uttrekk", "--name", "found"], obj={})
    assert isinstance(ended.exception, OtherQuestionError), ended.output
    said = str(ended.exception)
    assert "the uttrekk found asks for something else: its content differs" in said
    assert not {"Ingen", "Annen", "19800101"} & set(said.replace(".", " ").split())


def test_a_list_with_the_same_numbers_goes_on(freg: Freg, tmp_path: Path) -> None:
    """Which list it is, its numbers tell."""
    (tmp_path / "list").write_text(f"{A}\nnobody")
    with taken_list(freg.store, tmp_path / "list") as taken:
        begin(freg.settings, "mine", taken.kind, taken.fill)
