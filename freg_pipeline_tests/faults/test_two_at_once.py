"""Two processes that are told the same at the same moment, in a store that neither has seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.registers import status_of


def test_one_order_and_one_release_come_of_it(start_register: StartRegister, freg: RunFreg) -> None:
    url = start_register(persons=400, batch_size=50)
    command = ("uttrekk", "komplett", "--name", "one")
    with ThreadPoolExecutor() as threads:
        ended = list(threads.map(lambda _: freg(*command, FREG_BASE_URL=url), range(2)))
    assert [(one.code, one.lines[-1:]) for one in ended if one.code] == []
    assert status_of(url)["jobs"]["ordered"] == 1
    assert all("Release 000001" in one.stdout for one in ended)
