"""The form on Dagster's page explains itself: each field, and what is wrong with a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster import DagsterInvalidConfigError, validate_run_config

from freg_pipeline.definitions import build_defs
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration import config
from freg_pipeline.orchestration.config import (
    WRITTEN,
    OrderConfig,
    OrderKind,
    PublishConfig,
    SyncConfig,
)

FORMS: list[type[dg.Config]] = [OrderConfig, PublishConfig, SyncConfig]


def _accepted(job: str, asset: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Dagster makes of a form that is filled in; raises where it refuses it."""
    filled_in = {"ops": {asset: {"config": fields}}}
    told = validate_run_config(build_defs().resolve_job_def(job), filled_in)
    accepted: Mapping[str, Any] = told["ops"][asset]["config"]
    return accepted


def _refused(**fields: object) -> str:
    with pytest.raises(DagsterInvalidConfigError) as caught:
        _accepted("full_load", "uttrekk", fields)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_field_is_described(form: type[dg.Config]) -> None:
    for name, field in form.model_fields.items():
        assert len(field.description or "") > 40, name
        if field.annotation not in (bool, int, config.OrderKind):  # which have no value by default
            assert "Example: " in (field.description or ""), name


@pytest.mark.parametrize("name", WRITTEN)
def test_the_example_of_a_criterion_is_taken(name: str) -> None:
    (example,) = yaml.safe_load_all(WRITTEN[name][1].removesuffix(" (in quotes)"))
    fields = {"kind": "tilpasset", "personstatustyper": ["bosatt"], name: example}
    form = OrderConfig(**_accepted("full_load", "uttrekk", fields))
    form.require_whole()
    asked = form.kriterier.to_register()
    assert str(example) in str(asked)


def test_a_wrong_value_is_told_with_those_that_may_be_written() -> None:
    assert "komplett | tilpasset | liste | begun" in _refused(kind="tilpaset")
    statuses = "aktiv | bosatt | utflyttet | doed | inaktiv"
    assert statuses in _refused(kind="tilpasset", personstatustyper=["bosat"])
    assert "kvinne | mann" in _refused(kind="tilpasset", kjoenn="K")


def test_what_has_no_such_field_or_no_kind_is_told_with_what_there_is() -> None:
    misspelt = _refused(kind="tilpasset", personstatustypr=["bosatt"])
    assert '"personstatustypr"' in misspelt
    assert "personstatustyper?: [(aktiv | bosatt" in misspelt
    assert '"kind"' in _refused(personstatustyper=["bosatt"])


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (OrderConfig(kind=OrderKind.komplett, feedsekvensnr=-1), "feedsekvensnr"),
        (SyncConfig(slices=0), "slices"),
    ],
    ids=["feedsekvensnr", "slices"],
)
def test_a_number_that_means_nothing_is_refused_in_our_words(
    form: OrderConfig | SyncConfig, field: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{field} is below"):
        form.require_whole()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_no_field_is_bounded_by_pydantic_which_tells_it_by_a_trace(form: type[dg.Config]) -> None:
    assert [name for name, field in form.model_fields.items() if field.metadata] == []
