"""Each command in each package, directly and through Fiks, against the register at its harshest.

Every default of the synthetic register is the harder variant already; here are refused parts, a
second spelling, odd documents, answers in other forms and passing faults on top of that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freg_pipeline.cli import main
from freg_pipeline.client import TilpassetKriterier, maskinporten
from freg_pipeline.client.packages import PACKAGES
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.query import query
from freg_pipeline.settings import load
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import Ended
from freg_pipeline_tests.lent import as_environment, lend, root_of, settings_of
from freg_pipeline_tests.loads import full_load, list_load, sync
from freg_pipeline_tests.registers import happen

SAMETING = "forholdTilSametingetsValgmanntall"
HARSHEST = RegisterOptions(
    persons=90,
    batch_size=40,
    ready_after_seconds=0.05,
    duplicates=0.2,
    unknown_kinds=0.2,
    auth=True,
    token_seconds=4,
    refused_parts=(SAMETING, "rettsligHandleevne", "oppholdPaaSvalbard"),
    faults="unordered=0.5,arkivliste=0.5,hendelseobjekt=0.5,feedliste=0.5,sekvensnummerobjekt=0.5,"
    "ukjentfelt=0.2,ukjentkode=0.2,enkeltobjekt=0.3,talltekst=0.3,503=#97,429=#131,truncated=#167",
)
# What Fiks refuses beside that: a role's own package holds none of it.
SECRET = {"opphold", "bibehold", "brukAvSamiskSpraak",
          "utlendingsmyndighetenesIdentifikasjonsnummer"}  # fmt: skip
PAPERS = {"identitetsgrunnlag-utvidet", "legitimasjonsdokument", "utenlandskPersonidentifikasjon"}
KIN = {"relasjon-utvidet", "familierelasjon", "foreldreansvar"}
REFUSED_BY_FIKS = {
    "offentlig-med-hjemmel": set[str](),
    "offentlig-uten-hjemmel": SECRET | PAPERS | KIN,
    "privat-uten-hjemmel": SECRET | PAPERS | KIN | {"falskIdentitet"},
    "finans": SECRET | PAPERS,
    "utsteder-eid": SECRET | KIN,
}
LOOK_UPS = [name for name, one in PACKAGES.items() if "personer/bulkoppslag" in one.services]
OTHERS = [name for name in PACKAGES if name not in LOOK_UPS]
WAYS = ["direct", "fiks"]

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def harshest() -> Iterator[str]:
    with running(HARSHEST) as url:
        yield url


@pytest.fixture
def environment(harshest: str, package: str, way: str, tmp_path: Path) -> dict[str, str]:
    """What a user of this package sets who comes this way."""
    root = root_of(harshest)
    common = {
        "rettighetspakke": package,
        "store": str(tmp_path / "store"),
        "poll_seconds": "0.02",
    }
    if way == "direct":
        lent = lend(harshest, PACKAGES[package].scope)
        place = {"base_url": f"{root}/folkeregisteret/{PACKAGES[package].path}"}
    else:
        lent = lend(harshest, "ks:fiks")
        place = {
            "environment": "fiks-test",
            "base_url": f"{root}/folkeregister/api/v1/{package}",
            "fiks_integrasjon_id": lent["fiks"]["IntegrasjonId"],
            "fiks_integrasjon_passord": lent["fiks"]["IntegrasjonPassord"],
        }
    return as_environment({**common, **place, **settings_of(lent, tmp_path)})


@pytest.fixture
def run(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command in this process, as a user of this package does."""
    monkeypatch.setattr(maskinporten, "_SHARED", {})
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        return Ended(int(str(ended.value.code)), said.out, said.err)

    return run


def _done(ended: Ended) -> str:
    assert ended.code == 0, ended.stderr
    return ended.stdout


def _refused(package: str, way: str) -> set[str]:
    by_fiks = REFUSED_BY_FIKS[package] if way == "fiks" else set[str]()
    return {SAMETING, "oppholdPaaSvalbard"} | by_fiks


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("package", LOOK_UPS)
def test_a_package_with_look_ups_is_checked_searched_loaded_and_kept_current(
    package: str, way: str, harshest: str, run: Run
) -> None:
    refused = _refused(package, way)
    checked = _done(run("check"))
    (line,) = (line for line in checked.splitlines() if line.startswith("parts"))
    assert set(line.split(":")[0].split("refuses ")[1].split(", ")) == refused
    numbers = _searched(run)
    if "uttrekk/komplett" in PACKAGES[package].services:
        full_load(load())
    else:
        ended = run("uttrekk", "komplett")
        assert (ended.code, len(ended.lines)) == (3, 1), ended.stderr
        assert f"uttrekk/komplett is not in the package {package}" in ended.stderr
        full_load(load(), TilpassetKriterier(personstatustyper=("bosatt",)))
    _is_kept_current(harshest, refused)
    found = _done(run("release", "spot-check", "--persons", "500"))
    assert "The tables say the same as the register." in found, found
    list_load(load(), numbers[:25], allow_other_kind=True)
    assert query(open_store(load()), "SELECT count(*) FROM person").fetchall() == [(25,)]
    _is_kept_current(harshest, refused)


def _searched(run: Run) -> list[str]:
    """No hits are an answer, hits are numbers."""
    nobody = _done(run("soek", "--navn", "Ingen Slik", "--foedselsdato", "19850131"))
    assert json.loads(nobody) == {"foedselsEllerDNummer": []}
    numbers: list[str] = json.loads(_done(run("soek", "--kjoenn", "kvinne")))[
        "foedselsEllerDNummer"
    ]
    assert len(numbers) > 30
    return numbers


def _is_kept_current(harshest: str, refused: set[str]) -> None:
    """A sync takes what has happened; the release lacks nothing but refused parts."""
    store = open_store(load())
    assert "RettsligHandleevne" in require_current(store).parts
    happen(harshest, 60)
    sync(load())
    manifest = require_current(store)
    assert set(manifest.parts_refused) == refused
    assert manifest.accounting.failed == 0


@pytest.mark.parametrize(("package", "way"), [("offentlig-med-hjemmel", "fiks")])
def test_the_commands_load_and_sync_through_fiks(
    package: str, way: str, harshest: str, run: Run, tmp_path: Path
) -> None:
    numbers = _searched(run)
    loaded = _done(run("uttrekk", "komplett"))
    assert f"Without {SAMETING}, oppholdPaaSvalbard, which the register refuses" in loaded
    happen(harshest, 60)
    assert "persons looked up" in _done(run("hendelser", "sync"))
    source = tmp_path / "ours.txt"
    source.write_text("\n".join(numbers[:25]))
    assert "25" in _done(run("uttrekk", "liste", str(source), "--allow-other-kind"))
    assert "nothing new" in _done(run("hendelser", "sync"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("package", OTHERS)
def test_a_package_without_look_ups_is_checked_and_refused_before_anything_is_sent(
    package: str, way: str, run: Run, tmp_path: Path
) -> None:
    assert "not tried: the package has no look-ups by number" in _done(run("check"))
    source = tmp_path / "ours.txt"
    source.write_text("17912099997")
    for command, service in {
        ("uttrekk", "komplett"): "uttrekk/komplett",
        ("uttrekk", "tilpasset", "--personstatustype", "doed"): "uttrekk/tilpasset",
        ("uttrekk", "liste", str(source)): "personer/bulkoppslag",
        ("soek", "--navn", "Ingen Slik", "--foedselsdato", "19850131"): "personer/soek",
    }.items():
        ended = run(*command)
        assert (ended.code, len(ended.lines)) == (3, 1), ended.stderr
        assert f"{service} is not in the package {package}" in ended.stderr
    ended = run("hendelser", "sync")
    assert (ended.code, len(ended.lines)) == (2, 1), ended.stderr
