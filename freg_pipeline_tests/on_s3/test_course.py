"""A store's life on S3, by the command: it holds what a local one holds."""

from __future__ import annotations

from pathlib import Path

from freg_pipeline.journal.releases import require_current
from freg_pipeline.settings import load
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.on_s3.conftest import MakeSettings
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.tables import difference, miscounted

PERSONS = "SELECT count(*) FROM person"


def test_from_the_first_load_to_a_purge(
    start_register: StartRegister,
    make: MakeSettings,
    where: str,
    bucket: str,
    freg: RunFreg,
    radosgw: Radosgw,
    tmp_path: Path,
) -> None:
    url = start_register(persons=400, batch_size=200)
    settings = make(url)
    store = open_store(settings)

    def run(*words: str) -> str:
        ended = freg(*words, FREG_STORE=where, FREG_BASE_URL=url, FREG_POLL_SECONDS="0.05")
        assert ended.code == 0, ended.stderr
        return ended.stdout

    run("check")
    run("uttrekk", "komplett")
    before = run("sql", PERSONS, "--format", "csv")
    loaded = str(require_current(store).sekvensnummer)
    happen(url, 60)
    assert "000002" in run("hendelser", "sync")
    run("hendelser", "sync")  # finds nothing new
    run("release", "verify")
    local = load(base_url=url, store=str(tmp_path / "local"))
    full_load(local)
    assert difference(store, open_store(local)) == {}

    run("compact")
    happen(url, 60)
    run("hendelser", "sync")
    assert miscounted(store) == {}
    assert run("sql", PERSONS, "--as-of", loaded, "--format", "csv") == before
    run("release", "purge", "--keep", "1")
    run("release", "verify")
    full_load(local)
    assert difference(store, open_store(local)) == {}
    named = {key.split("/")[1] for key in store.list("releases/")}
    assert named == {"000004", "current.json"}
    uploads = radosgw.client().list_multipart_uploads(Bucket=bucket)
    assert "Uploads" not in uploads, "every object is one PUT: nothing is left half uploaded"
