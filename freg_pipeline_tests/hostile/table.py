"""Each peer and each command, and as Maskinporten: ``python -m freg_pipeline_tests.hostile.table``.

With ``--flows`` loads and syncs that meet peers at one service, in place of commands that ask one
thing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from freg_pipeline_tests.hostile.flows import CASES, faults_in, flows
from freg_pipeline_tests.hostile.meeting import (
    COMMANDS,
    faults_of,
    met_by,
    settings_by_key,
    settings_for,
    written_key,
)
from freg_pipeline_tests.hostile.peers import PEERS, said
from freg_pipeline_tests.hostile.server import answering_by

Met = tuple[str, list[str]]


def _commands() -> Iterator[Met]:
    for command, arguments in COMMANDS.items():
        for peer in PEERS:
            with tempfile.TemporaryDirectory() as folder, answering_by(PEERS[peer]) as met:
                ended = met_by(peer, arguments, settings_for(met.url, Path(folder)))
            yield f"{command}, {peer}", faults_of(ended, peer, command)


def _tokens() -> Iterator[Met]:
    with tempfile.TemporaryDirectory() as folder, answering_by(said("200 OK", b"7")) as register:
        key_file = written_key(Path(folder))
        for peer in PEERS:
            with answering_by(PEERS[peer]) as met:
                settings = settings_by_key(register.url, met.url, key_file, Path(folder))
                ended = met_by(peer, ["sekvensnummer"], settings)
            wrong = faults_of(ended, peer, "a token")
            yield f"a token, {peer}", [*wrong, *(["used"] if register.heads else [])]


def _flows() -> Iterator[Met]:
    with tempfile.TemporaryDirectory() as folder, flows(Path(folder) / "base") as register:
        for number, case in enumerate(CASES):
            here = Path(folder) / f"met{number}"
            yield str(case), faults_in(*register.met(case, here), case)
            shutil.rmtree(here, ignore_errors=True)


def main() -> None:
    """Have each peer meet each command; tell what went wrong, and end with 1 where anything did."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--flows", action="store_true", help="loads and syncs in place of commands")
    told = parser.parse_args()
    met = wrong = 0
    for name, faults in _flows() if told.flows else chain(_tokens(), _commands()):
        met, wrong = met + 1, wrong + bool(faults)
        sys.stdout.writelines(f"{name}: {fault}\n" for fault in faults)
        sys.stdout.flush()
    sys.stdout.write(f"{met} met, {wrong} wrong\n")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
