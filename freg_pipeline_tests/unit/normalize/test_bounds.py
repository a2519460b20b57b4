"""Machine code reads and writes nothing beyond an answer and its buffers, whatever is in them."""

from __future__ import annotations

import random

from freg_pipeline_tests.fuzz.decoder import read_given, run
from freg_pipeline_tests.fuzz.made import PLANS, whole

SEEDS = 10_000  # as many answers; `make fuzz` tries a million

ONCE_FATAL = [
    b'{"oppslag":[{"folkeregisterperson":{"navn"]}',
    b'{"oppslag":[{"folkeregisterperson":{"navn" ]}',
    b'{"oppslag":[{"folkeregisterperson":{"navn":]}',
    b'{"oppslag":[{"folkeregisterperson":{"navn":[{"fornavn"]}',
    b'{"oppslag":[{"folkeregisterperson":{"alt":{"tom":{"navn":1}}}}]}',
]


def test_answers_that_once_ended_the_process() -> None:
    ended = read_given(ONCE_FATAL)
    assert ended.returncode == 0, ended.stderr


def test_an_answer_may_end_anywhere() -> None:
    bodies = []
    for plan in PLANS:
        body = whole(plan, ["a", "b"], random.Random(1))
        bodies += [body[:end] + tail for end in range(len(body)) for tail in (b"", b"]}")]
    ended = read_given(bodies)
    assert ended.returncode == 0, ended.stderr


def test_answers_made_wrong_at_random() -> None:
    assert run(0, SEEDS) is None
