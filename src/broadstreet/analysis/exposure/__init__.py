"""Which place and time explains the cases?

:func:`rank_visits` ranks the places that cases report to have visited, against controls; :func:`rank_sites`
ranks sites on a map, by walking distance where there are streets.
"""

from broadstreet.analysis.exposure.sites import SiteRanking, rank_sites
from broadstreet.analysis.exposure.visits import VisitRanking, rank_visits

__all__ = ["SiteRanking", "VisitRanking", "rank_sites", "rank_visits"]
