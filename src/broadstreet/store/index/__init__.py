"""The search index: which values of a resource can be searched, as what, and in which tables."""

from broadstreet.store.index.indexer import BY_NAME as BY_NAME
from broadstreet.store.index.indexer import EARLIEST as EARLIEST
from broadstreet.store.index.indexer import LATEST as LATEST
from broadstreet.store.index.indexer import PARAMETERS as PARAMETERS
from broadstreet.store.index.indexer import Indexer as Indexer
from broadstreet.store.index.indexer import Parameter as Parameter
from broadstreet.store.index.indexer import parameter as parameter
from broadstreet.store.index.indexer import span as span
