"""Of several processes that write the catalogue at once, the newest release stays."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from freg_pipeline.lake import catalogue as catalogue_module
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.release import build_release
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, number

A, B = number(0), number(1)


def test_of_two_refreshes_at_once_the_slower_does_not_bring_the_older_release_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", [("d-a", document(A))]))
    begun, may_end = threading.Event(), threading.Event()
    write = catalogue_module._write

    def slowly(*arguments: Any) -> None:
        write(*arguments)
        if threading.current_thread() is not threading.main_thread() and not begun.is_set():
            begun.set()
            assert may_end.wait(60)

    monkeypatch.setattr(catalogue_module, "_write", slowly)
    slower = threading.Thread(target=refresh_catalogue, args=(store,))
    slower.start()
    assert begun.wait(60)
    documents = [("d-a", document(A)), ("d-b", document(B))]
    build_release(store, deliver(store, "two", documents))
    path = refresh_catalogue(store)
    may_end.set()
    slower.join()
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM person").fetchall() == [(2,)]
    assert not [key for key in store.list("") if "duckdb" in key and key != "freg.duckdb"]
