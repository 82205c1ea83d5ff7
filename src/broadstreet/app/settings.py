"""Every setting, once: its type, its bounds, its default and its meaning.

`docs/settings.md` is generated from this file; `load` says where the values come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from broadstreet.connectors.hl7v2.characters import codec_of
from broadstreet.connectors.hl7v2.door import PROCESSING_IDS
from broadstreet.connectors.hl7v2.problems import Malformed
from broadstreet.store.opening import is_server
from broadstreet.workflows.surveillance import Rule, Strata, listed_holidays

PREFIX = "BROADSTREET_"
DATABASE = "log.db"
SOCKET = "hub.sock"
KEYS = "keys"
PLACES = "places.csv"
HOLIDAYS = ("holidays.csv", "holidays.ics")


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Tls(_Section, frozen=True, kw_only=True):
    """Encryption of the MLLP door."""

    certificate: Annotated[str, Meta(description="PEM file with the door's certificate; empty: no TLS.")] = ""
    key: Annotated[str, Meta(description="PEM file with the certificate's private key.")] = ""
    clients: Annotated[
        str,
        Meta(description="PEM file of the authorities whose client certificates are asked for and accepted."),
    ] = ""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate: expected certificate and key together, got only one of them")
        if self.clients and not self.certificate:
            raise ValueError("clients: expected a certificate and a key beside clients, got none")


class Mllp(_Section, frozen=True, kw_only=True):
    """The door for HL7 v2 messages."""

    host: Annotated[
        str,
        Meta(
            description="Address to listen on. Other addresses than this machine's own are accepted once"
            " senders are known (`broadstreet client add`), and with TLS or `mllp.plain_networks`."
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port; 0 takes any free one.")] = 2575
    max_bytes: Annotated[
        int, Meta(ge=1_000, le=64 * 2**20, description="Bytes of the largest message that is taken.")
    ] = 4 * 2**20
    max_connections: Annotated[
        int, Meta(ge=1, le=10_000, description="Connections that may be open at once.")
    ] = 1_000
    idle_seconds: Annotated[
        float, Meta(ge=1, le=86_400, description="A connection that is silent for longer is closed.")
    ] = 600.0
    processing_ids: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=3,
            description="Processing ids (MSH-11) that are taken: P production, T training, D debugging."
            " What is taken is stored and counted: once real patients are sent, set it to P, so that a"
            " trainee's patient is not merged with a real one of the same number.",
        ),
    ] = "PTD"
    plain_networks: Annotated[
        str,
        Meta(
            description="Networks, such as `10.7.0.0/24 fd00::/8`, whose connections are taken without TLS:"
            " whoever is on them can read and forge messages, so name only those that a VPN or a cable of"
            " your own protects. Others are refused. Empty: other machines need TLS."
        ),
    ] = ""
    tls: Tls = msgspec.field(default_factory=Tls)

    def __post_init__(self) -> None:
        if not set(self.processing_ids) <= PROCESSING_IDS:
            raise ValueError(
                f"processing_ids: expected letters among P, T and D, got {self.processing_ids!r}"
            )
        try:
            ip_address(self.host if self.host != "localhost" else "127.0.0.1")
        except ValueError:
            raise ValueError(f"host: expected an IP address or localhost, got {self.host!r}") from None
        for network in self.networks:
            require_network("plain_networks", network)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks whose connections are taken without TLS."""
        return tuple(self.plain_networks.replace(",", " ").split())


class Senders(_Section, frozen=True, kw_only=True):
    """Whoever sends messages."""

    zone: Annotated[
        str, Meta(description="Time zone of times that come without an offset; empty: the city's.")
    ] = ""
    zones: Annotated[
        dict[str, str],
        Meta(description="Time zones of single senders, by the name of the sending facility (MSH-4.1)."),
    ] = msgspec.field(default_factory=dict)
    character_set: Annotated[
        str,
        Meta(
            description="Character set, as in MSH-18, of messages that state none and are not UTF-8, "
            "such as `KS X 1001` for EUC-KR."
        ),
    ] = "8859/1"
    character_sets: Annotated[
        dict[str, str],
        Meta(description="The same for single senders, by the name of the sending facility (MSH-4.1)."),
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.zone:
            require_zone("zone", self.zone)
        for zone in self.zones.values():
            require_zone("zones", zone)
        for name in (self.character_set, *self.character_sets.values()):
            require_character_set(name)


class Surveillance(_Section, frozen=True, kw_only=True):
    """The daily tests of counts."""

    method: Annotated[
        Literal["detect", "C1", "C2", "C3"],
        Meta(
            description="Method that each day's counts are tested with: `detect`, whose level follows from"
            " the budget, or one of EARS."
        ),
    ] = Rule.method
    budget: Annotated[
        float,
        Meta(gt=0, le=1_000, description="False alarms a month that are allowed in the whole city."),
    ] = 1.0
    minimum: Annotated[
        int,
        Meta(ge=1, le=1_000, description="Fewest visits of a signal: in a week, with EARS on a day."),
    ] = Rule.minimum
    history: Annotated[
        int, Meta(ge=1, le=364, description="Days of history before the first day is tested by `detect`.")
    ] = Rule.history
    alpha: Annotated[
        float,
        Meta(ge=0, lt=0.5, description="EARS: chance of a false alarm, for normal counts; 0: its own."),
    ] = Rule.alpha or 0.0
    baseline: Annotated[
        int, Meta(ge=7, le=364, description="EARS: days of the longest baseline; until then shorter ones.")
    ] = Rule.baseline
    ages: Annotated[
        str,
        Meta(
            description="First years of the bands of ages after the youngest, such as `5 18 65`; empty: no"
            " bands. After a change: `broadstreet rebuild surveillance.counts`."
        ),
    ] = " ".join(map(str, Strata.ages))
    ages_within: Annotated[
        Literal["nowhere", "city", "districts"],
        Meta(description="Where bands of ages are counted and tested; `districts`: and in the city."),
    ] = Strata.within
    places: Annotated[
        str,
        Meta(
            description="File with a table of the districts: code, name, and lat and lon (degrees) or x and y"
            " (kilometres); for scans of neighbouring districts and for maps. Empty: `places.csv` in the data"
            " folder, if it is there."
        ),
    ] = ""
    holidays: Annotated[
        str,
        Meta(
            description="Holidays, which have a level of their own in `detect`: dates such as `2026-12-25"
            " 2027-01-01`, or a file: a calendar (`.ics`) or a table with the columns date and, where they"
            " differ, kind. Empty: `holidays.csv` or `holidays.ics` in the data folder, if it is there."
        ),
    ] = ""

    def __post_init__(self) -> None:
        parts = self.ages.replace(",", " ").split()
        if not all(part.isdecimal() for part in parts):
            raise ValueError(f"ages: expected whole years such as `5 18 65`, got {self.ages!r}")
        try:
            Strata(tuple(map(int, parts)), self.ages_within)
        except ValueError as error:
            raise ValueError(f"ages: {error}") from None
        if self.lists_holidays:
            listed_holidays(self.holidays)

    @property
    def lists_holidays(self) -> bool:
        """Whether `holidays` has dates, rather than the name of a file."""
        return self.holidays.replace(",", " ").replace("-", "").replace(" ", "").isdecimal()

    @property
    def strata(self) -> Strata:
        """The strata that visits are counted in."""
        return Strata(tuple(map(int, self.ages.replace(",", " ").split())), self.ages_within)


class Monitoring(_Section, frozen=True, kw_only=True):
    """What tells machines how the hub is."""

    listen: Annotated[
        str,
        Meta(
            description="Address and port, such as `127.0.0.1:9464`, of metrics (`/metrics`), health"
            " (`/live`) and readiness (`/ready`) over HTTP; port 0 takes any free one; empty: off."
        ),
    ] = ""
    min_free_mb: Annotated[
        int, Meta(ge=1, description="With less room than so many MB on its disk the hub is not ready.")
    ] = 256

    def __post_init__(self) -> None:
        if self.listen:
            address_of(self.listen)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; None if it is off."""
        return address_of(self.listen) if self.listen else None


class Settings(_Section, frozen=True, kw_only=True):
    """Everything that a deployment decides."""

    data: Annotated[str, Meta(min_length=1, description="Folder of the store and of the control socket.")] = (
        "broadstreet-data"
    )
    database: Annotated[
        str,
        Meta(
            description="Where the store is: empty for a SQLite file in the data folder, or a PostgreSQL "
            "address such as `postgresql://hub@db.example/city?schema=broadstreet`, without a password "
            "(`PGPASSWORD`, or the file that `PGPASSFILE` names, has it)."
        ),
    ] = ""
    zone: Annotated[str, Meta(description="The city's time zone: its midnight closes a day of counts.")] = (
        "UTC"
    )
    clock: Annotated[
        Literal["system", "driven"],
        Meta(description="`driven`: time moves only when it is told to, for replays and demonstrations."),
    ] = "system"
    clock_start: Annotated[
        datetime | None,
        Meta(description="Instant at which a driven clock begins; by default the newest entry of the store."),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="What is told on standard error.")
    ] = "info"
    log_form: Annotated[
        Literal["text", "json"], Meta(description="Lines for people, or one JSON object a line for programs.")
    ] = "text"
    socket: Annotated[str, Meta(description="Path of the control socket; empty: in the data folder.")] = ""
    keys: Annotated[
        str,
        Meta(
            description="Folder of the keys that bodies about residents are sealed with; empty: `keys` in the"
            " data folder. Better on another volume: who has both, store and keys, can read everything."
        ),
    ] = ""
    keys_days: Annotated[
        int,
        Meta(
            ge=2,
            le=365,
            description="A copy of the residents' keys is of use for at most so many days, and only they can"
            " undo an erasure, with an older backup: the hub makes a new master key every half of it.",
        ),
    ] = 14
    purge_hours: Annotated[
        float,
        Meta(ge=1, le=24 * 366, description="Superseded index rows are kept so long: reads at a position."),
    ] = 24.0
    mllp: Mllp = msgspec.field(default_factory=Mllp)
    monitoring: Monitoring = msgspec.field(default_factory=Monitoring)
    senders: Senders = msgspec.field(default_factory=Senders)
    surveillance: Surveillance = msgspec.field(default_factory=Surveillance)

    def __post_init__(self) -> None:
        require_zone("zone", self.zone)
        require_address("database", self.database)
        if self.clock_start is not None and self.clock_start.tzinfo is None:
            raise ValueError(
                "clock_start: expected an instant with its offset, such as 2026-01-05T00:00:00+09:00"
            )

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def file(self) -> Path:
        """The file of the store, where it is one."""
        return self.folder / DATABASE

    @property
    def address(self) -> str:
        """Where the store is."""
        return self.database or str(self.file)

    @property
    def keys_folder(self) -> Path:
        """The folder of the keys."""
        return Path(self.keys) if self.keys else self.folder / KEYS

    @property
    def socket_path(self) -> Path:
        """Where the control socket is."""
        return Path(self.socket) if self.socket else self.folder / SOCKET


@dataclass(frozen=True)
class Setting:
    """One setting, told for people: its dotted name, what it takes, its default and its meaning."""

    name: str
    takes: str
    default: object
    meaning: str

    @property
    def variable(self) -> str:
        """Return the environment variable that sets it."""
        return PREFIX + self.name.replace(".", "_").upper()


def described(section: type[msgspec.Struct] = Settings, before: str = "") -> Iterator[Setting]:
    """Yield every setting, those of sections by their dotted names."""
    hints = get_type_hints(section, include_extras=True)
    for field in msgspec.structs.fields(section):
        kind = hints[field.name]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from described(kind, f"{before}{field.name}.")
        else:
            meaning, takes = _documentation(kind)
            default = field.default if field.default is not msgspec.NODEFAULT else {}
            yield Setting(before + field.name, takes, default, meaning)


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of an address of this machine.

    Raises
    ------
    ValueError
        If it is none, or another machine's.
    """
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"listen: expected an address and a port, such as 127.0.0.1:9464, got {text!r}")
    if not is_loopback(host):
        raise ValueError(
            f"listen: expected an address of this machine (127.0.0.1, [::1] or localhost), got {text!r}: let"
            " an agent on this machine collect from it"
        )
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached only from this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_network(setting: str, network: str) -> None:
    """Refuse what is no network.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        ip_network(network)
    except ValueError as error:
        raise ValueError(
            f"{setting}: expected networks such as 10.7.0.0/24, got {network!r} ({error})"
        ) from None


def require_character_set(name: str) -> None:
    """Refuse a character set that messages cannot be read in.

    Raises
    ------
    ValueError
        If it is not one that MSH-18 may name.
    """
    try:
        codec_of(name)
    except Malformed as error:
        raise ValueError(f"character_set: {error.reason}") from None


def require_address(setting: str, address: str) -> None:
    """Refuse an address of no store, and one with a password: settings are read by many.

    Raises
    ------
    ValueError
        If it is one.
    """
    if not address:
        return
    url = urlsplit(address)
    if not is_server(address):
        raise ValueError(
            f"{setting}: expected nothing, or an address that begins with postgresql://, got"
            f" {url.scheme or 'a text'!r}: a store in a file is named by its folder, in `data`"
        )
    if url.password is not None or "password" in dict(parse_qsl(url.query)):
        raise ValueError(
            f"{setting}: expected an address without a password, got one with it: put it into PGPASSWORD, or"
            " into a file that PGPASSFILE names"
        )


def require_zone(setting: str, name: str) -> ZoneInfo:
    """Return the time zone of that name; `setting` is who asks for it.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{setting}: expected a time zone of the IANA list, such as Asia/Seoul, got {name!r}"
        ) from None


_WORDS = {str: "text", int: "whole number", float: "number", datetime: "instant"}


def _documentation(kind: Any) -> tuple[str, str]:
    """Return what a setting means and what it takes."""
    meta = next((m for m in getattr(kind, "__metadata__", ()) if isinstance(m, Meta)), Meta())
    return meta.description or "", _takes(get_args(kind)[0], meta)


def _takes(kind: Any, meta: Meta) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    if get_origin(kind) is dict:
        return "table of texts"
    words = next(word for base, word in _WORDS.items() if kind is base or base in get_args(kind))
    bounds = [
        f"{sign} {bound:,}"
        for sign, bound in (("≥", meta.ge), (">", meta.gt), ("≤", meta.le), ("<", meta.lt))
        if bound is not None
    ]
    return " ".join([words, " and ".join(bounds)]).strip()
