"""The options that commands share: over settings, how strict, in which form, by which criteria."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from freg_pipeline.commands.completion import codes, environments, one_of, packages

if TYPE_CHECKING:
    from freg_pipeline.criteria.described import Criterion

F = TypeVar("F", bound=Callable[..., Any])
K = TypeVar("K", bound=msgspec.Struct)

_FLAGS: dict[str, tuple[Any, str]] = {
    "store": (str, "A folder or s3://bucket/prefix."),
    "environment": (str, "Which register: syntetisk, konsumenttest, produksjon, …"),
    "base-url": (str, "Everything before /v1; overrides environment and package."),
    "rettighetspakke": (str, "The package of rights (rettighetspakke)."),
    "parts": (str, "Comma-separated parts to ask for.  [default: everything]"),
    "s3-endpoint": (str, "An S3 endpoint other than the default."),
    "concurrency": (int, "Look-ups in flight at once."),
    "requests-per-minute": (int, "Upper limit on all requests together."),
    "poll-seconds": (float, "Seconds between polls for a batch."),
    "poll-timeout-hours": (float, "Hours to wait for a batch."),
}
_WORDS = {"environment": one_of(environments), "rettighetspakke": one_of(packages)}


def remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Take a flag for the setting of its name; to be an option's callback."""
    if value is not None and value is not False:
        context.ensure_object(dict)[parameter.name] = value


class Setting(click.Option):
    """A flag over a setting. freg's own help describes each, a command's that there are some."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Its name and meaning; of a command's settings one line for them all, at the first."""
        if ctx.parent is None:
            return super().get_help_record(ctx)
        if self.name != next(iter(_FLAGS)):
            return None
        return "--store, --environment, …", "Settings, as flags; freg --help lists them."


def with_settings(command: F) -> F:
    """Give a command the flags that win over the environment's settings."""
    debug = click.option(
        "--debug",
        cls=Setting,
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show tracebacks.",
    )
    command = debug(command)
    for name, (kind, text) in reversed(_FLAGS.items()):
        option = click.option(
            f"--{name}",
            cls=Setting,
            type=kind,
            expose_value=False,
            callback=remember,
            help=text,
            shell_complete=_WORDS.get(name),
        )
        command = option(command)
    return command


_STRICTNESS = {
    "allow_incomplete": "Release even if some look-ups failed.",
    "accept_contract": "Release even if a contract change breaks queries.",
    "allow_other_kind": "Release even if it replaces one of another kind or selection.",
    "allow_fewer": "Release even if it holds far fewer persons or rows than the current one.",
}


def with_strictness(command: F) -> F:
    """Give a command the flags that let a release through all the same."""
    for name, text in reversed(_STRICTNESS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=text)(
            command
        )
    return command


_ONE_AT_A_TIME = {"personstatustyper": "personstatustype"}


def with_criteria(kriterier: type[msgspec.Struct]) -> Callable[[F], F]:
    """Give a command an option for each criterion of a service."""
    from freg_pipeline.criteria.described import criteria_of

    def add(command: F) -> F:
        for one in reversed(criteria_of(kriterier)):
            flag = "--" + _ONE_AT_A_TIME.get(one.name, one.name).replace("_", "-")
            command = click.option(flag, one.name, **_details(one))(command)
        return command

    return add


def _details(one: Criterion) -> dict[str, Any]:
    """How a criterion is given as an option."""
    if one.sort is bool:
        return {"help": one.meaning, "is_flag": True}
    return {
        "help": f"{one.meaning.rstrip('.')}; may be repeated." if one.several else one.meaning,
        "type": one.sort,
        "multiple": one.several,
        "shell_complete": one_of(lambda: codes(one.name)),
    }


def split_criteria(kriterier: type[K], options: dict[str, Any]) -> tuple[K, dict[str, Any]]:
    """The criteria of :func:`with_criteria`, and a command's other options.

    Raises:
        ConfigurationError: a criterion is wrong.
    """
    names = kriterier.__struct_fields__
    others = {name: value for name, value in options.items() if name not in names}
    return kriterier(**{name: options[name] for name in names}), others


def with_format(command: F) -> F:
    """Give a command the choice of the form in which the register answers."""
    return click.option(
        "--format", "form", type=click.Choice(["json", "xml"]), help="[default: json]"
    )(command)


def with_form(command: F) -> F:
    """Give a command the choice between a table to look at and JSON."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        help="How to tell it.",
    )(command)
