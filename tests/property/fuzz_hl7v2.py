"""Fuzz the HL7 v2 door with atheris: `python tests/property/fuzz_hl7v2.py CORPUS -runs=20000 -seed=1`.

Any exception but the door's own refusal is a finding, and so is a message that takes more than the
time or the memory that libFuzzer is told to allow.
"""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["broadstreet.connectors.hl7v2"]):
    from broadstreet.connectors.hl7v2.acknowledge import Acknowledgement, Code, acknowledge
    from broadstreet.connectors.hl7v2.message import Message
    from broadstreet.connectors.hl7v2.mllp import FrameDecoder, FrameLimits
    from broadstreet.connectors.hl7v2.problems import Malformed
    from broadstreet.connectors.hl7v2.timestamps import timestamp

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def read_message(data: bytes) -> None:
    message = Message.parse(data)
    for segment in message.segments:
        for number in range(1, segment.size + 1):
            segment.text(number)
            segment.values(f"{number}.2.2")
            for repetition in segment[number].repetitions:
                for component in repetition.components:
                    list(component.subcomponents)
    message.time(UTC)


def decode_frames(data: bytes) -> None:
    size = 1 + data[0] % 16 if data else 1
    decoder = FrameDecoder(FrameLimits(message=64, garbage=32))
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
        if len(decoder) > 66:
            raise RuntimeError("the decoder holds more than a message")
    decoder.finish()


def answer(data: bytes) -> None:
    try:
        received: Message | bytes = Message.parse(data)
        problems = []
    except Malformed as error:
        received, problems = data, [error.problem]
    written = acknowledge(received, Code.ERROR, now=NOW, control_id="1", problems=problems)
    if Acknowledgement.parse(written).code is not Code.ERROR:
        raise RuntimeError("the acknowledgement says something else")


def read_time(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        timestamp(data.decode("latin-1"), UTC)


TARGETS = (read_message, decode_frames, answer, read_message, read_time, Acknowledgement.parse)


def one_input(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        TARGETS[data[0] % len(TARGETS) if data else 0](data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
