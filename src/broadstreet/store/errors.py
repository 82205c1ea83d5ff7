"""What goes wrong with a store, in words of our own."""

from __future__ import annotations

from broadstreet.model.failures import traced


class StoreError(Exception):
    """The store cannot do what was asked; the text is our own and holds no personal data."""


class NoStore(StoreError):
    """There is no store at that place yet."""


class StoreFull(StoreError):
    """There is no room; nothing of the batch was kept, and it may be sent again."""


class StoreLocked(StoreError):
    """Another hub holds the writer's lease."""


class StoreUnavailable(StoreError):
    """The back end cannot be reached. Whether a batch was kept that was under way is told by its keys:
    it may be sent again.
    """


class IndexGone(StoreError):
    """The search index that is written is no longer the one at its place: someone deleted or replaced it."""


class PositionGone(StoreError):
    """A read at a position whose superseded index rows are purged."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(
            f"position {asked} can no longer be read (the oldest is {oldest}); start again without a position"
        )
        self.asked, self.oldest = asked, oldest

    def __reduce__(self) -> tuple[type[PositionGone], tuple[int, int]]:
        return type(self), (self.asked, self.oldest)


def told(error: BaseException) -> str:
    """Return what may be told about an exception: the text of our own ones, kind and place of others."""
    return str(error) if isinstance(error, StoreError) else traced(error)
