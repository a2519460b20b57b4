"""Populations that are kept on disk, since a large one takes a minute to make.

A population is a folder, named by what it depends on: persons, seed, the code that made it and
Python's minor version. It is made beside its place and renamed, whole, when it is finished; all of
it is checked before it is used, and what is damaged is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.synthetic.files import DamagedError, load
from freg_pipeline.synthetic.making import make_in
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.population import Population, make
from freg_pipeline.synthetic.progress import Begin
from freg_pipeline.synthetic.writing import STRETCH

_MOST = 3  # populations kept
_DAYS = 30  # since one was last used
_PREFIX = "population-"
_UNFINISHED = ".part"


def default_folder() -> Path | None:
    """Where populations are kept: under the user's folder for what can be made again.

    None for a user without a home, as in some containers: nothing is kept then.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            return None
    return base / "freg" / "synthetic"


def population_of(options: RegisterOptions, begin: Begin) -> Population:
    """The population of a register: a small one made now, a large one kept or made.

    Raises:
        ConfigurationError: it can't be kept where it should be.
    """
    if options.persons <= STRETCH:
        return make(options.seed, options.persons)
    if options.cache is None:
        # What is open can be read after it is gone.
        with tempfile.TemporaryDirectory(prefix="freg-synthetic-") as name:
            return _made(Path(name), options, begin)
    place = options.cache / _name(options)
    try:
        options.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _found(place) or _kept(place, options, begin)
    except OSError as error:
        raise ConfigurationError(
            f"the population can't be kept in {options.cache}: {error.strerror or error}",
            "Make room there, choose another --cache, or use --no-cache",
        ) from None


def _found(place: Path) -> Population | None:
    """A population that is there, whole and undamaged."""
    if not place.exists():
        return None
    try:
        population = load(place)
    except DamagedError:
        return None
    os.utime(place)
    return population


def _kept(place: Path, options: RegisterOptions, begin: Begin) -> Population:
    """Make a population and keep it, but where another process does so meanwhile."""
    with _alone(place.parent):
        found = _found(place)
        if found is not None:
            return found
        _remove(place)
        _sweep(place.parent)
        making = Path(tempfile.mkdtemp(prefix=place.name, suffix=_UNFINISHED, dir=place.parent))
        try:
            population = _made(making, options, begin)
            making.rename(place)
        finally:
            _remove(making)
        return population


def _made(folder: Path, options: RegisterOptions, begin: Begin) -> Population:
    make_in(folder, options.seed, options.persons, STRETCH, begin)
    return load(folder)


def _name(options: RegisterOptions) -> str:
    return f"{_PREFIX}{options.persons}-{options.seed}-{_version()}"


@cache
def _version() -> str:
    """What made a population: this package's sources, and the Python that ran them."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {sys.byteorder}".encode())
    for source in _sources(files("freg_pipeline.synthetic")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _sources(folder: Traversable) -> Iterator[Traversable]:
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        if one.is_dir():
            yield from _sources(one)
        elif one.name.endswith(".py"):
            yield one


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time make populations here."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when it is closed, or its process dies
        yield


def _sweep(folder: Path) -> None:
    """Make room for one more: remove what hasn't been used for long, and what isn't finished.

    Whoever makes one does it alone, so what isn't finished was left by a process that was killed.
    """
    kept = []
    for one in folder.glob(f"{_PREFIX}*"):
        if one.name.endswith(_UNFINISHED):
            _remove(one)
        else:
            kept.append((one.stat().st_mtime, one))
    oldest = time.time() - _DAYS * 24 * 3600
    for place, (used, one) in enumerate(sorted(kept, reverse=True)):
        if place >= _MOST - 1 or used < oldest:
            _remove(one)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
