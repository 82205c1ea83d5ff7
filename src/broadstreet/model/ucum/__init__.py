"""Units of measure by their UCUM codes: what they are in base units, so that quantities can be compared.

Source: https://ucum.org/ucum (The Unified Code for Units of Measure, version 2.2)
"""

from broadstreet.model.ucum.parser import MAX_LENGTH as MAX_LENGTH
from broadstreet.model.ucum.parser import parse as parse
from broadstreet.model.ucum.unit import Unit as Unit
