"""FHIRPath: one parser, and a compiler to closures over the structs of FHIR R4.

Source: https://hl7.org/fhirpath/N1/ (normative release 2.0.0), https://hl7.org/fhir/R4/fhirpath.html
"""

from broadstreet.model.fhirpath.errors import EvaluationError as EvaluationError
from broadstreet.model.fhirpath.errors import FhirpathError as FhirpathError
from broadstreet.model.fhirpath.errors import SyntaxInvalid as SyntaxInvalid
from broadstreet.model.fhirpath.errors import TooCostly as TooCostly
from broadstreet.model.fhirpath.errors import TypeInvalid as TypeInvalid
from broadstreet.model.fhirpath.errors import Unsupported as Unsupported
from broadstreet.model.fhirpath.lexer import MAX_LENGTH as MAX_LENGTH
from broadstreet.model.fhirpath.parser import MAX_DEPTH as MAX_DEPTH
from broadstreet.model.fhirpath.parser import parse as parse
from broadstreet.model.fhirpath.program import Program as Program
from broadstreet.model.fhirpath.program import compile as compile
from broadstreet.model.fhirpath.values import Date as Date
from broadstreet.model.fhirpath.values import DateTime as DateTime
from broadstreet.model.fhirpath.values import Primitive as Primitive
from broadstreet.model.fhirpath.values import Quantity as Quantity
from broadstreet.model.fhirpath.values import Time as Time
