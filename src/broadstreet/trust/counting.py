"""Small counts are not published: from one or two of a district, neighbours know who it was.

Counts under the threshold are left out. Where a total is published with its parts, one part left out could be
computed from the rest; so then at least two parts are left out, and together they are at least the threshold.

Source: Hundepool et al., Statistical Disclosure Control, 2012, section 5 (primary and secondary
suppression). The threshold of 5: a usual choice in public health statistics; see CDC WONDER, which
suppresses counts below 10, and the ONS, which suppresses below 3 or 5.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

THRESHOLD: Final = 5

Key = TypeVar("Key", bound=Hashable)


def published(count: int, threshold: int = THRESHOLD) -> int | None:
    """Return a count that stands alone as it may be published; None if it is small.

    Zero is told: that nobody was ill tells nobody's illness.
    """
    if count < 0:
        raise ValueError(f"a count is at least 0 (is {count})")
    return count if count == 0 or count >= threshold else None


def published_parts(counts: Mapping[Key, int], threshold: int = THRESHOLD) -> dict[Key, int | None]:
    """Return the parts of a total that is published with them, those left out as None.

    Parameters
    ----------
    counts
        The parts, each at least 0.
    threshold
        Counts from 1 up to this, exclusive, are small.

    Returns
    -------
    dict
        The same keys. If anything is left out, it is at least two parts, whose sum is at least the threshold;
        if no parts are large enough for that, all but the zeros.
    """
    told = {key: published(count, threshold) for key, count in counts.items()}
    hidden = [count for key, count in counts.items() if told[key] is None]
    if not hidden:
        return told
    left = sorted((count, n, key) for n, (key, count) in enumerate(counts.items()) if told[key])
    for count, _, key in left:
        if len(hidden) >= 2 and sum(hidden) >= threshold:
            break
        told[key] = None
        hidden.append(count)
    return told
