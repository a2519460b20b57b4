"""Each peer and each command: ``python -m freg_pipeline_tests.hostile.table``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from freg_pipeline_tests.hostile.meeting import COMMANDS, faults_of, met_by, settings_for
from freg_pipeline_tests.hostile.peers import PEERS
from freg_pipeline_tests.hostile.server import answering_by


def main() -> None:
    """Have each peer meet each command; tell what went wrong, and end with 1 where anything did."""
    found = []
    for command, arguments in COMMANDS.items():
        for peer in PEERS:
            with tempfile.TemporaryDirectory() as folder, answering_by(PEERS[peer]) as met:
                ended = met_by(peer, arguments, settings_for(met.url, Path(folder)))
            found += [f"{command}, {peer}: {what}" for what in faults_of(ended, peer, command)]
    sys.stdout.write(
        "\n".join([*found, f"{len(COMMANDS) * len(PEERS)} met, {len(found)} wrong", ""])
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
