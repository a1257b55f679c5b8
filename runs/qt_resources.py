"""Extracts the pictures of Qt resource files: `python3 qt_resources.py FILE...` writes those of NAME.rcc to a folder NAME.

The format is that of Qt's resource compiler, versions 2 and 3: a tree of nodes, their names, and the data of each file
after its length. Compressed files are left out: photos are not compressed again.
"""

import sys
from pathlib import Path

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
NODE, COMPRESSED, FOLDER = 22, 1 | 4, 2


def number(data, at, size=4):
    return int.from_bytes(data[at : at + size], "big")


def files(data, node=0, above=Path()):
    """Each file's path and bytes, below a node."""
    tree, contents, names = (number(data, at) for at in (8, 12, 16))
    at, name = tree + NODE * node, names + number(data, tree + NODE * node)
    path = above / data[name + 6 : name + 6 + 2 * number(data, name, 2)].decode("utf-16-be") if node else above
    flags = number(data, at + 4, 2)
    if flags & FOLDER:
        first = number(data, at + 10)
        for child in range(first, first + number(data, at + 6)):
            yield from files(data, child, path)
    elif not flags & COMPRESSED:
        start = contents + number(data, at + 10)
        yield path, data[start + 4 : start + 4 + number(data, start)]


for file in map(Path, sys.argv[1:]):
    data = file.read_bytes()
    for path, picture in files(data):
        if path.suffix.lower() in ENDINGS:
            out = file.with_suffix("") / path
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(picture)
