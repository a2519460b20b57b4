"""Machine code that was compiled before: where it lies, and how it is loaded.

It lies in NUMBA_CACHE_DIR, in ``__pycache__`` beside the code, or in the user's cache folder: all
are looked into, so that code which an image holds is used where nothing can be written. It is
loaded by llvmlite alone. numba, by which it is compiled, keeps code as well, but takes half a
second and 60 MB to load any (docs/decisions/0101-machine-code-without-numba.md).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

Compiled = tuple[str, bytes]  # the function's name among those of an object file, and that file

_SUM = 32  # bytes of SHA-256, before the name; a zero is between that and the object file
# What compiled code calls to tell of an exception, and nothing else. Ours raises none.
_OF_EXCEPTIONS = (
    "NRT_Free",
    "numba_do_raise",
    "numba_gil_ensure",
    "numba_gil_release",
    "numba_runtime_build_excinfo_struct",
    "numba_unpickle",
)


def function_address(name: str, sources: str, compiled: Callable[[], Compiled]) -> int:
    """The address of a function in memory, which stays as long as the process.

    Args:
        name: what its file begins with.
        sources: tells which code exactly it was made of.
        compiled: compiles it, where nobody has done so for this machine.
    """
    file = f"{name}-{_key(sources)}.o"
    for folder in _folders():
        with suppress(OSError):
            found = _whole((folder / file).read_bytes())
            if found is not None:
                return _load(*found)
    made = compiled()
    for folder in _folders():
        if _keep(folder, file, made):
            break
    return _load(*made)


def _key(sources: str) -> str:
    """The code, what it is compiled by, and the processor that it is for, as numba is told that."""
    processor = os.environ.get("NUMBA_CPU_NAME")
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = "" if processor else llvm.get_host_cpu_features().flatten()
    made_by = (version("numba"), version("llvmlite"), llvm.get_process_triple())
    told = "\n".join((sources, *made_by, processor or llvm.get_host_cpu_name(), features))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _folders() -> Iterator[Path]:
    told = os.environ.get("NUMBA_CACHE_DIR")
    if told:
        yield Path(told)
    yield Path(__file__).parent / "__pycache__"
    with suppress(RuntimeError):  # nobody's home
        users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        yield Path(users) / "freg"


def _whole(content: bytes) -> Compiled | None:
    """What a file holds; None: not what was written."""
    rest = content[_SUM:]
    if hashlib.sha256(rest).digest() != content[:_SUM]:
        return None
    symbol, _, code = rest.partition(b"\0")
    return symbol.decode(), code


def _keep(folder: Path, file: str, made: Compiled) -> bool:
    """Write a file whole, where that can be done; else it is compiled again another time."""
    content = made[0].encode() + b"\0" + made[1]
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{file}.", delete=False) as writing:
            path = Path(writing.name)
            try:
                writing.write(hashlib.sha256(content).digest() + content)
                writing.flush()
                path.chmod(0o644)  # one who installs it for all
                path.replace(folder / file)
            except OSError:
                path.unlink()
                raise
        return True
    return False


def _load(symbol: str, code: bytes) -> int:
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return int(engine.get_function_address(symbol))


@cache
def _engine() -> Any:
    """What loads code, and keeps it."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    abort = ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value
    for name in _OF_EXCEPTIONS:
        llvm.add_symbol(name, abort)
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
