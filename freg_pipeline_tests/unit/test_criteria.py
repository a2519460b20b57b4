"""A criterion is defined once: whoever offers criteria offers all of them, described."""

from __future__ import annotations

import click
import msgspec
import pytest

from freg_pipeline.client import EntydigKriterier, SoekKriterier, TilpassetKriterier
from freg_pipeline.commands.soek import entydigsoek, soek
from freg_pipeline.commands.uttrekk import tilpasset
from freg_pipeline.criteria.described import criteria_of
from freg_pipeline.orchestration.config import OrderConfig

SERVICES = [TilpassetKriterier, SoekKriterier, EntydigKriterier]


@pytest.mark.parametrize("kriterier", SERVICES)
def test_every_criterion_says_what_it_means(kriterier: type[msgspec.Struct]) -> None:
    found = criteria_of(kriterier)
    assert tuple(one.name for one in found) == kriterier.__struct_fields__
    assert [one.name for one in found if not one.meaning.endswith(".")] == []


@pytest.mark.parametrize(
    ("command", "kriterier"),
    [(tilpasset, TilpassetKriterier), (soek, SoekKriterier), (entydigsoek, EntydigKriterier)],
)
def test_a_command_has_an_option_for_every_criterion(
    command: click.Command, kriterier: type[msgspec.Struct]
) -> None:
    options = {one.name: one for one in command.params if isinstance(one, click.Option)}
    for one in criteria_of(kriterier):
        assert (options[one.name].help or "").startswith(one.meaning.rstrip("."))
        assert options[one.name].multiple == one.several
        assert options[one.name].is_flag == (one.sort is bool)


def test_dagsters_page_has_a_field_for_every_criterion() -> None:
    for one in criteria_of(TilpassetKriterier):
        field = OrderConfig.model_fields[one.name]
        assert one.meaning in (field.description or "")
        assert not field.is_required()


def test_the_order_of_personstatustyper_makes_no_other_selection() -> None:
    one = TilpassetKriterier(personstatustyper=("doed", "bosatt", "doed"))
    assert one == TilpassetKriterier(personstatustyper=("bosatt", "doed"))
    assert one.to_register() == {"personstatustyper": ["bosatt", "doed"]}
