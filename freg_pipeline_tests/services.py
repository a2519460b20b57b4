"""PostgreSQL and Redis of Debian's on this machine's loopback, for tests of several machines.

All that they write lies in a folder that is given, and they live no longer than the thread that
started them, however its process ends.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import redis

from freg_pipeline_tests.deployment import free_port
from freg_pipeline_tests.waiting import started, wait_until

PACKAGES = {"postgres": "postgresql", "redis-server": "redis-server"}  # of Debian's, by program
WITH_US = ("setpriv", "--pdeathsig", "KILL")
_NOBODY = 65534  # PostgreSQL refuses to be run by root


def missing() -> list[str]:
    """The Debian packages that would have to be installed."""
    there = {"postgres": _of_postgres("postgres"), "redis-server": shutil.which("redis-server")}
    return sorted(PACKAGES[program] for program, path in there.items() if path is None)


def _of_postgres(program: str) -> str | None:
    """Debian keeps them where no PATH leads, by version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(found[-1]) if found else shutil.which(program)


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """A server; gives the environment that ``deploy/several/dagster.yaml`` finds it by."""
    port, password = free_port(), secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="freg-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(password)
        as_nobody: tuple[str, ...] = ()
        if os.geteuid() == 0:
            as_nobody = (f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
            for path in (folder, folder / "password"):
                os.chown(path, _NOBODY, _NOBODY)
        environment = {"PATH": os.environ["PATH"], "HOME": name, "LC_ALL": "C", "TZ": "UTC"}
        data = str(folder / "data")
        subprocess.run(
            [
                "setpriv", *as_nobody, str(_of_postgres("initdb")), "--pgdata", data,
                "--username", "dagster", "--auth", "scram-sha-256", "--encoding", "UTF8",
                "--pwfile", str(folder / "password"), "--no-sync", "--locale", "C",
            ],
            env=environment, cwd=name, check=True, capture_output=True, timeout=600,
        )  # fmt: skip
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "",
            "fsync": "off", "max_connections": 300,
        }  # fmt: skip
        options = [one for key, value in settings.items() for one in ("-c", f"{key}={value}")]
        command = [*WITH_US, *as_nobody, str(_of_postgres("postgres")), "-D", data, *options]
        found = {
            "DAGSTER_PG_USER": "dagster",
            "DAGSTER_PG_HOST": "127.0.0.1",
            "DAGSTER_PG_PORT": str(port),
            "DAGSTER_PG_DB": "postgres",
            "PGPASSWORD": password,
        }
        with (folder / "log").open("wb") as log:
            with started(command, stdout=log, stderr=log, env=environment, cwd=name) as process:
                wait_until(lambda: _answers(found), process, pause=0.05)
                yield found


def _answers(environment: Mapping[str, str]) -> bool:
    try:
        connect(environment).close()
    except psycopg2.OperationalError:
        return False
    return True


def connect(environment: Mapping[str, str]) -> Any:
    """A connection to the server."""
    return psycopg2.connect(
        host=environment["DAGSTER_PG_HOST"],
        port=environment["DAGSTER_PG_PORT"],
        user=environment["DAGSTER_PG_USER"],
        dbname=environment["DAGSTER_PG_DB"],
        password=environment["PGPASSWORD"],
    )


@contextmanager
def redis_server(folder: Path) -> Iterator[dict[str, str]]:
    """A server; gives the environment that Dagster and Celery find it by."""
    port, password = free_port(), secrets.token_hex(16)
    settings = {
        "bind": "127.0.0.1", "port": str(port), "save": "", "requirepass": password,
        "dir": str(folder),
    }  # fmt: skip
    given = "".join(f'{key} "{value}"\n' for key, value in settings.items())
    command = [*WITH_US, "redis-server", "-"]
    with (folder / "redis.log").open("wb") as log:
        with started(command, stdin=subprocess.PIPE, stdout=log, stderr=log) as process:
            assert process.stdin is not None
            process.stdin.write(given.encode())
            process.stdin.close()
            client = redis.Redis(port=port, password=password)
            wait_until(lambda: _pings(client), process, pause=0.05)
            client.close()
            url = f"redis://:{password}@127.0.0.1:{port}"
            yield {"DAGSTER_CELERY_BROKER": f"{url}/0", "DAGSTER_CELERY_BACKEND": f"{url}/1"}


def _pings(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False
