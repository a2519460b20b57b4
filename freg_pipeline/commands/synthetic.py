"""``freg demo`` and ``freg synthetic``: a register to try the software on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from freg_pipeline.commands.opening import settings
from freg_pipeline.commands.options import with_settings


@click.command()
@click.option("--persons", type=click.IntRange(1, 10_000_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@with_settings
def demo(persons: int, seed: int) -> None:
    """Run the main job on an embedded synthetic register."""
    from freg_pipeline.demo import run_demo

    run_demo(settings(), persons=persons, seed=seed)


@click.group()
def synthetic() -> None:
    """A synthetic register to try the software on."""


@synthetic.command()
@click.option("--persons", type=click.IntRange(1, 10_000_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True)
@click.option("--batch-size", type=click.IntRange(1, 100_000), default=5_000, show_default=True)
@click.option("--latency-ms", type=click.IntRange(0, 60_000), default=0, show_default=True)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(0, 1_000_000),
    default=0,
    show_default=True,
    help="Refuse more from one address with 429, as the real register does; 0: no limit.",
)
@click.option(
    "--faults", default="", help="For example 500=0.05,reset=#20: a rate, or every n-th request."
)
@click.option(
    "--events-per-minute",
    type=click.FloatRange(0, 1_000_000),
    default=0,
    show_default=True,
    help="Events per minute; an ordinary day of the register has 14.",
)
@click.option(
    "--wave",
    type=click.IntRange(0, 10_000_000),
    default=0,
    show_default=True,
    help="Start with this many events of one kind, with a code that the contract doesn't list.",
)
@click.option(
    "--unknown-kinds",
    type=click.FloatRange(0, 1),
    default=0,
    show_default=True,
    help="Share of changes reported by an event kind that no contract lists.",
)
@click.option(
    "--history-months",
    type=click.FloatRange(0),
    default=36,
    show_default=True,
    help="Rows that became history longer ago than this are gone.",
)
@click.option(
    "--refused-part",
    "refused_parts",
    multiple=True,
    metavar="PART",
    default=["forholdTilSametingetsValgmanntall"],
    show_default=True,
    help=(
        "A part that is refused with 400 although the contract names it; may be repeated. An "
        "empty value refuses none."
    ),
)
@click.option(
    "--fiks-refuses/--fiks-leaves-out",
    default=True,
    show_default=True,
    help="Through Fiks, refuse a part that exceeds the role's rights, or leave the excess out.",
)
@click.option(
    "--old-hendelser",
    type=click.Choice(["400", "left-out"]),
    default="400",
    show_default=True,
    help=(
        "How hendelser/bulkoppslag answers when one document is too old: 400 for the whole "
        "request, or the others only."
    ),
)
@click.option(
    "--no-hits",
    type=click.Choice(["404", "empty"]),
    default="404",
    show_default=True,
    help="How a search without hits is answered: 404, or an empty list.",
)
@click.option(
    "--strict-criteria",
    is_flag=True,
    help=(
        "Refuse criteria of uttrekk/tilpasset that no description names, instead of ignoring them."
    ),
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="An extra Maskinporten scope that every package accepts; may be repeated.",
)
@click.option("--no-auth", is_flag=True, help="Require no token.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help=(
        "The folder that keeps populations of more than 20,000, so that the next start takes "
        "seconds. Default: freg/synthetic in $XDG_CACHE_HOME or ~/.cache."
    ),
)
@click.option("--no-cache", is_flag=True, help="Keep none, and make a large one for each start.")
def serve(
    host: str, port: int, no_auth: bool, cache: Path | None, no_cache: bool, **options: Any
) -> None:
    """Serve the synthetic register; prints its base URL when it is ready."""
    from freg_pipeline.console import progress
    from freg_pipeline.synthetic import RegisterOptions, default_folder
    from freg_pipeline.synthetic import serve as serve_register

    kept = None if no_cache else cache or default_folder()
    register = RegisterOptions(auth=not no_auth, cache=kept, **options)
    serve_register(register, host, port, lambda url: click.echo(url), progress)
