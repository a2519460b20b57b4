"""The settings of one store as they are given in code: values, or the variables that hold them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.outside import showable
from freg_pipeline.settings import Settings, checked


class _Given(Settings):
    """What is given, and nothing of the environment: that may be another when it is used."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, others, more
        return (init_settings,)


def require_given(given: Mapping[str, Any]) -> None:
    """See that they are settings, with values that they can have. No variable is looked at yet.

    Raises:
        ConfigurationError: a name is none of a setting, or a value is wrong.
    """
    known = Settings.model_fields
    for name in given:
        if name not in known:
            like = get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f"there is no setting {showable(name)}",
                f"Did you mean {like[0]}?" if like else f"There are {', '.join(known)}",
            )
    checked(_Given, {name: value for name, value in given.items() if _variable(value) is None})


def read_given(given: Mapping[str, Any]) -> dict[str, Any]:
    """Their values, with those of variables as they are now.

    Raises:
        ConfigurationError: a variable isn't set.
    """
    return {name: _read(name, value) for name, value in given.items()}


def _read(name: str, value: Any) -> Any:
    variable = _variable(value)
    if variable is None:
        return value
    found = os.environ.get(variable)
    if not found:  # what FREG_… says may be another store's: going on with that would mix them up
        raise ConfigurationError(
            f"the environment variable {showable(variable)} isn't set",
            f"Set it: this store's setting {name} is read from it",
        )
    return found


def _variable(value: Any) -> str | None:
    """The name of one, as ``dagster.EnvVar`` and ``dagster.EnvVar.int`` have it."""
    found: str | None = getattr(value, "env_var_name", None)
    return found
