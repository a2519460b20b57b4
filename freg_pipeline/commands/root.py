"""The ``freg`` command: its groups put together, and how what goes wrong is told."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from importlib import import_module

import click

from freg_pipeline.commands.options import Setting, with_settings
from freg_pipeline.errors import UnforeseenError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.interruption import interrupted
from freg_pipeline.outside import MaskedFormatter, masked, showable

# Where each command is defined. Only the one that is asked for is imported.
_COMMANDS = {
    "access-log": "access_log:access_log",
    "catalogue": "catalogue:catalogue",
    "check": "services:check",
    "compact": "release:compact",
    "completion": "completion:completion",
    "dbt-sources": "dbt:dbt_sources",
    "demo": "synthetic:demo",
    "erase": "erase:erase",
    "entydigsoek": "soek:entydigsoek",
    "export": "export:export",
    "feed": "services:feed",
    "hendelse": "services:hendelse",
    "hendelser": "hendelser:hendelser",
    "load": "load:load",
    "person": "services:person",
    "person-arkiv": "services:person_arkiv",
    "release": "release:release",
    "retention": "retention:retention",
    "sekvensnummer": "services:sekvensnummer",
    "soek": "soek:soek",
    "changes": "changes:changes",
    "sql": "sql:sql",
    "stored": "stored:stored",
    "status": "status:status",
    "synthetic": "synthetic:synthetic",
    "uttrekk": "uttrekk:uttrekk",
    "xsd": "services:xsd",
}


class _Commands(click.Group):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"freg_pipeline.commands.{module}"), name)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        settings: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                (settings if isinstance(parameter, Setting) else own).append(record)
        with formatter.section("Options"):
            formatter.write_dl(own)
        with formatter.section("Settings, which every command takes too"):
            formatter.write_dl(settings)
        self.format_commands(ctx, formatter)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="freg_pipeline")
@with_settings
def cli() -> None:
    """The population register (Folkeregisteret) as Parquet tables, queried with DuckDB."""


def run(arguments: list[str]) -> int:
    """Run the command; turn what went wrong into one line and an exit code."""
    debug = "--debug" in arguments
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskedFormatter("%(levelname)s %(message)s"))
    # The handler's own level: while an asset runs, our loggers tell its run's log more.
    handler.setLevel(logging.INFO if debug else logging.WARNING)
    logging.basicConfig(level=handler.level, handlers=[handler])
    logging.getLogger("alembic").setLevel(logging.WARNING)  # Dagster's own storage
    return _exit_code(arguments, debug=debug)


def _exit_code(arguments: list[str], *, debug: bool) -> int:
    try:
        result = cli.main(arguments, prog_name="freg", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "freg"
        return _say(f"{_usage(error.format_message())}. See {path} --help", 2)
    except Exception as error:  # not a reader that has gone, as `head` does: click ends it silently
        if debug:
            _trace(error)
        known = foreseen(error)
        if known is not None:
            return _say(str(known), known.exit_code)
        if isinstance(error, OSError):
            said = error.strerror or type(error).__name__
            return _say(f"a file or the output failed: {said}. See to it, and run it again", 1)
        return _say(str(UnforeseenError(error)), 1)
    return result if isinstance(result, int) else 0


def _trace(error: Exception) -> None:
    if not interrupted():
        original = error.original if isinstance(error, UnforeseenError) else error
        click.echo(masked("".join(traceback.format_exception(original))), err=True)


def tell_unraisable(found: sys.UnraisableHookArgs) -> None:
    """Log what went wrong while something was let go of: what led to it is told already."""
    logging.getLogger(__name__).info("while releasing a resource: %s", found.exc_type.__name__)


def _usage(said: str) -> str:
    """What click says of wrong usage. What was written too much may be a name or a number."""
    return showable(re.sub(r"(unexpected extra arguments?) .*", r"\1", said)).rstrip(".")


def _say(line: str, code: int) -> int:
    if interrupted():  # which is told instead
        return code
    click.echo(f"Error: {masked(' '.join(line.split()))}", err=True)
    return code
