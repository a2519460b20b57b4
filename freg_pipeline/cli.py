"""The ``freg`` command.

Heavy imports wait until a command needs them, so that ``freg --help`` is quick.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.settings import Settings, load

if TYPE_CHECKING:
    from freg_pipeline.client import Register, TilpassetKriterier
    from freg_pipeline.lake.release import Manifest
    from freg_pipeline.store import Store

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_FLAGS: dict[str, tuple[Any, str]] = {
    "environment": (str, "Which register: syntetisk, konsumenttest, produksjon, …"),
    "base-url": (str, "Everything before /v1, in place of what environment and package give."),
    "rettighetspakke": (str, "The package of rights."),
    "parts": (str, "Comma-separated parts to ask for; everything unless told."),
    "store": (str, "A folder or s3://bucket/prefix."),
    "s3-endpoint": (str, "An S3 endpoint other than the default."),
    "concurrency": (int, "Look-ups under way at once."),
    "requests-per-minute": (int, "Upper limit for all requests."),
    "poll-seconds": (float, "Seconds between two questions for a batch."),
    "poll-timeout-hours": (float, "Hours to wait for a batch."),
}


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    if value is not None and value is not False:
        context.ensure_object(dict)[parameter.name] = value


def with_settings(command: F) -> F:
    """Give a command the flags that win over the environment's settings."""
    for name, (kind, text) in reversed(_FLAGS.items()):
        option = click.option(
            f"--{name}", type=kind, expose_value=False, callback=_remember, help=text
        )
        command = option(command)
    debug = click.option(
        "--debug", is_flag=True, expose_value=False, callback=_remember, help="Show tracebacks."
    )
    return debug(command)


def with_strictness(command: F) -> F:
    """Give a command the flags that let a release through all the same."""
    incomplete = click.option(
        "--allow-incomplete", is_flag=True, help="Release although something failed."
    )
    contract = click.option(
        "--accept-contract", is_flag=True, help="Release although the contract breaks queries."
    )
    return incomplete(contract(command))


def _settings() -> Settings:
    given = dict(click.get_current_context().ensure_object(dict))
    given.pop("debug", None)
    return load(**given)


def _store() -> Store:
    from freg_pipeline.store import open_store

    return open_store(_settings())


def _ask(question: Callable[[Register], Any]) -> Any:
    """Ask the register one thing."""
    from freg_pipeline.client import Register

    async def ask() -> Any:
        async with Register.from_settings(_settings()) as register:
            return await question(register)

    return asyncio.run(ask())


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="freg_pipeline")
@with_settings
def cli() -> None:
    """The population register (Folkeregisteret) as Parquet tables, queried with DuckDB."""


# -- the main job ------------------------------------------------------------------------------


@cli.command()
@click.option("--persons", type=click.IntRange(1, 10_000_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@with_settings
def demo(persons: int, seed: int) -> None:
    """Run the main job on an embedded synthetic register."""
    from freg_pipeline.demo import run_demo

    run_demo(_settings(), persons=persons, seed=seed)


@cli.group()
def uttrekk() -> None:
    """Order, fetch and release: everyone, or a selection."""


@uttrekk.command()
@click.option("--feedsekvensnr", type=click.IntRange(min=0), help="Where to begin.")
@click.option("--name", help="The uttrekk's name; one that is under way is gone on with.")
@with_strictness
@with_settings
def komplett(feedsekvensnr: int | None, name: str | None, **strictness: bool) -> None:
    """Everyone: order, poll, fetch, normalise, release."""
    _run_uttrekk(None, feedsekvensnr, name, strictness)


@uttrekk.command()
@click.option("--personstatustype", multiple=True, help="aktiv, bosatt, utflyttet, doed, inaktiv.")
@click.option("--bostedskommunenummer", help="Four digits.")
@click.option("--oppholdskommunenummer", help="Four digits; not together with the one above.")
@click.option("--foedselsaar-fra-og-med", help="A year.")
@click.option("--foedselsaar-til-og-med", help="A year.")
@click.option("--doedsaar-fra-og-med", help="A year.")
@click.option("--doedsaar-til-og-med", help="A year.")
@click.option("--kjoenn", help="kvinne or mann.")
@click.option("--statsborgerskap", help="ISO 3166-1 alpha-3, such as NOR.")
@click.option("--sivilstandstype", help="ugift, gift, skilt, …")
@click.option("--name", help="The uttrekk's name; one that is under way is gone on with.")
@with_strictness
@with_settings
def tilpasset(
    personstatustype: tuple[str, ...],
    name: str | None,
    allow_incomplete: bool,
    accept_contract: bool,
    **criteria: Any,
) -> None:
    """A selection: order, poll, fetch, normalise, release."""
    from freg_pipeline.client import TilpassetKriterier

    kriterier = TilpassetKriterier(personstatustyper=personstatustype, **criteria)
    strictness = {"allow_incomplete": allow_incomplete, "accept_contract": accept_contract}
    _run_uttrekk(kriterier, None, name, strictness)


def _run_uttrekk(
    kriterier: TilpassetKriterier | None,
    feedsekvensnr: int | None,
    name: str | None,
    strictness: dict[str, bool],
) -> None:
    from freg_pipeline.console import progress
    from freg_pipeline.orchestration.assets import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import run_uttrekk

    with progress() as begin:
        freg = Freg.from_settings(_settings(), begin)
        manifest = run_uttrekk(
            freg,
            kriterier=kriterier,
            feedsekvensnr=feedsekvensnr,
            name=name,
            release=ReleaseConfig(**strictness),
        )
    _tell_release(manifest, freg.store)


def _tell_release(manifest: Manifest, store: Store) -> None:
    from freg_pipeline.console import release_lines

    click.echo("\n".join(release_lines(manifest, store)))


@uttrekk.command()
@click.argument("name", required=False)
@with_settings
def status(name: str | None) -> None:
    """Where each uttrekk stands, or one of them."""
    from freg_pipeline.console import status_table
    from freg_pipeline.extract.uttrekk import Uttrekk

    store = _store()
    found = [Uttrekk(store, name)] if name else Uttrekk.list_all(store)
    click.echo(status_table([one.status() for one in found]))


@uttrekk.command()
@click.argument("name")
@click.option("--order-again", is_flag=True, help="Order anew where an order's fate is unknown.")
@with_strictness
@with_settings
def resume(name: str, order_again: bool, **strictness: bool) -> None:
    """Go on with an uttrekk from where it stands."""
    from freg_pipeline.console import progress
    from freg_pipeline.extract.uttrekk import Uttrekk
    from freg_pipeline.orchestration.assets import ReleaseConfig
    from freg_pipeline.orchestration.resources import Freg
    from freg_pipeline.orchestration.run import carry_on

    with progress() as begin:
        freg = Freg.from_settings(_settings(), begin)
        one = Uttrekk(freg.store, name)
        manifest = carry_on(freg, one, order_again=order_again, release=ReleaseConfig(**strictness))
    _tell_release(manifest, freg.store)


# -- what readers use --------------------------------------------------------------------------


@cli.command()
@click.argument("statement")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table"
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file.")
@with_settings
def sql(statement: str, form: str, output: Path | None) -> None:
    """Query the current release."""
    from freg_pipeline.lake.query import export, render

    if form == "parquet" and output is None:
        raise ConfigurationError("Parquet needs a file", "Name it with --output")
    if form == "table" and output is None:
        click.echo(render(_store(), statement, rows=200))
        return
    export(_store(), statement, "csv" if form == "table" else form, output)


@cli.group()
def release() -> None:
    """Look after releases."""


@release.command("list")
@with_settings
def list_releases() -> None:
    """All releases, the current one marked."""
    from freg_pipeline.console import release_table
    from freg_pipeline.lake.release import current_number
    from freg_pipeline.lake.release import list_releases as all_releases

    store = _store()
    click.echo(release_table(all_releases(store), current_number(store)))


@release.command()
@click.argument("number", required=False)
@with_settings
def show(number: str | None) -> None:
    """One release's tables and accounting; the current one unless told."""
    from freg_pipeline.console import release_lines, tables_table
    from freg_pipeline.lake.release import read_manifest, require_current

    store = _store()
    manifest = read_manifest(store, number) if number else require_current(store)
    click.echo("\n".join([*release_lines(manifest, store), "", tables_table(manifest)]))


@release.command()
@click.argument("number", required=False)
@with_settings
def verify(number: str | None) -> None:
    """Check every file of a release: there, its size, its hash, its rows."""
    from freg_pipeline.lake.release import verify as verify_release

    problems = verify_release(_store(), number)
    for problem in problems:
        click.echo(problem)
    if problems:
        raise FregError(
            f"{len(problems)} files of the release are not as they were written",
            "Restore them from a copy, or build the release anew from its uttrekk",
        )
    click.echo("Every file is as it was written.")


@release.command()
@click.argument("number", required=False)
@click.option("--keep", type=click.IntRange(min=1), help="Purge all but so many of the newest.")
@with_settings
def purge(number: str | None, keep: int | None) -> None:
    """Remove releases and the files that only they name. Never the current one."""
    from freg_pipeline.lake.release import purge as purge_releases

    if (number is None) == (keep is None):
        raise ConfigurationError("say what to purge", "Give a release's number, or --keep N")
    purged = purge_releases(_store(), number, keep=keep)
    click.echo(f"Purged: {', '.join(purged) if purged else 'nothing'}")


# -- single services ---------------------------------------------------------------------------


@cli.command()
@with_settings
def sekvensnummer() -> None:
    """The number of the last event in the register's event list."""
    click.echo(_ask(lambda register: register.hendelser.siste_sekvensnummer()))


@cli.command()
@click.argument("which", type=click.Choice(["person"]))
@with_settings
def xsd(which: str) -> None:
    """The contract in force."""
    del which
    sys.stdout.buffer.write(_ask(lambda register: register.personer.xsd()))


@cli.command()
@click.argument("identifikator", metavar="ID")
@with_settings
def person(identifikator: str) -> None:
    """One person's document by identity number, as the register gives it."""
    from freg_pipeline.identifiers import parse

    try:
        number = parse(identifikator).number
    except ValueError as error:
        raise ConfigurationError(f"that is no identity number: {error}", "Correct it") from None
    parts = _settings().parts
    answer = _ask(lambda register: register.personer.person(number, parts))
    sys.stdout.buffer.write(answer.body + b"\n")


@cli.command()
@with_settings
def check() -> None:
    """Settings, store, register and contract, before the first order."""
    settings = _settings()
    from freg_pipeline.preflight import preflight

    for line in asyncio.run(preflight(settings, _store())):
        click.echo(line)


@cli.group()
def synthetic() -> None:
    """A synthetic register to try the software on."""


@synthetic.command()
@click.option("--persons", type=click.IntRange(1, 10_000_000), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=8765, show_default=True)
@click.option("--batch-size", type=click.IntRange(1, 100_000), default=5_000, show_default=True)
@click.option("--latency-ms", type=click.IntRange(0, 60_000), default=0, show_default=True)
@click.option("--faults", default="", help="Such as 500=0.05,reset=#20: a rate, or every n-th.")
@click.option("--no-auth", is_flag=True, help="Accepted; nothing is asked for a token so far.")
def serve(host: str, port: int, no_auth: bool, **options: Any) -> None:
    """Serve the synthetic register; prints its base URL when it is ready."""
    del no_auth
    from freg_pipeline.synthetic import RegisterOptions
    from freg_pipeline.synthetic import serve as serve_register

    serve_register(RegisterOptions(**options), host, port, lambda url: click.echo(url))


# -- how it ends -------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; turn what went wrong into one line and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    logging.basicConfig(
        level=logging.INFO if debug else logging.WARNING,
        format="%(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)  # Dagster's own storage
    sys.exit(_exit_code(given, debug=debug))


def _exit_code(arguments: list[str], *, debug: bool) -> int:
    try:
        result = cli.main(arguments, prog_name="freg", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "freg"
        return _say(f"{error.format_message()} See {path} --help", 2)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted. Run the same command again: it goes on from where it stands", 130)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except FregError as error:
        if debug:
            traceback.print_exc()
        return _say(str(error), error.exit_code)
    except Exception as error:
        if debug:
            traceback.print_exc()
        # Its text is not shown: nobody knows what an unforeseen error quotes.
        return _say(
            f"unforeseen {type(error).__name__}. Run it again with --debug and report it", 1
        )
    return result if isinstance(result, int) else 0


def _say(line: str, code: int) -> int:
    click.echo(f"Error: {' '.join(line.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
