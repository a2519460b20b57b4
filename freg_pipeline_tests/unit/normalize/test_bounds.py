"""Machine code reads and writes nothing beyond an answer and its buffers, whatever is in them."""

from __future__ import annotations

import random
import subprocess
import sys

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


def test_a_decoder_that_is_wrong_is_noticed() -> None:
    """What each answer is held against tells of every value, and not only of how many there are."""
    command = [sys.executable, "-m", "freg_pipeline_tests.fuzz.mutants"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
