from __future__ import annotations

import contextlib
from datetime import UTC

from hypothesis import example, given, settings
from hypothesis import strategies as st

from broadstreet.connectors.hl7v2.delimiters import Delimiters
from broadstreet.connectors.hl7v2.message import Limits, Message
from broadstreet.connectors.hl7v2.problems import Malformed
from broadstreet.connectors.hl7v2.writer import build

PIECES = (
    b"MSH|^~\\&|", b"MSH", b"PID", b"OBX", b"|", b"^", b"~", b"\\", b"&", b"#", b"\r", b"\n", b"\r\n", b'""',
    b"\\X41\\", b"\\.br\\", b"\\C2842\\", b"\\M2442\\", b"\xef\xbb\xbf", b"\x0b", b"\x1c", b"\x00", b"\xff",
    b"\xb0\xa1", b"\x1b$B", b"UNICODE UTF-8", b"KS X 1001", b"~ISO IR87", b"8859/1", b"ADT^A04", b"20261120",
    b"||||||||||||||||",
)  # fmt: skip
LIKELY = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=60).map(b"".join)
HEADED = st.builds(lambda rest: b"MSH|^~\\&|" + rest, LIKELY)

TEXT = st.text(max_size=20)
PATHS = st.tuples(*[st.integers(1, 4)] * 4).map(lambda n: f"{n[0]}[{n[1]}].{n[2]}.{n[3]}")
SIGNS = st.permutations("!#$%&'()*+,-./:;<=>?@[]^_`{|}~\\").map(lambda p: Delimiters(*p[:5]))


def read_everything(data: bytes) -> None:
    """Ask for each part of a message; only Malformed may come out."""
    with contextlib.suppress(Malformed):
        message = Message.parse(data, limits=Limits(fields=100))
        assert message.header.name == "MSH"
        assert message.kind
        assert message.sender
        assert message.control_id is not None
        for segment in message.segments:
            for number in range(1, segment.size + 1):
                segment.text(number)
                for repetition in segment[number].repetitions:
                    assert repetition.text is not None or not repetition.raw
                    for component in repetition.components:
                        assert component.subcomponents
                segment.values(f"{number}.2.2")
                with contextlib.suppress(Malformed):
                    segment.time(str(number), UTC)
            assert segment.sequence >= 1
        with contextlib.suppress(Malformed):
            message.time(UTC)


@given(st.binary(max_size=300) | LIKELY | HEADED)
@settings(max_examples=600)
@example(b"MSH|^~\\&|\\")
@example(b"MSH|^~\\&|" + b"|" * 200 + b"\r")
def test_any_bytes_are_read_or_refused_as_malformed(data: bytes) -> None:
    read_everything(data)


@given(HEADED)
def test_each_segment_found_by_name_is_one_of_those_in_order(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        message = Message.parse(data)
        for name in {segment.name for segment in message.segments}:
            in_order = [(s.raw, s.sequence) for s in message.segments if s.name == name]
            assert [(s.raw, s.sequence) for s in message.all(name)] == in_order
            first = message.first(name)
            assert first is not None
            assert (first.raw, first.sequence) == in_order[0]


@given(st.dictionaries(PATHS, TEXT | st.none(), max_size=8), SIGNS)
@example({"1[1].1.1": "\n"}, Delimiters(subcomponent="."))
def test_what_is_written_is_read_again(values: dict[str, str | None], signs: Delimiters) -> None:
    data = build({"3": "A"}, [("ZZZ", values)], delimiters=signs)
    message = Message.parse(data)
    assert message.delimiters == signs
    assert not message.tolerated
    for path, text in values.items():
        # a whole field that is null says so of each of its parts
        assert message.value(f"ZZZ-{path}") in ({text} if text is not None else {None, ""})


@given(st.dictionaries(PATHS, TEXT, max_size=8))
def test_a_message_read_line_by_line_says_the_same(values: dict[str, str]) -> None:
    data = build({"3": "A"}, [("ZZZ", values), ("ZZZ", values)])
    with_line_feeds = Message.parse(data.replace(b"\r", b"\r\n"))
    assert with_line_feeds.text == Message.parse(data).text
