"""Search in the index: conditions, the plan, and pages that do not move while the log grows."""

from broadstreet.store.query.conditions import ANY as ANY
from broadstreet.store.query.conditions import AnyOf as AnyOf
from broadstreet.store.query.conditions import Composite as Composite
from broadstreet.store.query.conditions import Condition as Condition
from broadstreet.store.query.conditions import Dated as Dated
from broadstreet.store.query.conditions import Missing as Missing
from broadstreet.store.query.conditions import Not as Not
from broadstreet.store.query.conditions import Number as Number
from broadstreet.store.query.conditions import Quantity as Quantity
from broadstreet.store.query.conditions import Refers as Refers
from broadstreet.store.query.conditions import Text as Text
from broadstreet.store.query.conditions import Token as Token
from broadstreet.store.query.conditions import Uri as Uri
from broadstreet.store.query.plan import Plan as Plan
from broadstreet.store.query.reading import Searching as Searching
from broadstreet.store.query.results import Counted as Counted
from broadstreet.store.query.results import Found as Found
from broadstreet.store.query.results import TooBroad as TooBroad
from broadstreet.store.query.search import ENTRY as ENTRY
from broadstreet.store.query.sql import POSTGRES as POSTGRES
from broadstreet.store.query.sql import SQLITE as SQLITE
from broadstreet.store.query.sql import Dialect as Dialect
