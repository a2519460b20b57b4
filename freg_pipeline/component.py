"""A store as a component of Dagster's: what :func:`build_defs` takes, written in YAML."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

import dagster as dg
import docstring_parser
from dagster.components.component_scaffolding import scaffold_component
from pydantic import Field, SecretStr, create_model
from pydantic.fields import FieldInfo

from freg_pipeline.component_scaffolding import Wanted, write_defs
from freg_pipeline.definitions import build_defs
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration.running import BY_DEFAULT
from freg_pipeline.settings import Settings

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def _sort(field: FieldInfo) -> Any:
    """What a setting is, apart from None."""
    annotation = field.annotation
    sorts = [one for one in get_args(annotation) if one is not NoneType]
    return sorts[0] if NoneType in get_args(annotation) else annotation


def _attribute(name: str, field: FieldInfo) -> tuple[Any, Any]:
    """How a setting is written in YAML."""
    sort = _sort(field)
    written = list[str] if get_origin(sort) is tuple else str if sort is Path else sort
    default = "" if field.default in (None, ()) else f" Default: {field.default}."
    return written | None, Field(default=None, description=f"{_MEANINGS[name]}{default}")


def _meanings() -> dict[str, str]:
    """Those of all settings, each a sentence."""
    documented = docstring_parser.parse(inspect.getdoc(Settings) or "").params
    texts = {one.arg_name: " ".join((one.description or "").split()) for one in documented}
    return {name: text[:1].upper() + text[1:] for name, text in texts.items()}


_MEANINGS = _meanings()

if TYPE_CHECKING:
    _Settings = dg.Model
else:
    _Settings = create_model(
        "_Settings",
        __base__=dg.Model,
        **{
            name: _attribute(name, field)
            for name, field in Settings.model_fields.items()
            if name != "key_prefix" and _sort(field) is not SecretStr  # no secret in a file
        },
    )


class FregScaffolder(dg.Scaffolder[Wanted]):
    """What ``dg scaffold defs freg_pipeline.FregComponent`` does."""

    @classmethod
    def get_scaffold_params(cls) -> type[Wanted]:
        """What the command may be told."""
        return Wanted

    def scaffold(self, request: dg.ScaffoldRequest[Wanted]) -> None:
        """Write ``defs.yaml``; for those who prefer Python, what Dagster writes."""
        if request.scaffold_format == "yaml":
            write_defs(request, FregComponent.model_fields)
        else:
            scaffold_component(request)


@dg.scaffold_with(FregScaffolder)
class FregComponent(dg.Component, dg.Resolvable, _Settings):
    """A store of the population register: fetched, published and kept current.

    Its settings are attributes here; those that aren't given are read from the environment, by
    their published names (FREG_STORE and so on). Secrets are always read from there.
    """

    key_prefix: str | list[str] | None = Field(
        default=None,
        description=(
            "What every name in Dagster begins with: each store of a deployment has its own."
            " Letters, digits and single underscores, with / between parts."
        ),
    )
    running: list[str] | None = Field(
        default=None,
        description=(
            "The sensors and schedules that run from the start, by their names without the prefix."
            f" Default: {', '.join(BY_DEFAULT.names)}."
        ),
    )
    executor: str = Field(
        default="in_process",
        description=(
            "By what the steps of a run are run: in_process (quickest, and fit for every pool of"
            " workers), multiprocess, or deployment (that of the project's own definitions)."
        ),
    )
    variables: dict[str, str] = Field(
        default={},
        description=(
            "Settings that this store reads from environment variables of its own, each with the"
            " variable's name: token: KUNDER_TOKEN. The way for secrets of several stores."
        ),
    )

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What Dagster's catalogue of components says."""
        return dg.ComponentTypeSpec(
            description="The Norwegian population register as Parquet tables, kept current.",
            owners=["team:folkeregisteret"],
            tags=["folkeregisteret", "duckdb", "parquet"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Everything of the store.

        Raises:
            ConfigurationError: as :func:`freg_pipeline.definitions.build_defs`; what stands as a
                variable is none, or a setting stands in both places.
        """
        del context
        given: dict[str, Any] = self.model_dump(exclude_none=True, exclude={"variables"})
        for name, variable in self.variables.items():
            if not _VARIABLE.fullmatch(variable):  # which may be the secret itself: untold
                raise ConfigurationError(
                    f"what stands as the variable of {name} is no variable's name",
                    "Write the name of an environment variable, in capitals, never a value",
                )
            if name in given:
                raise ConfigurationError(
                    f"{name} stands both as an attribute and under variables", "Remove one"
                )
            given[name] = dg.EnvVar(variable)
        return build_defs(**given)
