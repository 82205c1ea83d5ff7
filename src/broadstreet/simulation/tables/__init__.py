"""Tables that a run leaves: the truth of each infection, line lists, and what people recall."""

from broadstreet.simulation.tables.linelist import line_list
from broadstreet.simulation.tables.people import people_table, places_table
from broadstreet.simulation.tables.recalled import Recall, contacts_named, visits_recalled
from broadstreet.simulation.tables.truth import truth_table

__all__ = [
    "Recall",
    "contacts_named",
    "line_list",
    "people_table",
    "places_table",
    "truth_table",
    "visits_recalled",
]
