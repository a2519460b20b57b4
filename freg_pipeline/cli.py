"""The entry point of ``freg``. Signals are seen to before anything that takes time is imported."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from freg_pipeline.interruption import watching


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end with its exit code.

    Args:
        arguments: this process's by default.
    """
    code = 1
    if arguments is None:
        # httpx's own command, which costs half of what importing httpx does.
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
        gc.set_threshold(100_000)  # what is imported lives on: looking it through is 8 % of a sync
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
    sys.exit(code)


if __name__ == "__main__":
    main()
