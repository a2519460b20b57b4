"""Whatever happened, in whichever order: a copy kept by files of changes is as the views are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from freg_pipeline.journal.pins import pin, unpin
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import list_releases
from freg_pipeline.lake import keys
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.restore import restore
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import personer, running, xsd
from freg_pipeline_tests.copies import Copy
from freg_pipeline_tests.flow.test_sync_equality import OPTIONS, Step, take
from freg_pipeline_tests.loads import full_load, sync

SHORT = b'<xs:element name="forkortetNavn" type="xs:string" minOccurs="0">'
NUMBER = b'<xs:element name="grunnkrets" type="xs:integer" minOccurs="0">'
# The contract, one with a column more, and one in which a column has another type as well.
ADDED = xsd().replace(
    SHORT, SHORT.replace(b"forkortetNavn", b"kallenavn") + b"</xs:element>" + SHORT
)
RETYPED = ADDED.replace(NUMBER, NUMBER.replace(b"xs:integer", b"xs:string"))
CONTRACTS = [xsd(), ADDED, RETYPED]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("happen"), st.integers(1, 120)),
        st.tuples(st.just("rename"), st.integers(1, 60)),
        st.tuples(st.just("merge"), st.integers(1, 2)),
        st.tuples(st.just("split"), st.just(1)),
        st.tuples(st.just("sync"), st.just(0)),
        st.tuples(st.just("compact"), st.just(0)),
        st.tuples(st.just("load"), st.just(0)),
        st.tuples(st.just("purge"), st.just(0)),  # all but what the copy has
        st.tuples(st.just("restore"), st.integers(0, 3)),
        st.tuples(st.just("buckets"), st.sampled_from([20, 40, 500_000])),  # persons in each
        st.tuples(st.just("contract"), st.integers(0, 2)),
        st.tuples(st.just("copy"), st.just(0)),
    ),
    min_size=4,
    max_size=8,
)


@settings(max_examples=1, deadline=None, database=None, derandomize=True)
@given(steps, st.integers(1, 1_000))
@example(
    [
        ("happen", 50),
        ("sync", 0),
        ("copy", 0),
        ("happen", 50),
        ("sync", 0),
        ("compact", 0),
        ("merge", 1),
        ("contract", 1),
        ("sync", 0),
        ("copy", 0),
        ("rename", 20),
        ("sync", 0),
        ("buckets", 20),
        ("load", 0),
        ("copy", 0),
        ("happen", 40),
        ("contract", 2),
        ("sync", 0),
        ("purge", 0),
        ("happen", 9),
        ("sync", 0),
        ("restore", 1),
    ],
    7,
)  # fmt: skip
def test_a_copy_is_as_the_views_are(course: list[Step], seed: int) -> None:
    options = replace(OPTIONS, seed=seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(options) as url,
        mock.patch.object(keys, "PERSONS_A_BUCKET", keys.PERSONS_A_BUCKET),
        mock.patch.object(personer, "xml_answer", Served(personer.xml_answer)) as served,
    ):
        chosen = load(base_url=url, store=f"{folder}/store", poll_seconds=0.02)
        full_load(chosen)
        copy = Copy(Path(folder))
        for step in [("copy", 0), *course, ("sync", 0), ("copy", 0)]:
            if step[0] == "contract":
                served.contract = CONTRACTS[step[1]]
            else:
                take_in_turn(step, url, chosen, copy)


class Served:
    """What the register answers: another contract than its own, once there is one."""

    def __init__(self, answer: Callable[[bytes], Response]) -> None:
        self.contract = xsd()
        self._answer = answer

    def __call__(self, content: bytes) -> Response:
        return self._answer(self.contract if content == xsd() else content)


def take_in_turn(step: Step, url: str, chosen: Settings, copy: Copy) -> None:
    store = open_store(chosen)
    what, number = step
    if what == "buckets":
        keys.PERSONS_A_BUCKET = number
    elif what == "sync":
        sync(chosen, accept_contract=True)
    elif what == "load":
        full_load(chosen, accept_contract=True)
    elif what == "purge":
        pinned_purge(store, copy)
    elif what == "restore":
        earlier = list_releases(store)[:-1]
        if earlier:
            restore(store, earlier[-1 - number % len(earlier)].number)
    elif what == "copy":
        copy.keep_up(store)
        assert copy.wrong(store) == {}
        assert copy.release == current_number(store)
    else:
        take(step, url, chosen)


def pinned_purge(store: Store, copy: Copy) -> None:
    pin(store, copy.release, "copy")
    purge(store, keep=1)
    unpin(store, "copy")
