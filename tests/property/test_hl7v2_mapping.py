"""Whatever a sender makes of a message: an answer, valid resources, and nothing that escapes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from broadstreet.connectors.hl7v2.mapping import tables, timeline
from broadstreet.model import fhir
from tests.hl7v2_hub import Hub

VISIT = (
    rb"MSH|^~\&|EHR|CLINIC|||20260105080200||ADT^A04|1|P|2.5.1"
    b"\rEVN|A04|20260105080200||||20260105080100"
    b"\rPID|1||4711^^^CLINIC^MR~85^^^^NI||KIM^MINA||19850309|F|||12 RO^^SEOUL^^04101^KR^H^^11440"
    b"||^PRN^PH^^82^2^5|0255|ko|M||ACC1|||||||||||20260105|N"
    b"\rNK1|1|KIM^HANA|MTH|12 RO|010"
    b"\rPV1|1|E|ER^1^2^CLINIC|R|P1||D7^PARK^JIHO|D8|D9||EMR|||7|||D1|2|V1^^^CLINIC^VN|||||||||||||||||01||4|||||"
    b"|20260105080000|20260105090000"
    b"\rPV2|||R50.9^fever^I10"
    b"\rMRG|4712||||V0"
    b"\rOBX|1|NM|8310-5^T^LN||38.9|C|36-38|H|||F|||20260105"
    b"\rOBX|2|SN|8310-5^T^LN|1|^1^-^2|C|36-38|H|||F|||20260105"
    b"\rDG1|1||J11.1^Flu^I10|Flu|20260105|A|||||||||1||||20260105|D1|A"
    b"\rOBR|1|P1|F1|24323-8^Panel^LN|||20260105|||||||||D7^PARK||||||20260105090000||HM|F|||||||D8&LEE"
    b"\rOBX|3|CWE|718-7^Hb^LN||1^x^SCT||||||F"
    b"\rOBX|4|TX|718-7^Hb^LN||line\rNTE|1||note\r"
)
KINDS = sorted(f"{kind}^{event}".encode() for kind, event in tables.events())
NASTY = [
    "", '""', "|", "^", "~", "&", "\\", "\\X00\\", "\\XFF\\", "\\X0D\\", "\x00", "\x1b", "\t", " ", "\u3000",
    "\u200b", "\ud7ff", "é", "한", "0", "-1", "1e999", "NaN", "99999999999999999999", "<5", f"0.{'0' * 40}1",
    "00000101", "20260230", "20261301", "202601050899", "19000101000000", "99991231235959-1200",
    "00010101000000+1400", "2026", "2026010508+0900", "18500101120000", "A" * 300, "a b\tc", "^^^",
    "1^2^3^4^5^6^7^8^9", "~~", "&&&", "x&y&ISO", "http://x y", "^^^A&1.2.3&ISO^MR", "^^^&&^", "P", "U", "D",
    "F", "NM", "TX", "ED", "RP", "TS", "DR", "CWE", "I10", "2.16.840.1", "V1", "V0", "4711", "4712",
]  # fmt: skip

values = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    lines = [line.split("|") for line in VISIT.decode().rstrip("\r").split("\r")]
    lines[0][8] = draw(st.sampled_from(KINDS)).decode()
    for _ in range(draw(st.integers(1, 6))):
        line = draw(st.integers(0, len(lines) - 1))
        field = draw(st.integers(2 if line == 0 else 1, 45))
        lines[line] += [""] * (field + 1 - len(lines[line]))
        lines[line][field] = draw(values)
    for _ in range(draw(st.integers(0, 2))):
        chosen = draw(st.integers(1, len(lines) - 1))
        if draw(st.booleans()):
            lines.append(lines[chosen])
        else:
            del lines[chosen]
    lines[0][9] = draw(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6))
    return "".join(f"{'|'.join(line)}\r" for line in lines).encode()


@contextmanager
def new_hub() -> Iterator[Hub]:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder))
        try:
            yield hub
        finally:
            hub.close()


@given(st.lists(mutated(), min_size=1, max_size=4))
def test_mutated_messages_are_answered_and_whatever_they_put_is_valid(messages: list[bytes]) -> None:
    with new_hub() as hub:
        for raw in messages:
            before = hub.store.head()
            answer = hub.send_bytes(raw)
            assert answer.code in {"AA", "AE", "AR"}
            assert "207" not in {problem.code.value for problem in answer.problems}, answer.problems
            assert hub.store.head() > before or answer.code == "AA"
        hub.check_all()


@given(st.binary(max_size=200), st.integers(0, len(VISIT)))
def test_bytes_put_anywhere_into_a_message_never_escape_the_door(noise: bytes, where: int) -> None:
    with new_hub() as hub:
        answer = hub.answer_to(VISIT[:where] + noise + VISIT[where:])
        assert re.search(
            rb"\rMSA.A[AER]", answer
        )  # it may repeat delimiters and characters that nobody can read
        assert b"207" not in answer.partition(b"\rERR")[2]
        hub.check_all()


moves = st.lists(st.tuples(st.integers(0, 59), st.sampled_from("ABC")), max_size=12, unique_by=lambda m: m[0])


def where_at(stays: timeline.Stays, time: str) -> str | None:
    found = [each.location.reference for each in stays if each.period.start <= time]
    return found[-1] if found else None


@given(moves, st.randoms())
def test_a_history_of_places_does_not_depend_on_the_order_in_which_moves_are_told(
    told: list[tuple[int, str]], random: object
) -> None:
    def history(order: list[tuple[int, str]]) -> timeline.Stays:
        stays: timeline.Stays = []
        for minute, place in order:
            time = f"2026-01-05T10:{minute:02d}:00Z"
            stays = timeline.moved(stays, fhir.Reference(reference=place), time)
        return stays

    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    right, other = history(sorted(told)), history(shuffled)
    for minute, place in told:
        assert where_at(right, f"2026-01-05T10:{minute:02d}:00Z") == place
    for stays in (right, other):
        starts = [each.period.start for each in stays]
        assert starts == sorted(starts)
        assert [each.period.end for each in stays[:-1]] == starts[1:]
        assert [each.status for each in stays] == ["completed"] * (len(stays) - 1) + ["active"] * bool(stays)
