"""Options of commands that make copies by rules: a key, rules or a profile of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from freg_pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from freg_pipeline.pseudonyms.key import Key
    from freg_pipeline.pseudonyms.rules import Rules

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PROFILES = ("research", "test")


def _make_key(context: click.Context, option: click.Parameter, path: Path | None) -> None:
    del option
    if path is None or context.resilient_parsing:
        return
    from freg_pipeline.pseudonyms.key import make_key

    key = make_key(path)
    click.echo(
        f"{path}: a key for pseudonyms, fingerprint {key.fingerprint}. Keep a copy of it apart "
        "from the data: without it no later copy gets the same pseudonyms"
    )
    context.exit()


def _show_rules(context: click.Context, option: click.Parameter, profile: str | None) -> None:
    del option
    if profile is None or context.resilient_parsing:
        return
    from freg_pipeline.pseudonyms.rules import profile as of_profile

    click.echo(of_profile(profile), nl=False)
    context.exit()


_FILE = click.Path(path_type=Path)
_OPTIONS = (
    click.option(
        "--pseudonymise",
        type=_FILE,
        metavar="KEYFILE",
        help="The key that makes pseudonyms of identity numbers; needs rules.",
    ),
    click.option(
        "--rules",
        type=_FILE,
        metavar="FILE",
        help="Which columns go out, and as what: TOML, see docs/data-protection.md.",
    ),
    click.option(
        "--profile",
        type=click.Choice(_PROFILES),
        help="Rules that come with freg.",
    ),
)
# These do one thing, in place of what the command does.
_OTHERWISE = (
    click.option(
        "--make-key",
        type=_FILE,
        metavar="KEYFILE",
        is_eager=True,
        expose_value=False,
        callback=_make_key,
        help="Make a new key for pseudonyms, and nothing else.",
    ),
    click.option(
        "--show-rules",
        type=click.Choice(_PROFILES),
        is_eager=True,
        expose_value=False,
        callback=_show_rules,
        help="Print a profile's rules to start your own from, and nothing else.",
    ),
)


def with_rules(command: _Command) -> _Command:
    """Options for a copy by rules: ``pseudonymise``, ``rules`` and ``profile``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_keys_and_rules(command: _Command) -> _Command:
    """As :func:`with_rules`, and options that make a key and show rules."""
    for option in reversed((*_OPTIONS, *_OTHERWISE)):
        command = option(command)
    return command


def chosen(
    pseudonymise: Path | None, rules: Path | None, profile: str | None
) -> tuple[Rules, Key | None] | None:
    """The rules and the key that options name; None: they name none, all goes out as it is.

    Raises:
        ConfigurationError: they don't go together, or can't be read.
    """
    if rules is None and profile is None:
        if pseudonymise is None:
            return None
        raise ConfigurationError(
            "--pseudonymise needs rules that say what goes out", "Add --rules FILE, or --profile"
        )
    if rules is not None and profile is not None:
        raise ConfigurationError("both --rules and --profile are said", "Say one of them")
    from freg_pipeline.pseudonyms.key import read_key
    from freg_pipeline.pseudonyms.rules import parse_rules, read_rules
    from freg_pipeline.pseudonyms.rules import profile as of_profile

    if rules is not None:
        told = read_rules(rules)
    else:
        assert profile is not None  # noqa: S101
        told = parse_rules(of_profile(profile), profile)
    return told, read_key(pseudonymise) if pseudonymise else None
