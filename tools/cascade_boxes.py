#!/usr/bin/env python3
"""Writes what OpenCV's cascades find, for the tests of `lineament::cascade`.

    pip install "opencv-python-headless<5" numpy
    python3 tools/cascade_boxes.py                                       # the fixtures in git
    python3 tools/cascade_boxes.py --out DIR --cascades a.xml b.xml --photos PHOTO_OR_DIR ... [--count 300]
    LINEAMENT_CASCADES=DIR cargo test -p lineament --features cascade --test cascade

A folder holds cascades (.xml), grey pictures (.pgm, since decoders of JPEG differ) and boxes.json:

    [{"cascade": NAME, "picture": NAME, "scale_factor": 1.1, "min_neighbors": 3, "min_size": [0, 0],
      "max_size": [0, 0], "boxes": [[x, y, width, height, neighbors], ...]}, ...]

The first form makes the cascades up: random features, with thresholds such that some windows of the pictures pass. So
the files in git are ours, and every kind of file is there: both formats, upright and turned Haar features, local binary
patterns, stumps and trees. The second form takes real cascades and photos, which do not belong in git.
"""

import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "crates/lineament/tests/fixtures/cascade"
SETTINGS = [
    {},
    {"scale_factor": 1.3, "min_neighbors": 0, "min_size": [30, 30], "max_size": [70, 70]},
    {"scale_factor": 1.05, "min_neighbors": 5},
    {"scale_factor": 1.21, "min_neighbors": 1, "max_size": [60, 90]},
]


def find(detector, picture, scale_factor=1.1, min_neighbors=3, min_size=(0, 0), max_size=(0, 0)):
    """One entry of boxes.json, without its names."""
    boxes, neighbors = detector.detectMultiScale2(
        picture, scaleFactor=scale_factor, minNeighbors=min_neighbors, minSize=tuple(min_size), maxSize=tuple(max_size))
    return {
        "scale_factor": scale_factor, "min_neighbors": min_neighbors,
        "min_size": list(min_size), "max_size": list(max_size),
        "boxes": [[*map(int, box), int(n)] for box, n in zip(boxes, np.ravel(neighbors))],
    }


def write_boxes(folder, cascades, pictures, settings):
    entries = []
    for name in cascades:
        detector = cv2.CascadeClassifier(str(folder / name))
        assert not detector.empty(), name
        for picture_name, picture in pictures.items():
            for setting in settings:
                entries.append({"cascade": name, "picture": picture_name} | find(detector, picture, **setting))
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    (folder / "boxes.json").write_text(f"[\n{lines}\n]\n")
    for name in cascades:
        counts = [len(entry["boxes"]) for entry in entries if entry["cascade"] == name]
        print(f"{name}: {sum(counts)} boxes in {len(counts)} runs")


# Cascades of our own.

def drawn_picture():
    """Odd sides, soft and hard edges, noise, and flat parts, which a cascade skips."""
    y, x = np.mgrid[0:131, 0:97].astype(float)
    picture = 90 + 60 * np.sin(x / 9) * np.cos(y / 13)
    cv2.circle(picture, (45, 50), 22, 210, -1)
    cv2.ellipse(picture, (40, 46), (6, 3), 20, 0, 360, 40, -1)
    cv2.rectangle(picture, (60, 70), (90, 110), 15, -1)
    picture += np.random.default_rng(5).normal(0, 6, picture.shape)
    picture[100:] = 128
    return np.clip(picture, 0, 255).astype(np.uint8)


def sample_windows(pictures, width, height, rng, count=400):
    """Windows at random places and sizes, shrunk to the cascade's."""
    windows = []
    while len(windows) < count:
        picture = pictures[rng.integers(len(pictures))]
        factor = rng.uniform(1, 3)
        w, h = int(width * factor), int(height * factor)
        if w < picture.shape[1] and h < picture.shape[0]:
            x, y = rng.integers(picture.shape[1] - w), rng.integers(picture.shape[0] - h)
            windows.append(cv2.resize(picture[y:y + h, x:x + w], (width, height), interpolation=cv2.INTER_LINEAR_EXACT))
    return windows


def random_haar(width, height, rng, tilted):
    """Two rectangles that share one part, or three; as (tilted, [(x, y, w, h, weight), ...])."""
    while True:
        w, h = (int(side) for side in rng.integers(2, 9, 2))
        parts = int(rng.integers(2, 4))
        whole, part = (w * parts, h), (w, h)
        if tilted:
            x, y = int(rng.integers(h, width)), int(rng.integers(0, height))
            inside = x + whole[0] <= width and y + whole[0] + h <= height
            shifted = (x + w, y + w)
        else:
            x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
            inside = x + whole[0] <= width and y + h <= height
            shifted = (x + w, y)
        if inside:
            rects = [(x, y, *whole, -1.0), (*shifted, *part, float(parts))]
            if parts == 3 and rng.random() < 0.5:  # the same as two rectangles less the one between
                rects = [(x, y, *part, -1.0), (*shifted, *part, 2.0), (2 * shifted[0] - x, 2 * shifted[1] - y, *part, -1.0)]
            return tilted, rects


def haar_value(feature, window):
    """A feature's value as the evaluator has it: about -1 to 1."""
    tilted, rects = feature
    upright, squares, turned = cv2.integral3(window)
    height, width = window.shape

    def total(integral, corners):
        a, b, c, d = (float(integral[y, x]) for x, y in corners)
        return a - b - c + d

    area = (width - 2) * (height - 2)
    inner = [(1, 1), (width - 1, 1), (1, height - 1), (width - 1, height - 1)]
    spread = max(area * total(squares, inner) - total(upright, inner) ** 2, 1.0) ** 0.5
    value = 0.0
    for x, y, w, h, weight in rects:
        if tilted:
            value += weight * total(turned, [(x, y), (x - h, y + h), (x + w, y + w), (x + w - h, y + w + h)])
        else:
            value += weight * total(upright, [(x, y), (x + w, y), (x, y + h), (x + w, y + h)])
    return value / spread


def random_trees(windows, sizes, make_node, rng):
    """Trees with sizes[k] nodes each: (left, right, question) per node and leaves; and each window's sum of answers."""
    trees, totals = [], np.zeros(len(windows))
    for size in sizes:
        leaves = [round(float(v), 4) for v in rng.uniform(-1, 1, size + 1)]
        nodes, leaf = [], 0
        for at in range(size):  # a chain: each node but the last leads to the next on one side
            question, goes_left = make_node()
            ends = at == size - 1
            left = at + 1 if not ends and at % 2 == 0 else None
            right = at + 1 if not ends and at % 2 == 1 else None
            left, leaf = (left, leaf) if left else (-leaf, leaf + 1)
            right, leaf = (right, leaf) if right else (-leaf, leaf + 1)
            nodes.append((left, right, question, goes_left))
        for k in range(len(windows)):
            at = 0
            while True:
                left, right, _, goes_left = nodes[at]
                at = left if goes_left[k] else right
                if at <= 0:
                    break
            totals[k] += leaves[-at]
        trees.append(([node[:3] for node in nodes], leaves))
    return trees, totals


def random_cascade(pictures, width, height, stages, passing, rng, make_node):
    """Stages as (threshold, trees), of which each lets a part of the windows pass."""
    result, windows = [], sample_windows(pictures, width, height, rng)
    for sizes in stages:
        trees, totals = random_trees(windows, sizes, lambda: make_node(windows), rng)
        threshold = float(np.quantile(totals, 1 - passing))
        windows = [window for window, total in zip(windows, totals) if total >= threshold]
        result.append((threshold, trees))
    return result


def haar_maker(width, height, rng, tilted):
    def make(windows):
        feature = random_haar(width, height, rng, rng.random() < tilted)
        values = [haar_value(feature, window) for window in windows]
        threshold = float(np.float32(np.quantile(values, rng.uniform(0.3, 0.7))))
        return (feature, threshold), [value < threshold for value in values]

    return make


def lbp_maker(width, height, rng):
    def make(windows):
        while True:
            x, y, w, h = (int(v) for v in rng.integers([0, 0, 1, 1], [width, height, 9, 9]))
            if x + 3 * w <= width and y + 3 * h <= height:
                break
        words = rng.integers(-2**31, 2**31, 8)

        def goes_left(window):
            means = window[y:y + 3 * h, x:x + 3 * w].astype(int).reshape(3, h, 3, w).sum(axis=(1, 3))
            around = [means[0, 0], means[0, 1], means[0, 2], means[1, 2], means[2, 2], means[2, 1], means[2, 0], means[1, 0]]
            code = sum(128 >> k for k in range(8) if around[k] >= means[1, 1])
            return bool(int(words[code // 32]) >> code % 32 & 1)

        return ((x, y, w, h), " ".join(map(str, words))), [goes_left(window) for window in windows]

    return make


def new_format(kind, width, height, stages):
    features, lines = [], []
    for threshold, trees in stages:
        lines.append(f"    <_>\n      <stageThreshold>{threshold!r}</stageThreshold>\n      <weakClassifiers>")
        for nodes, leaves in trees:
            numbers = []
            for left, right, (feature, rest) in nodes:
                numbers.append(f"{left} {right} {len(features)} {rest}")
                features.append(feature)
            lines.append(f"        <_>\n          <internalNodes>\n            {'  '.join(numbers)}</internalNodes>")
            lines.append(f"          <leafValues>\n            {' '.join(map(repr, leaves))}</leafValues></_>")
        lines.append("      </weakClassifiers></_>")
    lines.append("  </stages>\n  <features>")
    for feature in features:
        if kind == "LBP":
            lines.append(f"    <_>\n      <rect>\n        {' '.join(map(str, feature))}</rect></_>")
        else:
            tilted, rects = feature
            rects = "\n".join(f"        <_>\n          {' '.join(map(str, rect[:4]))} {rect[4]:g}.</_>" for rect in rects)
            lines.append(f"    <_>\n      <rects>\n{rects}</rects>\n      <tilted>{int(tilted)}</tilted></_>")
    categories = 256 if kind == "LBP" else 0
    return f"""<?xml version="1.0"?>
<!-- Made up by tools/cascade_boxes.py: it finds nothing in particular. -->
<opencv_storage>
<cascade type_id="opencv-cascade-classifier">
  <stageType>BOOST</stageType>
  <featureType>{kind}</featureType>
  <height>{height}</height>
  <width>{width}</width>
  <stageParams>
    <maxWeakCount>{max(len(trees) for _, trees in stages)}</maxWeakCount></stageParams>
  <featureParams>
    <maxCatCount>{categories}</maxCatCount></featureParams>
  <stageNum>{len(stages)}</stageNum>
  <stages>
""" + "\n".join(lines) + "\n  </features></cascade>\n</opencv_storage>\n"


def old_format(width, height, stages):
    lines = []
    for k, (threshold, trees) in enumerate(stages):
        lines.append(f"    <_>\n      <!-- stage {k} -->\n      <trees>")
        for nodes, leaves in trees:
            lines.append("        <_>")
            for left, right, ((tilted, rects), node_threshold) in nodes:
                rects = "\n".join(f"                <_>{' '.join(map(str, rect[:4]))} {rect[4]:g}.</_>" for rect in rects)
                links = "\n".join(
                    f"            <{side}_node>{link}</{side}_node>" if link > 0 else
                    f"            <{side}_val>{leaves[-link]!r}</{side}_val>"
                    for side, link in (("left", left), ("right", right)))
                lines.append(f"          <_>\n            <feature>\n              <rects>\n{rects}</rects>")
                lines.append(f"              <tilted>{int(tilted)}</tilted></feature>")
                lines.append(f"            <threshold>{node_threshold!r}</threshold>\n{links}</_>")
            lines.append("        </_>")
        lines.append(f"      </trees>\n      <stage_threshold>{threshold!r}</stage_threshold>")
        lines.append(f"      <parent>{k - 1}</parent>\n      <next>-1</next></_>")
    return f"""<?xml version="1.0"?>
<!-- Made up by tools/cascade_boxes.py: it finds nothing in particular. -->
<opencv_storage>
<made_up type_id="opencv-haar-classifier">
  <size>
    {width} {height}</size>
  <stages>
""" + "\n".join(lines) + "\n  </stages></made_up>\n</opencv_storage>\n"


def write_fixtures(folder):
    astronaut = cv2.imread(str(ROOT / "testdata/astronaut_grey.png"), cv2.IMREAD_GRAYSCALE)[:150, 30:210]
    pictures = {"astronaut.pgm": np.ascontiguousarray(astronaut), "drawn.pgm": drawn_picture()}
    grounds = list(pictures.values())
    rng = np.random.default_rng(2)

    def haar(width, height, stages, tilted, passing):
        return random_cascade(grounds, width, height, stages, passing, rng, haar_maker(width, height, rng, tilted))

    def lbp(width, height, stages, passing):
        return random_cascade(grounds, width, height, stages, passing, rng, lbp_maker(width, height, rng))

    stumps, trees = [[1] * 3, [1] * 4, [1] * 5], [[2, 1, 3], [2, 2, 2, 2], [3, 2, 1, 2]]
    texts = {
        "haar_stumps.xml": new_format("HAAR", 20, 20, haar(20, 20, stumps, 0.0, 0.35)),
        "haar_tilted_trees.xml": new_format("HAAR", 19, 25, haar(19, 25, trees, 0.5, 0.35)),
        "haar_old.xml": old_format(24, 17, haar(24, 17, trees, 0.3, 0.35)),
        "lbp_stumps.xml": new_format("LBP", 24, 24, lbp(24, 24, stumps, 0.35)),
        "lbp_trees.xml": new_format("LBP", 18, 22, lbp(18, 22, trees, 0.35)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
    write_boxes(folder, list(texts), pictures, SETTINGS)


def write_real(folder, cascades, photos, count):
    folder.mkdir(parents=True, exist_ok=True)
    for cascade in cascades:
        shutil.copyfile(cascade, folder / cascade.name)
    pictures = {}
    for source in photos:
        files = sorted(source.glob("*.jpg")) if source.is_dir() else [source]
        for file in files[:: max(len(files) // count, 1)][:count]:
            picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            pictures[f"{file.stem}.pgm"] = picture
            cv2.imwrite(str(folder / f"{file.stem}.pgm"), picture)
    write_boxes(folder, [cascade.name for cascade in cascades], pictures, [{}])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FIXTURES)
    parser.add_argument("--cascades", type=Path, nargs="+", help="real cascade files")
    parser.add_argument("--photos", type=Path, nargs="+", help="photos, or folders with .jpg files")
    parser.add_argument("--count", type=int, default=300, help="most photos of a folder")
    arguments = parser.parse_args()
    # With several threads the order of the boxes would change from run to run.
    cv2.setNumThreads(1)
    if arguments.cascades:
        write_real(arguments.out, arguments.cascades, arguments.photos or [], arguments.count)
    else:
        write_fixtures(arguments.out)


if __name__ == "__main__":
    main()
