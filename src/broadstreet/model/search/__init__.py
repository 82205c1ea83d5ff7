"""Search: which values of a resource it is found by, and in which form.

Source: https://hl7.org/fhir/R4/search.html
"""

from broadstreet.model.search.dates import EARLIEST as EARLIEST
from broadstreet.model.search.dates import LATEST as LATEST
from broadstreet.model.search.dates import span as span
from broadstreet.model.search.extractors import extractor as extractor
from broadstreet.model.search.extractors import values as values
from broadstreet.model.search.parameters import BY_NUMBER as BY_NUMBER
from broadstreet.model.search.parameters import PARAMETERS as PARAMETERS
from broadstreet.model.search.parameters import Component as Component
from broadstreet.model.search.parameters import Kind as Kind
from broadstreet.model.search.parameters import Parameter as Parameter
from broadstreet.model.search.parameters import parameter as parameter
from broadstreet.model.search.parameters import parameters_of as parameters_of
from broadstreet.model.search.parts import Part as Part
from broadstreet.model.search.parts import PartRef as PartRef
from broadstreet.model.search.parts import components_of as components_of
from broadstreet.model.search.parts import parts_in as parts_in
from broadstreet.model.search.parts import parts_of as parts_of
from broadstreet.model.search.plan import every_value as every_value
from broadstreet.model.search.quantities import QuantityValue as QuantityValue
from broadstreet.model.search.strings import fold as fold
