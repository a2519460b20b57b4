"""What Dagster's records say is wrong: runs that failed and haven't succeeded since, and checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterInstance
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from freg_pipeline.alerts.incidents import Incident, Sign
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.failing import Ours, failed_checks, failures
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.trouble import look as trouble
from freg_pipeline.settings import AlertKind
from freg_pipeline_tests.recorded_runs import cancelled, failed, succeeded
from freg_pipeline_tests.unit.lake.delivered import deliver, document, number

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TAGS = {"freg/by": "test"}  # a run of ours carries one, or names the code location
MakeFreg = Callable[..., Freg]


@pytest.fixture(scope="module")
def ours() -> Ours:
    return Ours.of(Names(), make_definitions(Freg()))


def look(instance: DagsterInstance, ours: Ours, *before: Sign) -> list[Sign]:
    open_ = {
        one.key: Incident(one.what, one.remedy, one.at, one.at, parts=dict(one.parts))
        for one in before
    }
    since = LONG_AGO if not before else datetime.now(UTC) + timedelta(hours=1)
    return failures(instance, ours, since, open_)[0]


def test_what_failed_and_has_not_succeeded_since_is_wrong(
    instance: DagsterInstance, ours: Ours
) -> None:
    succeeded(instance, "sync_hendelser")
    failed(instance, "sync_hendelser")
    run = failed(instance, "sync_hendelser")
    (sign,) = look(instance, ours)
    assert sign.key == "run/sync_hendelser/"
    assert sign.what.startswith("sync_hendelser failed: ")
    assert (sign.times, sign.link) == (2, f"runs/{run.run_id}")
    (still,) = look(instance, ours, sign)
    assert (still.key, still.what, still.times) == (sign.key, sign.what, 0)
    succeeded(instance, "sync_hendelser")
    assert look(instance, ours) == []
    assert look(instance, ours, sign) == []


def test_the_batches_of_an_uttrekk_are_one_trouble_and_it_is_over_when_the_last_one_is(
    instance: DagsterInstance, ours: Ours
) -> None:
    for batch in ("one/000000", "one/000001", "two/000000"):
        failed(instance, "land_batch", batch)
    succeeded(instance, "land_batch", "one/000002")
    one, two = sorted(look(instance, ours), key=lambda sign: sign.key)
    assert one.what.startswith("land_batch of one failed for 2 partitions: ")
    assert two.what.startswith("land_batch of two failed: ")
    succeeded(instance, "land_batch", "one/000001")
    (left,) = look(instance, ours, one)
    assert set(left.parts) == {"one/000000"}
    succeeded(instance, "land_batch", "one/000000")
    assert look(instance, ours, one) == []
    failed(instance, "land_batch", "one/000001")
    assert {sign.key for sign in look(instance, ours)} == {one.key, two.key}


def test_a_run_that_was_counted_is_not_counted_again(instance: DagsterInstance, ours: Ours) -> None:
    failed(instance, "sync_hendelser")
    (first,), seen = failures(instance, ours, LONG_AGO)
    failed(instance, "sync_hendelser")
    (second,), _ = failures(instance, ours, LONG_AGO, seen=seen)
    assert (first.times, second.times) == (1, 1)


def test_others_jobs_in_the_deployment_are_none_of_ours(
    instance: DagsterInstance, ours: Ours
) -> None:
    failed(instance, "their_job")
    failed(instance, "purge", ours=False)  # made in a process of their own: it names no location
    theirs = RemoteJobOrigin(
        repository_origin=RemoteRepositoryOrigin(
            code_location_origin=RegisteredCodeLocationOrigin("theirs"), repository_name="r"
        ),
        job_name="purge",
    )
    failed(instance, "purge", origin=theirs)
    assert look(instance, Ours(ours.names, ours.jobs, location="ours")) == []
    (sign,) = look(instance, Ours(ours.names, ours.jobs, location="theirs"))
    assert sign.key == "run/purge/"
    prefixed = Ours(Names(("kommune",)), frozenset({"kommune__purge"}))
    assert look(instance, prefixed) == []


def test_why_it_failed_is_told_in_our_own_words_only(
    instance: DagsterInstance, ours: Ours, make_freg: MakeFreg
) -> None:
    """A refusal says what to do; what Dagster says of a configuration quotes what was filled in."""
    job = make_definitions(make_freg("http://127.0.0.1:1")).resolve_job_def("publish_release")
    job.execute_in_process(instance=instance, raise_on_error=False, tags=TAGS)
    (sign,) = look(instance, ours)
    assert "0 uttrekk wait for their release. Name the one that you mean" in sign.what

    @dg.op
    def quotes() -> None:
        msg = "no such person: 01017012345"
        raise ValueError(msg)

    @dg.job(name="purge")
    def purge() -> None:
        quotes()

    purge.execute_in_process(instance=instance, raise_on_error=False, tags=TAGS)
    told = next(one for one in look(instance, ours) if one.key == "run/purge/")
    assert told.what == "purge failed: it ended with ValueError"
    assert told.remedy == "Look at the run"


def evaluated(
    instance: DagsterInstance, key: dg.AssetCheckKey, *, passed: bool, warns: bool = False
) -> None:
    severity = dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR
    made = dg.AssetCheckEvaluation(
        asset_key=key.asset_key, check_name=key.name, passed=passed, severity=severity
    )
    instance.report_runless_asset_event(made)


def test_a_check_that_failed_is_wrong_until_it_passes_and_a_warning_where_it_is_wanted(
    instance: DagsterInstance, ours: Ours
) -> None:
    check = next(key for key in ours.checks if key.name == "keys_unique")
    evaluated(instance, check, passed=False)
    (sign,) = failed_checks(instance, ours, warnings=False)
    assert "the check keys_unique of" in sign.what
    assert sign.link.endswith("checkDetail=keys_unique")
    evaluated(instance, check, passed=True)
    assert failed_checks(instance, ours, warnings=True) == []
    evaluated(instance, check, passed=False, warns=True)
    assert failed_checks(instance, ours, warnings=False) == []
    assert len(failed_checks(instance, ours, warnings=True)) == 1


def test_a_blocking_check_is_told_by_its_run_and_not_twice(ours: Ours) -> None:
    names = {key.name for key in ours.checks}
    assert "position_moved" in names
    assert not names & {"same_kind", "not_far_fewer", "accounted_for", "rows_kept"}


def test_what_failed_for_an_uttrekk_that_is_done_is_over(
    instance: DagsterInstance, ours: Ours, make_freg: MakeFreg
) -> None:
    """Whoever released it, in another place too: nobody has to see to it any more."""
    freg = make_freg("http://127.0.0.1:1", late_sync_hours=0, late_full_load_days=0)
    uttrekk = deliver(freg.store, "one", [("d1", document(number(1)))])
    failed(instance, "land_batch", "one/000000")
    failed(instance, "full_load", "Not a name of ours")
    kinds: frozenset[AlertKind] = frozenset({"failures"})
    keys = {sign.key for sign in trouble(instance, ours, freg, kinds).signs}
    assert keys == {"run/land_batch/one", "run/full_load/Not a name of ours"}
    build_release(freg.store, uttrekk)
    keys = {sign.key for sign in trouble(instance, ours, freg, kinds).signs}
    assert keys == {"run/full_load/Not a name of ours"}


def test_what_somebody_cancelled_waits_until_it_is_launched_again_or_given_up(
    instance: DagsterInstance, ours: Ours, make_freg: MakeFreg
) -> None:
    freg = make_freg("http://127.0.0.1:1", late_sync_hours=0, late_full_load_days=0)
    uttrekk = deliver(freg.store, "one", [("d1", document(number(1)))], land=False)

    def waits() -> list[Sign]:
        return trouble(instance, ours, freg, frozenset({"waiting"})).signs

    cancelled(instance, "land_batch", "one/000000")
    (sign,) = waits()
    assert sign.what.startswith("land_batch of one was cancelled")
    assert sign.patience == timedelta(days=1), (
        "who cancels knows of it; the others hear of it later"
    )
    succeeded(instance, "land_batch", "one/000000")
    assert waits() == []
    cancelled(instance, "land_batch", "one/000000")
    assert len(waits()) == 1
    uttrekk.abandon()
    assert waits() == []
