"""Which place and time explains the cases?

:func:`rank_sites` ranks sites on a map, by walking distance where there are streets.
"""

from broadstreet.analysis.exposure.sites import SiteRanking, rank_sites

__all__ = ["SiteRanking", "rank_sites"]
