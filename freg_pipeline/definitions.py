"""The entry point for Dagster: ``dagster dev -m freg_pipeline.definitions``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.resources import Freg


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Return a fresh code location.

    Args:
        overrides: settings that win over the environment, by their names in
            :class:`freg_pipeline.settings.Settings`.
    """
    return make_definitions(Freg(overrides))


defs = build_defs()
