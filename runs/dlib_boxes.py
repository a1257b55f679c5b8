#!/usr/bin/env python3
"""Finds the faces of a folder of photos with dlib's frontal HOG detector and writes them as a box table.

    pip install dlib-bin opencv-python-headless
    python3 runs/dlib_boxes.py PHOTOS boxes.csv

One row for each face: `file,x,y,w,h,score`, where `file` is the path below PHOTOS with `/`. Photos in folders below are
read too; what starts with a dot is left out. Boxes are in pixels of the upright photo (EXIF orientation applied), and
left and top edges count from the photo's corner: dlib's `right` and `bottom` are the last pixels of a face, hence
w = right - left + 1. dlib's confidence has no fixed range; the score is 1 / (1 + exp(-confidence)), so 0.5 is the
detector's own threshold.

A photo that cannot be read is one line on stderr; the others go on, and the exit code is 1.
"""

import argparse
import csv
import math
import os
import sys
import time
from pathlib import Path

import cv2
import dlib
import numpy as np

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SECONDS_BETWEEN_LINES = 5


def photos_in(folder):
    """Photos below the folder, sorted; hidden files and linked folders are left out."""
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield Path(at) / name


def read_grey(path):
    """The upright photo, grey as Lineament makes it; None when it is no picture."""
    data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every path on Windows
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        return None
    blue, green, red = (picture[..., i].astype(np.uint32) for i in range(3))
    return ((77 * red + 150 * green + 29 * blue + 128) >> 8).astype(np.uint8)


def shrunk(grey, longest):
    """The photo with no side above `longest` (0: as it is), and the factors (x, y) back to its own pixels."""
    height, width = grey.shape
    factor = longest / max(height, width)
    if not longest or factor >= 1:
        return grey, (1.0, 1.0)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (width / size[0], height / size[1])


def faces(detector, grey, options):
    """x, y, w, h, score of each face, the surest first."""
    picture, (fx, fy) = shrunk(grey, options.max_side)
    rects, confidences, _ = detector.run(picture, options.upsample, options.threshold)
    for rect, confidence in sorted(zip(rects, confidences), key=lambda pair: -pair[1]):
        box = rect.left() * fx, rect.top() * fy, rect.width() * fx, rect.height() * fy
        yield [f"{value:.1f}" for value in box] + [f"{1 / (1 + math.exp(-confidence)):.4f}"]


def write_table(table, options):
    """Writes the rows; returns how many photos could not be read."""
    detector = dlib.get_frontal_face_detector()
    photos = sorted(photos_in(options.photos))
    if not photos:
        sys.exit(f"{options.photos}: no photos ({', '.join(sorted(ENDINGS))})")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["file", "x", "y", "w", "h", "score"])
    found = without = unread = 0
    start = said = time.monotonic()
    for done, path in enumerate(photos, 1):
        grey = read_grey(path)
        if grey is None:
            unread += 1
            print(f"{path}: not a picture that OpenCV can read", file=sys.stderr)
        else:
            boxes = list(faces(detector, grey, options))
            name = path.relative_to(options.photos).as_posix()
            rows.writerows([name, *box] for box in boxes)
            found, without = found + len(boxes), without + (not boxes)
        now = time.monotonic()
        if now - said >= SECONDS_BETWEEN_LINES or done == len(photos):
            said = now
            left = (now - start) / done * (len(photos) - done)
            print(f"{done} of {len(photos)} photos, {found} faces, about {left:.0f} s left", file=sys.stderr)
    print(f"{found} faces; {without} photos without one, {unread} unreadable", file=sys.stderr)
    return unread


def main():
    parser = argparse.ArgumentParser(description="A box table from dlib's frontal face detector.")
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("output", type=Path, help="the table to write")
    parser.add_argument("--upsample", type=int, default=1, metavar="N",
                        help="double the photo N times: once finds faces from 40 pixels on, not 80 (default 1)")
    parser.add_argument("--threshold", type=float, default=0.0, metavar="T",
                        help="least confidence; below 0 more faces and more errors (default 0)")
    parser.add_argument("--max-side", type=int, default=0, metavar="PIXELS",
                        help="shrink photos with a longer side for the search; saves time and memory (default: never)")
    options = parser.parse_args()
    if not options.photos.is_dir():
        parser.error(f"{options.photos} is no folder")
    if options.upsample < 0 or options.max_side < 0:
        parser.error("--upsample and --max-side take whole numbers from 0 on")
    temporary = options.output.with_name(f".{options.output.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as table:
            unread = write_table(table, options)
        temporary.replace(options.output)
    except KeyboardInterrupt:
        sys.exit("stopped; no table was written")
    finally:
        temporary.unlink(missing_ok=True)
    sys.exit(1 if unread else 0)


if __name__ == "__main__":
    main()
