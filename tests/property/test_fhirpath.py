"""FHIRPath, UCUM and folding hold for whatever comes."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from broadstreet.model import fhir, fhirpath, search, ucum
from broadstreet.model.fhirpath.syntax import text
from broadstreet.model.fhirpath.temporal import compare, parse_date, parse_datetime
from broadstreet.model.search.quantities import of_quantity

WORDS = """
    name given use Patient value birthDate telecom . ( ) [ ] { } , + - * / & | = != ~ < > <= >= and or xor
    implies is as in contains div mod 'a' '\\u0065' `id` 0 1 2.50 4 days 3 'mg' @2015 @2015-02-04T14 @T10:30
    true $this $index %ucum where( exists() first() ofType( select( count() not() toString() String Quantity
    iif( repeat( // /*
"""
PIECES = st.sampled_from(WORDS.split())
PATIENT = fhir.Patient(birthDate="1813-03-15", name=[fhir.HumanName(given=["John"], use="official")])


@given(st.lists(PIECES, max_size=14).map(" ".join))
@example("(" * 90)
@example("1 div 0 mod 0")
def test_any_text_is_answered_or_refused_as_an_expression(expression: str) -> None:
    try:
        found = fhirpath.compile(expression, "Patient")(PATIENT)
    except fhirpath.FhirpathError:
        return
    assert isinstance(found, list)


@given(st.text(max_size=60))
def test_any_characters_are_answered_or_refused(expression: str) -> None:
    try:
        fhirpath.compile(expression)(PATIENT)
    except fhirpath.FhirpathError as error:
        assert error.reason  # noqa: PT017


@given(st.lists(PIECES, max_size=12).map(" ".join))
@example("Patient . name . where( use = 'a' ) . given | 4 days")
@example("- 1 . toString()")
@example("@2015-02-04T14 . toString()")
def test_a_tree_written_as_text_reads_back_as_the_same_tree(expression: str) -> None:
    try:
        tree = fhirpath.parse(expression)
    except fhirpath.FhirpathError:
        return
    written = text(tree)
    assert text(fhirpath.parse(written)) == written


DATES = st.dates().map(str)
MOMENTS = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
CUT = st.sampled_from([4, 7, 10, 13, 16, 19])


@given(st.tuples(st.one_of(DATES, MOMENTS), CUT), st.tuples(st.one_of(DATES, MOMENTS), CUT))
def test_the_order_of_two_moments_is_the_same_from_both_sides(one: tuple, other: tuple) -> None:
    left, right = (parse_date(t[:n]) or parse_datetime(t[:n].rstrip("T")) for t, n in (one, other))
    if left is None or right is None:
        return
    compared, back = compare(left, right), compare(right, left)
    assert (compared is None) == (back is None)
    assert compared is None or compared == -back
    assert compare(left, left) == 0


@given(st.text(max_size=40))
@example("ﬀ ŉ İ ǰ ẞ")
@example("ϓ ͺ ﬃ ℌ")
def test_folding_twice_is_folding_once(string: str) -> None:
    assert search.fold(search.fold(string)) == search.fold(string)


NUMBERS = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**30), 10**30),
    st.one_of(st.integers(-4, 4), st.integers(-430, 370)),
)
UNITS = st.sampled_from(["g", "mg", "Cel", "[degF]", "Ym40", "ym40.ym40.ym40", "%", "1", "{x}", "no"])


@given(NUMBERS, UNITS, st.sampled_from([None, "<", ">="]))
def test_any_quantity_has_bounds_in_order(number: Decimal, unit: str, comparator: str | None) -> None:
    written = fhir.Quantity(
        value=number, system="http://unitsofmeasure.org", code=unit, comparator=comparator
    )
    (found,) = of_quantity(written)
    for low, high in ((found.low, found.high), (found.base_low, found.base_high)):
        assert low is None or high is None or low <= high


OPERATIONS = st.sampled_from(
    [
        *(f"%a {sign} %b" for sign in ("+", "-", "*", "/", "div", "mod", "=", "~", "<")),
        *(f"%a.{call}" for call in ("round(3)", "power(%b)", "ln()", "log(%b)", "exp()", "sqrt()", "abs()")),
        *(
            f"%a.{call}"
            for call in ("lowBoundary()", "highBoundary(2)", "precision()", "ceiling()", "toString()")
        ),
        *(f"{moment} + %q" for moment in ("@2020", "@2020-01-01T10:00:00Z", "@T10:00", "%q")),
        "%q * %a",
        "%a.toInteger()",
        "-%a",
    ]
)


@given(OPERATIONS, NUMBERS, NUMBERS, st.sampled_from(["day", "month", "year", "millisecond"]))
def test_any_numbers_are_calculated_or_refused(
    operation: str, one: Decimal, other: Decimal, unit: str
) -> None:
    constants = {"a": one, "b": other, "q": fhirpath.Quantity(other, unit, calendar=True)}
    try:
        found = fhirpath.compile(operation, constants=constants)(PATIENT)
    except fhirpath.EvaluationError:
        return
    assert len(found) <= 1


@given(st.text(alphabet="mgkLsdhu/.()[]{}%0123456789*^-+'_iUHg", max_size=24))
@example("(" * 60)
@example("1/" * 40)
def test_any_code_is_a_unit_or_none(code: str) -> None:
    unit = ucum.parse(code)
    if unit is not None:
        assert unit.factor > 0
        assert ucum.parse(unit.dimension).dimensions == unit.dimensions
