"""A table of counts for people to see, from which no group of fewer than ten can be had, not even by subtraction."""

from collections.abc import Iterator, Mapping

from twinops.entities.small_cells import SMALLEST_CELL

Key = tuple[str, ...]


def suppressed(counts: Mapping[Key, int]) -> frozenset[Key]:
    """Which cells must not be shown, given that all margins of the table may be known.

    A cell of one to nine is hidden. Along every line of the table (all cells that differ in one part of the key only)
    the hidden ones must be none, or at least two that are at least ten together: else the next smallest is hidden too.

    >>> sorted(suppressed({("a",): 100, ("b",): 3, ("c",): 40}))
    [('b',), ('c',)]
    """
    out = {key for key, n in counts.items() if 0 < n < SMALLEST_CELL}
    while True:
        more = next(_needed(counts, out), None)
        if more is None:
            return frozenset(out)
        out.add(more)


def _needed(counts: Mapping[Key, int], out: set[Key]) -> Iterator[Key]:
    """Cells that have to go as well, line by line: a hidden one alone is the margin less all others."""
    for line in _lines(counts):
        gone = [key for key in line if key in out]
        left = sorted((counts[key], key) for key in line if key not in out and counts[key])
        if gone and left and (len(gone) < 2 or sum(counts[key] for key in gone) < SMALLEST_CELL):
            yield left[0][1]


def _lines(counts: Mapping[Key, int]) -> Iterator[list[Key]]:
    """The cells that share all parts of the key but one."""
    width = len(next(iter(counts), ()))
    for place in range(width):
        groups: dict[Key, list[Key]] = {}
        for key in counts:
            groups.setdefault(key[:place] + key[place + 1 :], []).append(key)
        yield from groups.values()
