"""What goes wrong in what Dagster calls is told in our words, which hold nothing personal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.execution.plan.objects import StepFailureData

from freg_pipeline import orchestration
from freg_pipeline.errors import IncompleteError, PassingError, RefusedError
from freg_pipeline.lake.guards import FewerError
from freg_pipeline.orchestration.telling import in_our_words

CALLED_BY_DAGSTER = {"asset", "multi_asset", "asset_check", "multi_asset_check", "op", "sensor"}


def _called() -> Iterator[tuple[str, set[str]]]:
    """Each function that Dagster calls, and the names of its decorators."""
    for file in Path(*orchestration.__path__).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                names = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
                if names & {f"dg.{name}" for name in CALLED_BY_DAGSTER}:
                    yield f"{file.stem}.{node.name}", names


def test_every_function_that_dagster_calls_tells_in_our_words() -> None:
    called = dict(_called())
    assert "spot_check.check" in called
    assert [name for name, names in called.items() if "in_our_words" not in names] == []


def _failed(
    error: Exception, instance: DagsterInstance, retries: int = 0
) -> tuple[StepFailureData, int]:
    """How a run tells of an error, and how often it was tried."""
    tries = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=retries) if retries else None)
    @in_our_words
    def failing() -> None:
        tries.append(1)
        raise error

    @dg.job
    def job() -> None:
        failing()

    ended = job.execute_in_process(instance=instance, raise_on_error=False)
    (failed,) = [one for one in ended.all_events if one.is_step_failure]
    return failed.step_failure_data, len(tries)


def _shown(failed: StepFailureData) -> tuple[str, dict[str, object], str]:
    """The line, the table beside it, and the trace below it."""
    assert failed.error is not None
    assert failed.error.cause is None
    assert failed.error.context is None
    told = failed.user_failure_data
    assert told is not None
    table = {name: value.value for name, value in told.metadata.items()}
    return str(told.description), table, "".join(failed.error.stack)


def test_a_refusal_is_shown_by_its_line_with_what_to_do_and_without_where_it_was_raised(
    instance: DagsterInstance,
) -> None:
    refused = RefusedError("bulkoppslag answered 403", "Check your rights", status=403)
    failed, tries = _failed(refused, instance, retries=2)
    line, table, trace = _shown(failed)
    assert line == "bulkoppslag answered 403. Check your rights"
    assert table == {
        "what": "bulkoppslag answered 403",
        "what to do": "Check your rights",
        "kind of error": "Refused",
        "HTTP status": 403,
    }
    assert "raise error" not in trace
    assert tries == 1


def test_what_a_command_takes_as_an_option_is_told_as_the_forms_field(
    instance: DagsterInstance,
) -> None:
    refused = FewerError("far fewer persons", "To publish: freg uttrekk resume a --allow-fewer")
    _, table, _ = _shown(_failed(refused, instance)[0])
    assert table["or here"] == "Launch it again with allow_fewer: true"


def test_what_is_not_accounted_for_is_told_in_numbers(instance: DagsterInstance) -> None:
    refused = IncompleteError("not complete", counts={"failed": 3})
    _, table, _ = _shown(_failed(refused, instance)[0])
    assert table["failed"] == 3


def test_what_may_pass_is_tried_again_where_somebody_wants_that(instance: DagsterInstance) -> None:
    failed, tries = _failed(PassingError("503", "Later"), instance, retries=2)
    assert tries == 3
    assert failed.user_failure_data is not None
    assert failed.user_failure_data.description == "503. Later"


def test_what_nobody_has_foreseen_shows_where_it_was_raised_and_nothing_of_its_text(
    instance: DagsterInstance,
) -> None:
    failed, _ = _failed(ValueError("of 03851598730"), instance)
    line, _, trace = _shown(failed)
    assert line == "unforeseen ValueError. Run it again with --debug and report it"
    assert "raise error" in trace
    assert "03851598730" not in str(failed)


def test_a_sensor_raises_what_it_raised_before() -> None:
    @in_our_words
    def sensor() -> None:
        raise RefusedError("no")

    with pytest.raises(RefusedError, match="no"):
        sensor()
