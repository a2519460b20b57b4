"""A key, and a release of persons who name each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from freg_pipeline.lake.release import build_release
from freg_pipeline.pseudonyms.key import make_key
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.export.ruled import ADA, BO, CECILIE, OLD, related
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, navn


@pytest.fixture(scope="package")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    make_key(path)
    return path


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Ada, who had another number; Bo, in whose name hers stands; and Cecilie, who is protected."""
    store = local_store(tmp_path_factory.mktemp("made"))
    hidden = [{"erGjeldende": True, "graderingsnivaa": "fortrolig"}]
    people = [
        document(ADA, OLD, navn=[navn("Ada")], familierelasjon=related(CECILIE, BO)),
        document(
            BO, navn=[navn("Bo", f"Nordmann ({ADA[:6]} {ADA[6:]})")], familierelasjon=related(OLD)
        ),
        document(
            CECILIE,
            navn=[navn("Cecilie")],
            adressebeskyttelse=hidden,
            familierelasjon=related(ADA),
        ),
    ]
    build_release(
        store, deliver(store, "one", [(f"d-{one}", each) for one, each in enumerate(people)])
    )
    return store
