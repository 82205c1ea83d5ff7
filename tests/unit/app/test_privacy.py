"""What a hub tells about itself holds nothing of what messages say about people."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.app import requests
from broadstreet.app.control import ControlError
from broadstreet.app.process import LOG, HubProcess
from broadstreet.app.reach import read
from broadstreet.app.settings import Mllp, Monitoring, Settings
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.connectors.hl7v2.mllp import frame
from tests.unit.app.conftest import START

PERSONAL = (
    "QUACKENBUSH", "Philomena", "8812097654321", "19811209", "Tulpenweg", "0105551234", "MRN99887766",
    "Ottoline", "Featherstone", "shortness of breath since Lisbon",
)  # fmt: skip
GOOD = "\r".join(
    [
        r"MSH|^~\&|EHR|CLINIC|||20260105080000||ADT^A04|{id}|P|2.5.1",
        "PID|1||MRN99887766^^^CLINIC^MR~8812097654321^^^KOR^NI||QUACKENBUSH^Philomena||19811209|F|||"
        "Tulpenweg 7^^Riverside^^D01||0105551234",
        "NK1|1|Featherstone^Ottoline|MTH||0105551234",
        "PV1|1|E|ER^101^2^CLINIC||||4711^Featherstone^Ottoline||||||||||||{id}^^^CLINIC^VN|||||||||||||||||||||||||"
        "20260105080000",
        "PV2|||^shortness of breath since Lisbon",
        "",
    ]
)
SPOILED = (
    ("19811209", "QUACKENBUSH, Philomena"),  # a name where a date should be
    ("|E|ER", "|Philomena QUACKENBUSH|ER"),
    ("ADT^A04", "SIU^S12"),
    ("ADT^A04", "ADT^A04^Philomena"),
    ("|P|", "|T|"),
    ("|2.5.1", "|Philomena"),
    ("PV1|", "PV|"),
    ("MRN99887766^^^CLINIC^MR~8812097654321^^^KOR^NI", ""),
    ("20260105080000\rPV2", "MRN99887766\rPV2"),
    ("Philomena", "Philom\\X80\\ena\\Q\\"),
    ("QUACKENBUSH", "QUACKENBUSH" * 500),
    ("PID|1", "PID|QUACKENBUSH"),
    ("NK1|1", "QUACKENBUSH|1"),
    (r"|^~\&|", r"|QUACKENBUSH|"),
)
NAMED = re.compile(r"[^\W_]{5,}")
FIELDS = {"PID": (3, 4, 5, 6, 7, 9, 11, 13, 14, 18, 19), "NK1": (2, 4, 5), "GT1": (3, 5, 6), "IN1": (16, 19)}


def spoiled() -> Iterator[bytes]:
    yield GOOD.format(id="1").encode()
    for number, (what, by) in enumerate(SPOILED, start=2):
        assert what in GOOD
        yield GOOD.replace(what, by).replace("{id}", str(number)).encode()
    yield GOOD.replace("{id}", "98").replace("Philomena", "Philoména").encode("utf-16-le")
    yield GOOD.replace("{id}", "97").encode()[:200]


class Told:
    """A hub with every channel on which it tells about itself."""

    def __init__(self, hub: HubProcess) -> None:
        self.hub = hub

    def send(self, messages: Iterable[bytes]) -> None:
        with BlockingMllpClient(*self.hub.address()) as client:
            for message in messages:
                with contextlib.suppress(ConnectionError, ValueError):
                    client.send(message)
        self.hub.control.ask(requests.Settle())

    def send_raw(self, data: bytes) -> None:
        with socket.create_connection(self.hub.address(), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass

    def retry_all(self, mended: bytes) -> None:
        """Retry what is held, as it is and mended to something wrong."""
        with read(self.hub.settings) as store:
            held = [entry.id for entry in store.currents("bs/Quarantined")]
        for id in held:
            for body in (None, mended):
                with contextlib.suppress(ControlError):
                    self.hub.control.ask(requests.QuarantineRetry(id=id, mended=body))

    def everything(self) -> str:
        status = self.hub.status()
        assert status.hub is not None
        pages = [self._page(status.hub.monitoring, path) for path in ("/metrics", "/live", "/ready")]
        log = (self.hub.settings.folder / LOG).read_text(encoding="utf-8", errors="replace")
        return "\n".join([log, *pages, msgspec.json.encode(status).decode()])

    def _page(self, address: str, path: str) -> str:
        connection = http.client.HTTPConnection(address, timeout=30)
        connection.request("GET", path)
        body = connection.getresponse().read().decode()
        connection.close()
        return body


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    settings = Settings(
        data=str(tmp_path / "data"),
        clock="driven",
        clock_start=START,
        log_level="debug",
        log_form="json",
        mllp=Mllp(port=0, processing_ids="P", max_bytes=100_000),
        monitoring=Monitoring(listen="127.0.0.1:0"),
    )
    with HubProcess(settings) as hub:
        yield Told(hub)


def test_nothing_about_a_person_is_in_log_metrics_health_or_status(told: Told) -> None:
    told.send(spoiled())
    told.send_raw(b"QUACKENBUSH Philomena" * 10_000)  # outside of any frame
    told.send_raw(frame(GOOD.replace("{id}", "Q" * 10).encode() + b"ZZZ|QUACKENBUSH" * 20_000))  # too long
    told.send_raw(b"\x0b" + GOOD.encode()[:300])  # ends in its middle
    told.retry_all(GOOD.replace("19811209", "QUACKENBUSH").replace("{id}", "2").encode())
    with pytest.raises(ControlError):
        told.hub.control.ask(requests.Backup(to=str(told.hub.settings.file)))
    said = told.everything()
    status = told.hub.status()
    assert status.quarantine["held"] >= 10, "the messages were refused"
    assert sum(feed.accepted for feed in status.feeds) >= 1
    assert [word for word in PERSONAL if word.lower() in said.lower()] == []
    log = (told.hub.settings.folder / LOG).read_text(encoding="utf-8")
    assert all(json.loads(line)["text"] for line in log.splitlines()), "each line is a JSON object"
    assert "a message must be at most 100000 bytes long" in log


def test_nothing_of_the_sample_messages_is_in_log_metrics_health_or_status(told: Told, shared: Path) -> None:
    raws = [file.read_bytes() for file in sorted((shared / "data" / "hl7v2").glob("*.hl7"))]
    before = words(told.everything())
    personal: set[str] = set()
    headers: set[str] = set()
    for raw in raws:
        personal |= personal_words(raw)
        headers |= words(re.split(r"[\r\n]", raw.decode("utf-8", "replace"), maxsplit=1)[0])
    told.send(raws)
    said = told.everything()
    assert len(personal) > 150
    assert (words(said) & personal) - before - headers == set()


def words(text: str) -> set[str]:
    return {word.lower() for word in NAMED.findall(text)}


def personal_words(raw: bytes) -> set[str]:
    """Return the words of five letters or digits and more that tell about a person."""
    found: set[str] = set()
    for line in re.split(r"[\r\n]+", raw.decode("utf-8", "replace")):
        fields = line.split("|")
        for number in FIELDS.get(fields[0], ()):
            found |= words(fields[number]) if number < len(fields) else set()
    return found
