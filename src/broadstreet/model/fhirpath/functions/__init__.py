"""The functions of FHIRPath, a module for each family; a new function is a row in the table of its family."""

from broadstreet.model.fhirpath.functions import (
    boundaries,
    combining,
    conversions,
    existence,
    filtering,
    mathematics,
    navigation,
    present,
    strings,
    subsetting,
)
from broadstreet.model.fhirpath.functions.function import Function as Function

FAMILIES = {
    "existence": existence.FUNCTIONS,
    "filtering": filtering.FUNCTIONS,
    "subsetting": subsetting.FUNCTIONS,
    "combining": combining.FUNCTIONS,
    "strings": strings.FUNCTIONS,
    "conversions": conversions.FUNCTIONS,
    "mathematics": mathematics.FUNCTIONS,
    "navigation": navigation.FUNCTIONS,
    "boundaries": boundaries.FUNCTIONS,
    "present": present.FUNCTIONS,
}
FUNCTIONS: dict[str, Function] = {name: row for family in FAMILIES.values() for name, row in family.items()}

# Of the standard, but not implemented, and why: an expression that uses one is refused when it is compiled.
NOT_IMPLEMENTED = {
    **dict.fromkeys(("matches", "matchesFull", "replaceMatches"), "needs regular expressions in linear time"),
    **dict.fromkeys(("memberOf", "subsumes", "subsumedBy"), "needs a terminology server"),
    **dict.fromkeys(("htmlChecks", "elementDefinition", "slice", "checkModifiers"), "needs profiles"),
    **dict.fromkeys(("defineVariable", "getValue", "coalesce", "repeatAll"), "not there yet"),
}
