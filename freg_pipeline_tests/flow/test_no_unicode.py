"""A register that sends text which is no Unicode: everybody lands, in loads and in syncs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from freg_pipeline.lake.query import query
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen, tampered

NAME, KIND = b'"fornavn":"', b'"hendelsetype":"'
TEXTS = [rb"\ud83d", b"\xc3\x28", b"\x01\n"]


def _damaged(text: bytes) -> Callable[[str, bytes], bytes]:
    """Puts a text before the first name of each answer, and the first kind of each page."""

    def change(path: str, body: bytes) -> bytes:
        if path == "hendelser/feed":
            return body.replace(KIND, KIND + text, 1)
        return body.replace(NAME, NAME + text, 1)

    return change


@pytest.mark.parametrize("text", TEXTS)
def test_everybody_lands(
    text: bytes, start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    base_url = start_register(persons=120, batch_size=60)
    with tampered(base_url, _damaged(text)) as url:
        settings = make_settings(url)
        assert full_load(settings).accounting.failed == 0
        store = open_store(settings)
        strange = "SELECT count(*) FROM navn WHERE fornavn ~ '.*[\ufffd\x01].*'"
        assert query(store, strange).fetchall()[0][0] >= 1
        happen(base_url, 12)
        assert sync(settings)
        assert query(store, strange).fetchall()[0][0] >= 1
        kinds = "SELECT count(*) FROM hendelse WHERE hendelsetype ~ '.*[\ufffd\x01].*'"
        assert query(store, kinds).fetchall() == [(1,)]
        counted = "SELECT sum(antall) FROM ukjent_felt WHERE sti = 'navn.fornavn (ikke Unicode)'"
        assert (query(store, counted).fetchall()[0][0] is not None) == (text != b"\x01\n")
