"""The entry point of ``freg``. Signals are seen to before anything that takes time is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from freg_pipeline.interruption import watching
from freg_pipeline.spared import collect_later, spare_end, spare_imports


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end with its exit code.

    Args:
        arguments: this process's by default.
    """
    code = 1
    if arguments is None:
        ended = spare_end()
        spare_imports()
        collect_later()
    with watching(whole_process=arguments is None) as watch:
        try:
            watch.arm()
            from freg_pipeline.commands.root import run, tell_unraisable

            if arguments is None:
                sys.unraisablehook = tell_unraisable
            code = run(list(sys.argv[1:] if arguments is None else arguments))
        except BaseException:
            if not watch.received:
                raise
        if watch.received:
            watch.end()
    if arguments is None:
        ended(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
