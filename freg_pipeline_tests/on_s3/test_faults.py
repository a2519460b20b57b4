"""What stands between us and S3 fails and loses answers: the same comes of it, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from freg_pipeline.journal.releases import list_releases
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.on_s3.conftest import MakeSettings
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.registers import happen, status_of
from freg_pipeline_tests.s3 import Answer, Between, Fate, between
from freg_pipeline_tests.tables import miscounted

Fault = Callable[[Between, Counter[str]], None]


def every_seventh_fails(proxy: Between, made: Counter[str]) -> None:
    """Whatever is asked; what is asked again passes, as it does where a service is overloaded."""
    asked = count(1)

    def fail(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        if next(asked) % 7:
            return None
        made[method] += 1
        return 500, "InternalError"

    proxy.instead = fail


def every_fifth(wanted: str, fate: Fate) -> Fault:
    """Every fifth request of a method comes to that."""

    def fault(proxy: Between, made: Counter[str]) -> None:
        seen = count(1)

        def decide(method: str, path: str) -> Fate:
            if method != wanted or next(seen) % 5:
                return "whole"
            made[method] += 1
            return fate

        proxy.fate = decide

    return fault


@pytest.fixture
def proxy(radosgw: Radosgw, monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    with between(radosgw.endpoint) as there:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", there.address)
        yield there


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(every_seventh_fails, id="every_seventh_fails"),
        pytest.param(every_fifth("PUT", "lost"), id="every_fifth_put_is_done_and_not_answered"),
        pytest.param(every_fifth("GET", "cut"), id="every_fifth_answer_breaks_off"),
    ],
)
def test_a_load_and_a_sync_end_as_if_nothing_had_happened(
    fault: Fault,
    proxy: Between,
    start_register: StartRegister,
    make: MakeSettings,
    where: str,
    freg: RunFreg,
    radosgw: Radosgw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = start_register(persons=200, batch_size=100)
    made: Counter[str] = Counter()
    fault(proxy, made)

    def run(*words: str) -> str:
        ended = freg(*words, FREG_STORE=where, FREG_BASE_URL=url, FREG_POLL_SECONDS="0.05")
        assert ended.code == 0, ended.stderr
        return ended.stdout

    run("uttrekk", "komplett", "--name", "one")
    last = happen(url, 40)
    run("hendelser", "sync")
    assert run("sql", "SELECT nummer FROM utgivelse", "--format", "csv") == "nummer\n000002\n"
    assert sum(made.values()) > 10, "there were faults"

    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", radosgw.endpoint)
    store = open_store(make(url))
    first, second = sorted(list_releases(store), key=lambda one: one.number)
    assert (first.number, second.number) == ("000001", "000002"), "each published once"
    assert first.accounting.landed + first.accounting.merged == 200
    assert second.sekvensnummer == last
    assert verify(store) == []
    assert miscounted(store) == {}
    requests = status_of(url)["requests"]
    assert requests["uttrekk/komplett"] == 1
    assert store.list("open/") == []
