"""The search index: which values of a resource can be searched, as what, and in which tables."""

from broadstreet.model.search import EARLIEST as EARLIEST
from broadstreet.model.search import LATEST as LATEST
from broadstreet.store.index.indexer import Indexer as Indexer
from broadstreet.store.index.indexer import TokenKey as TokenKey
from broadstreet.store.index.indexer import parts as parts
from broadstreet.store.index.indexer import span as span
