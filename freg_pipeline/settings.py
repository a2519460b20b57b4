"""Frozen settings: environment variables under their published names, and flags over them.

The names are those of the interface: ``FREG_ENVIRONMENT``, ``FREG_STORE`` and so on. Nothing is
read from any other place, so that the same command does the same thing from any folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from freg_pipeline import setting_values as values
from freg_pipeline.errors import ConfigurationError

Environment = Literal["syntetisk", "playground", "konsumenttest", "produksjon", "fiks-test", "fiks"]
OpenFormat = Literal["iceberg", "delta"]
AlertKind = Literal["failures", "checks", "warnings", "waiting", "late"]


class Settings(BaseSettings):
    """What one process works with. Build it by :func:`load`, which turns mistakes into one line.

    Attributes:
        environment: which register.
        allow_http: whether tokens and answers may go unencrypted to other machines.
        base_url: everything before ``/v1``, in place of what environment and package give.
        rettighetspakke: the package of rights.
        parts: the ``part``s to ask for; empty means everything the package may see; ``alle``, with
            what is not to be asked for as ``-navn``: everything but that.
        store: a folder or ``s3://bucket/prefix``.
        s3_endpoint: an S3 endpoint other than the default.
        allow_services: services to call although our table of rights lacks them for the package;
            ``alle``: every one.
        readers: who may read tables and catalogue beside the owner: a group's name or number, or
            ``everyone``; None: nobody.
        catalogue: where the catalogue is written: a folder, or a file that ends in ``.duckdb``;
            None: the store's root, on S3 too.
        catalogue_root: what those who open the catalogue call the store's root: a folder as it is
            mounted there, or ``s3://bucket/prefix``; None: as it is called here.
        open_formats: iceberg, delta: in which the files of each new base are registered, so that
            engines that know nothing of ours read them.
        contract_file: the XSD of person documents, where the register serves none.
        ca_file: certificates to trust beside the system's, as PEM.
        token: a ready bearer token, in place of Maskinporten.
        maskinporten_issuer: whose tokens; None: the environment's.
        maskinporten_token_endpoint: where they are asked for; None: as the issuer's metadata says.
        maskinporten_client_id: the integration's id.
        maskinporten_key_file: its private RSA key, as PEM or JWK.
        maskinporten_scope: what to ask for in place of the package's own; blanks between several.
        maskinporten_kid: the key's id at Maskinporten; None: as the JWK says.
        maskinporten_cert_file: the enterprise certificate and its chain as PEM, in place of a kid.
        maskinporten_consumer_org: the organisation that one acts for by delegation, nine digits.
        fiks_rolle_id: the role at Fiks.
        fiks_integrasjon_id: the integration at Fiks.
        fiks_integrasjon_passord: its password.
        answer_format: whether documents are asked for as JSON or as XML.
        max_answer_mb: a larger answer is refused, and not read to its end.
        concurrency: look-ups under way at once.
        requests_per_minute: upper limit for everything this process sends; None: the environment's.
        poll_seconds: seconds between two questions for a batch that is not ready.
        poll_timeout_hours: hours to wait for a batch before giving up.
        wait_hours: hours for which long work waits for a register that is away.
        share_release: several machines make a full load's release: a run for each piece of it. Else
            the run that publishes makes all of it.
        compact_share: a release is compacted when so many of its persons are replaced, as a share.
        compact_deltas: or when it has more deltas than so many.
        keep_releases: releases that the scheduled purge spares, however old: the newest.
        keep_days: and all that were published so many days ago or later.
        keep_answers_days: raw answers, batches and pages of the event list are kept for so many
            days after the release that came of them; None (``never``): they never go.
        keep_staging_days: the same of staging tables.
        keep_access_days: the same of the access log.
        max_lost_persons: a release that loses more of the current one's persons is refused, as a
            share.
        max_lost_rows: the same for the rows of each table.
        max_gone: a full load or a selection is refused when the register has nothing for more of
            the identifiers that it delivered, as a share.
        follow_seconds: seconds between two questions for new events, when following the list.
        confirm_seconds: seconds until an answer by number is asked for again that looks older than
            what the release holds.
        tick_seconds: how long a tick of a sensor's asks the register; the rest is for the next one.
        keep_runs_days: days for which Dagster's records of runs are kept.
        full_load_when_too_old: make a new full load when the event list no longer reaches back to
            the release.
        late_sync_hours: a release is late that hasn't been brought up to the register, or found to
            be there, for so long; 0: never.
        late_full_load_days: and one whose last full load is so old; 0: never.
        alerts: who is told of trouble: addresses as apprise takes them, with blanks between. They
            carry secrets.
        alert_on: which kinds of trouble they are told of.
        alert_again_hours: what lasts is told again after so many hours; 0: never.
        dagster_url: Dagster's page as those who are told reach it, for links.
        access_log: where it is noted who has looked at persons: ``true``: in the store, or, for who
            may not write there, in the machine's own log; ``syslog``; a folder or
            ``s3://bucket/prefix``; ``false``: nowhere.
        access_log_required: nothing is read where that can't be noted.
        lists: the folder that Dagster's runs read lists from; None: ``lists`` in a local store.
        load_to: where a copy of the tables is kept current, as ``freg load`` takes it; None:
            nowhere.
        load_schema: the schema that the copy is in.
        key_prefix: what names begin with in Dagster's records, of what commands run there.
    """

    model_config = SettingsConfigDict(
        env_prefix="FREG_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    environment: Environment = "syntetisk"
    allow_http: bool = False  # before the addresses that it is about
    base_url: values.BaseUrl = None
    rettighetspakke: str = "offentlig-med-hjemmel"
    parts: values.Parts = ()
    store: values.Place = "data"
    s3_endpoint: values.Endpoint = None
    allow_services: values.Listed[str] = ()
    readers: values.Readers = None
    catalogue: values.Catalogue = None
    catalogue_root: values.CatalogueRoot = None
    open_formats: values.Listed[OpenFormat] = ()
    contract_file: values.File = None
    ca_file: values.File = None
    token: values.HeaderSecret = None
    maskinporten_issuer: values.EncryptedAddress = None
    maskinporten_token_endpoint: values.EncryptedAddress = None
    maskinporten_client_id: str | None = None
    maskinporten_key_file: values.File = None
    maskinporten_scope: values.Scopes = None
    maskinporten_kid: str | None = None
    maskinporten_cert_file: values.File = None
    maskinporten_consumer_org: str | None = Field(default=None, pattern=r"^\d{9}$")
    fiks_rolle_id: str | None = None
    fiks_integrasjon_id: str | None = None
    fiks_integrasjon_passord: values.HeaderSecret = None
    answer_format: Literal["json", "xml"] = "json"
    max_answer_mb: int = Field(default=256, ge=1, le=65_536)
    concurrency: int = Field(default=4, ge=1, le=64)
    requests_per_minute: int | None = Field(default=None, ge=1, le=10_000_000)
    poll_seconds: float = Field(default=2.0, gt=0, le=86_400)
    poll_timeout_hours: float = Field(default=24.0, gt=0, le=876_000)
    wait_hours: float = Field(default=12.0, ge=0, le=876_000)
    share_release: bool = False
    compact_share: float = Field(default=0.05, gt=0, le=1_000_000)
    compact_deltas: int = Field(default=100, ge=1, le=1_000_000)
    keep_releases: int = Field(default=10, ge=1, le=1_000_000_000)
    keep_days: float = Field(default=30.0, ge=0, le=36_500)
    keep_answers_days: values.DaysOrNever = 30.0
    keep_staging_days: values.DaysOrNever = 1.0
    keep_access_days: values.DaysOrNever = 365.0
    max_lost_persons: float = Field(default=0.05, ge=0, le=1)
    max_lost_rows: float = Field(default=0.10, ge=0, le=1)
    max_gone: float = Field(default=0.10, ge=0, le=1)
    follow_seconds: float = Field(default=60.0, gt=0, le=86_400)
    confirm_seconds: float = Field(default=5.0, ge=0, le=3_600)
    tick_seconds: float = Field(default=20.0, gt=0, le=45)
    keep_runs_days: float = Field(default=7.0, ge=0, le=36_500)
    full_load_when_too_old: bool = False
    late_sync_hours: float = Field(default=3.0, ge=0, le=876_000)
    late_full_load_days: float = Field(default=400.0, ge=0, le=36_500)
    alerts: values.AlertAddresses = None
    alert_on: values.Listed[AlertKind] = ("failures", "checks", "waiting", "late")
    alert_again_hours: float = Field(default=24.0, ge=0, le=876_000)
    dagster_url: values.Address = None
    access_log: values.AccessLogPlace = "true"
    access_log_required: bool = False
    lists: values.File = None
    load_to: str | None = None
    load_schema: str = "freg"
    key_prefix: str = ""


# What a register lets one in by: nothing of it is any other register's business.
ACCESS = tuple(
    name
    for name in Settings.model_fields
    if name == "token" or name.startswith(("maskinporten_", "fiks_"))
)


def load(**flags: Any) -> Settings:
    """Return the settings in force: ``flags`` (None: not given) over environment over defaults.

    Raises:
        ConfigurationError: a value is wrong; names the setting, never a secret's value.
    """
    return checked(Settings, flags)


def checked(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """Return settings of a kind, with what is given (None: not) over what that kind looks at.

    Raises:
        ConfigurationError: as :func:`load`.
    """
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "FREG_" + "_".join(str(part) for part in first["loc"][:1]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"the setting {name} is wrong: {reason}", "Correct it and run the command again"
        ) from None
