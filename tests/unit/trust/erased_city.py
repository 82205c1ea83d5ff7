"""A store on each back end, with a door and a desk, that residents come to and are erased from."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from broadstreet.app import requests
from broadstreet.app.core import Core
from broadstreet.app.desk import Desk
from broadstreet.app.doors import door_of
from broadstreet.app.settings import Settings
from broadstreet.app.verifying import PARTS, verified
from broadstreet.connectors.hl7v2.writer import Raw, build
from broadstreet.store.index import Indexer
from broadstreet.store.index.following import Indexing
from broadstreet.store.query import Text
from tests.backends import Backend
from tests.postgres import shared_server
from tests.unit.app.conftest import START

HER = {
    "3": Raw("MRN99887766^^^CLINIC^MR"),
    "5": Raw("QUACKENBUSH^Philomena"),
    "7": "19811209",
    "8": "F",
    "11": Raw("Tulpenweg 7^^Riverside^^D01"),
    "13": "0105551234",
}
HIM = {"3": Raw("MRN11112222^^^CLINIC^MR"), "5": Raw("PARK^Jun"), "7": "19700101", "8": "M"}


class City:
    """A store on a back end, with a door and a desk."""

    def __init__(self, backend: Backend, folder: Path) -> None:
        self.backend, self.folder = backend, folder
        database = "" if backend.name == "sqlite" else backend.address()
        self.settings = Settings(
            data=str(folder / "data"), database=database, clock="driven", clock_start=START
        )
        self.sent = 0
        self.open()

    def open(self) -> None:
        self.core = Core(self.settings)
        self.core.start()
        self.door = door_of(self.core.settings, self.core.committer, self.core.store.indexer, self.core.clock)
        self.desk = Desk(self.core, self.door)

    def close(self) -> None:
        self.core.close()

    def send(self, kind: str, *body: tuple[str, dict[str, Any]]) -> Any:
        self.sent += 1
        at = f"2026010508{self.sent:02d}00"
        fields = {
            "3": "EHR",
            "4": "CLINIC",
            "7": at,
            "9": Raw(kind),
            "10": str(self.sent),
            "11": "P",
            "12": "2.5.1",
        }
        _, work = self.door.receive(build(fields, body), None)
        return self.core.committer.commit(work)

    def visit(self, person: dict[str, Any], number: str, complaint: str, **more: Any) -> Any:
        visit = {"2": "E", "3": Raw("ER^1"), "19": Raw(f"{number}^^^CLINIC^VN"), "44": "20260105080000"}
        return self.send(
            "ADT^A04", ("PID", person | more), ("PV1", visit), ("PV2", {"3": Raw(f"^{complaint}")})
        )

    def patient(self, family: str) -> str:
        self.index()
        found = self.core.store.search("Patient", [Text("family", family)]).entries
        assert len(found) == 1
        return found[0].id

    def index(self) -> None:
        self.core.settle()
        if self.core.store.index_is_beside:
            side = self.core.store.index_side()
            assert side is not None
            with closing(side):
                Indexing(self.core.store, side, Indexer(self.core.store.indexer.keys.key)).catch_up()

    def erase(self, resident: str) -> dict[str, Any]:
        asked = requests.Erase(resident=resident, basis="her request of 3 May")
        answer: dict[str, Any] = self.desk.answer(asked)
        return answer

    def verify(self) -> None:
        """Close the store, see that it is as its log says, and open it again."""
        self.core.settle()
        self.close()
        findings = [str(each) for each in verified(self.settings, None, PARTS, lambda _: lambda *_: None)]
        self.open()
        if findings:
            raise AssertionError("\n".join(findings))

    def bytes(self) -> bytes:
        """Return every byte of the data folder and of the server's tables."""
        held = [file.read_bytes() for file in self.settings.folder.rglob("*") if file.is_file()]
        if self.backend.name == "postgres":
            shared_server().ask("CHECKPOINT")
            held += [file.read_bytes() for file in self._files_of_tables()]
        return b"".join(held).lower()

    def _files_of_tables(self) -> list[Path]:
        """Return the files of the schema's tables, of their indexes and of what they hold outside."""
        schema = self.backend.address().partition("schema=")[2]
        sql = f"""SELECT pg_relation_filepath(r.oid) FROM pg_class c
            JOIN pg_class r ON r.oid = c.oid OR r.oid = c.reltoastrelid
                OR r.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (c.oid, c.reltoastrelid))
            WHERE c.relnamespace = '{schema}'::regnamespace AND pg_relation_filepath(r.oid) IS NOT NULL"""
        server = shared_server()
        paths = [server.folder / "data" / path for (path,) in server.ask(sql)]
        return [path for path in paths if path.exists()]
