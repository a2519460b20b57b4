"""``make ui``: Dagster's page and daemon with a synthetic register behind them, until Ctrl-C.

The register runs in this process and its people live: things happen to them by the clock. Dagster's
processes are a session of their own, so that Ctrl-C reaches this one alone, which then ends all of
them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click

from freg_pipeline.console import progress
from freg_pipeline.errors import ConfigurationError, FregError, StoreError
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import ACCESS, load
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import RegisterOptions, default_folder, running

HOST = "127.0.0.1"
PATIENCE_SECONDS = 10.0  # for Dagster to stop by itself,
RUNS_PATIENCE_SECONDS = 5.0  # and then for its runs
MOST_LIVED = 500_000  # event numbers, some ten days of this register's; half a minute of work
_LOOK_SECONDS = 0.1
# `dagster dev` says that it is superseded by dg, which would be one more thing to install.
_NO_NEWS = "ignore:Function `dev_command` is superseded"


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=3000, show_default=True)
@click.option("--register-port", type=click.IntRange(1, 65_535), default=8765, show_default=True)
@click.option("--persons", type=click.IntRange(1, 10_000_000), default=20_000, show_default=True)
@click.option(
    "--events-per-minute",
    type=click.FloatRange(0, 1_000_000),
    default=14,
    show_default=True,
    help="How fast things happen; an ordinary day of the register has 14.",
)
def main(port: int, register_port: int, persons: int, events_per_minute: float) -> None:
    """Show the pipeline on Dagster's page, with a synthetic register that lives behind it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _as_ctrl_c)  # what is started has them as usual, whatever was ignored
    options = RegisterOptions(
        persons=persons,
        events_per_minute=events_per_minute,
        auth=True,
        cache=default_folder(),
    )
    try:
        show(options, port=port, register_port=register_port)
    except FregError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        click.echo("Stopped")


def show(options: RegisterOptions, *, port: int, register_port: int) -> None:
    """Serve both until something ends them.

    Args:
        options: of the register.
        port: of Dagster's page.
        register_port: of the register.

    Raises:
        ConfigurationError: a port is taken, or DAGSTER_HOME isn't set.
        FregError: Dagster has ended by itself.
        KeyboardInterrupt: it is to stop.
    """
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        raise ConfigurationError("DAGSTER_HOME isn't set", "Use make ui")
    require_free(port, "PORT")
    require_free(register_port, "REGISTER_PORT")
    store = _whole(os.environ.get("FREG_STORE", "data"))
    options = replace(options, lived_to=followed_to(store))
    with running(options, port=register_port, progress=progress) as base_url:
        environment = of_synthetic(os.environ, base_url, store)
        location = ["--module-name", "freg_pipeline.definitions"]
        with dagster(Path(home), location, port, environment) as process:
            click.echo(
                f"The page will be at http://{HOST}:{port}; Ctrl-C stops everything\n"
                f"Behind it is a register of {options.persons:,} persons, with "
                f"{options.events_per_minute:g} events a minute"
            )
            code = process.wait()
        raise FregError(f"Dagster has ended (exit code {code})", "Its own lines above say why")


def of_synthetic(given: Mapping[str, str], base_url: str, store: str) -> dict[str, str]:
    """An environment for a synthetic register: without what opens another, or is told of it."""
    left_out = {f"FREG_{name.upper()}" for name in (*ACCESS, "alerts")}
    return {
        **{name: value for name, value in given.items() if name.upper() not in left_out},
        "FREG_ENVIRONMENT": "syntetisk",
        "FREG_BASE_URL": base_url,
        "FREG_STORE": store,
    }


def followed_to(store: str) -> int:
    """The event up to which a store knows the register: started again, it is no younger than that.

    0 where nothing is known, or so much that it was another register.
    """
    try:
        opened = open_store(load(environment="syntetisk", store=store))
        current = current_release(opened)
        known = [one.request.sekvensnummer for one in Uttrekk.list_open(opened)]
    except StoreError:
        return 0  # the page shows what is wrong with it
    last = max([*known, current.sekvensnummer if current is not None else 0], default=0)
    return last if last <= MOST_LIVED else 0


def require_free(port: int, name: str) -> None:
    """See that a port can be used.

    Raises:
        ConfigurationError: it can't; says what of ``make ui`` chooses another.
    """
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise ConfigurationError(
            f"the address {HOST}:{port} can't be used: {os.strerror(error.errno or 0)}",
            f"End what uses it, or choose another: make ui {name}={port + 1}",
        ) from None


@contextmanager
def dagster(
    home: Path,
    location: Sequence[str],
    port: int,
    environment: Mapping[str, str],
    output: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's page, daemon and code server, all of which end with the block.

    Args:
        home: its DAGSTER_HOME.
        location: which code, as ``dagster dev`` is told it.
        port: of the page.
        environment: of all of its processes.
        output: what they write to; by default what this process does.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster", "dev", "--port", str(port), *location],
        cwd=home,  # it warns where it finds another dagster.yaml
        env={**environment, "DAGSTER_HOME": str(home), "PYTHONWARNINGS": _NO_NEWS},
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, by and by less politely; nothing of it is left."""
    with suppress(subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)  # runs: they record that they were stopped
        deadline = time.monotonic() + RUNS_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(_LOOK_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _whole(store: str) -> str:
    return store if "://" in store else str(Path(store).absolute())


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
