"""Scan statistics: is there a cluster of cases, where and when, and could it be chance?

:func:`space_time` looks with cylinders, :func:`spatial` with circles, :func:`temporal` with windows of
time. Each returns a list of :class:`Cluster`.
"""

from broadstreet.analysis.scan.cluster import Cluster, Clusters
from broadstreet.analysis.scan.space_time import space_time
from broadstreet.analysis.scan.spatial import spatial
from broadstreet.analysis.scan.temporal import temporal

__all__ = ["Cluster", "Clusters", "space_time", "spatial", "temporal"]
