"""Whatever is done to a resource, it is refused with a path, or accepted with nothing lost."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadstreet.model import fhir
from broadstreet.model.fhir import wire

SEEDS = (
    b"""{"resourceType": "Patient", "id": "snow", "text": {"status": "generated", "div": "<div>John</div>"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "St James"}],
    "extension": [{"url": "http://example.org/a", "extension": [{"url": "b", "valueDecimal": 1.50}]}],
    "name": [{"family": "Snow", "given": ["John", null], "_given": [null, {"extension":
    [{"url": "http://example.org/c", "valueCode": "unknown"}]}]}], "_birthDate": {"id": "d"},
    "birthDate": "1813-03-15", "multipleBirthInteger": 1, "deceasedDateTime": "1858-06-16T12:00:00Z",
    "photo": [{"data": "QUJD", "size": 3}]}""",
    b"""{"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org",
    "code": "8310-5", "userSelected": false}]}, "valueQuantity": {"value": 38.50, "unit": "Cel"},
    "component": [{"code": {"text": "x"}, "valueRange": {"low": {"value": 0}, "high": {"value": 1.0E+3}}}],
    "effectiveTiming": {"event": ["2026-01-01", "2026-01-02"], "repeat": {"timeOfDay": ["12:00:00"]}}}""",
    b"""{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:1", "resource":
    {"resourceType": "Questionnaire", "status": "draft", "item": [{"linkId": "1", "type": "group",
    "item": [{"linkId": "1.1", "type": "decimal", "initial": [{"valueDecimal": 1e-3}]}]}]}}]}""",
)

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18)
words = st.text(max_size=8) | st.sampled_from(
    ["", " ", "a b", "2026-02-30", "\0", "é한", "{}", '"', "\\", "null"]
)
scalars = st.none() | st.booleans() | st.integers() | decimals | words
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)


def read(data: bytes) -> Any:
    return json.loads(data, parse_float=Decimal)


def write(tree: Any) -> bytes:
    """Return the tree as JSON, decimals as numbers with all their digits."""
    if isinstance(tree, dict):
        return b"{" + b", ".join(write(name) + b": " + write(below) for name, below in tree.items()) + b"}"
    if isinstance(tree, list):
        return b"[" + b", ".join(map(write, tree)) + b"]"
    return str(tree).encode() if isinstance(tree, Decimal) else json.dumps(tree).encode()


def exact(tree: Any) -> Any:
    """Return the tree with decimals as (sign, digits, exponent), so that 1.0 and 1.00 differ."""
    if isinstance(tree, dict):
        return {name: exact(below) for name, below in tree.items()}
    if isinstance(tree, list):
        return [exact(below) for below in tree]
    return tree.as_tuple() if isinstance(tree, Decimal) else (type(tree).__name__, tree)


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every (holder, key) of the tree."""
    own = (
        list(tree.items())
        if isinstance(tree, dict)
        else list(enumerate(tree))
        if isinstance(tree, list)
        else []
    )
    return [place for key, below in own for place in [(tree, key), *places(below)]]


def assert_refused_with_a_path_or_kept(data: bytes) -> None:
    try:
        found = fhir.decode(data)
    except fhir.Invalid as error:
        if not (error.path and error.reason):
            pytest.fail(f"{error!r} does not say what is wrong, and where")
        return
    wire.inspect(data, "it looked clean, so it is")
    written = fhir.encode(found)
    assert exact(read(written)) == exact(read(data))
    assert fhir.decode(written) == found
    fhir.validate(found)


def mutated(tree: Any, data: st.DataObject) -> None:
    holder, key = data.draw(st.sampled_from(places(tree)))
    kind = data.draw(st.sampled_from(["replace", "remove", "rename", "copy", "wrap"]))
    if kind == "replace":
        holder[key] = data.draw(anything)
    elif kind == "remove":
        del holder[key]
    elif kind == "rename" and isinstance(holder, dict):
        holder[data.draw(words | st.sampled_from([f"_{key}", str(key)[1:], "id", "extension"]))] = holder.pop(
            key
        )
    elif kind == "copy":
        other, place = data.draw(st.sampled_from(places(tree)))
        holder[key] = read(write(other[place]))
    else:
        holder[key] = [holder[key]]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_changed_resource_is_refused_with_a_path_or_kept_whole(data: st.DataObject) -> None:
    tree = read(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(0, 3))):
        if places(tree):
            mutated(tree, data)
    assert_refused_with_a_path_or_kept(write(tree))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 10**6), st.integers(0, 12), st.binary(max_size=6))
def test_changed_bytes_are_refused_with_a_path_or_kept_whole(
    seed: bytes, at: int, cut: int, put: bytes
) -> None:
    start = at % len(seed)
    data = seed[:start] + put + seed[start + cut :]
    try:
        read(data)
    except ValueError:
        with pytest.raises(fhir.Invalid):
            fhir.decode(data)
    else:
        assert_refused_with_a_path_or_kept(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40) | st.text(max_size=40))
def test_noise_is_refused(noise: bytes | str) -> None:
    # hypothesis also draws what stands in the sources, and a whole Patient fits into 40 bytes
    assume("resourceType" not in str(noise))
    with pytest.raises(fhir.Invalid):
        fhir.decode(noise)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_every_bounded_decimal_comes_back_digit_for_digit(value: Decimal) -> None:
    quantity = fhir.Quantity(value=value)
    if abs(value.adjusted()) > fhir.MAX_EXPONENT:
        with pytest.raises(fhir.Invalid):
            fhir.validate(quantity)
        return
    fhir.validate(quantity)
    again = fhir.decode(fhir.encode(quantity), fhir.Quantity).value
    assert again is not None
    integer_zero = value.is_zero() and value.as_tuple().exponent == 0  # JSON's -0 is read as the integer 0
    assert again.as_tuple() == (abs(value) if integer_zero else value).as_tuple()


def objects(below: list[bytes]) -> bytes:
    return b"{" + b", ".join(rb'"}{\"\\%d": %s' % pair for pair in enumerate(below)) + b"}"


def deepest(tree: dict[str, Any]) -> int:
    return 1 + max(map(deepest, tree.values()), default=0)


@given(st.recursive(st.just(b"{}"), lambda inner: st.lists(inner, min_size=1).map(objects), max_leaves=30))
def test_depth_is_that_of_the_deepest_object(tree: bytes) -> None:
    assert wire.depth(tree) == deepest(json.loads(tree))


@pytest.mark.parametrize("seed", range(4))
def test_changed_official_examples_are_refused_with_a_path_or_kept_whole(
    fhir_examples: Path, seed: int
) -> None:
    """Change one place of many examples at random: a walk that is the same in every run."""
    pick = random.Random(seed)
    files = sorted(path for path in fhir_examples.glob("*.json") if path.stat().st_size < 6_000)
    for path in pick.sample(files, 250):
        if path.name == "package.json":
            continue
        tree = read(path.read_bytes())
        holder, key = pick.choice(places(tree))
        other, place = pick.choice(places(tree))
        holder[key] = pick.choice(
            [None, "", {}, [], 1, Decimal("1.0"), "x y", True, read(write(other[place]))]
        )
        assert_refused_with_a_path_or_kept(write(tree))
