#!/usr/bin/env python3
"""Writes what dlib's shape predictors say about a few boxes, for the test of `lineament_data::dlib`.

    pip install dlib-bin numpy pillow
    python3 tools/dlib_points.py [FOLDER]

Without FOLDER: draws faces, trains a tiny predictor on them with dlib, and writes testdata/dlib/tiny.dat, drawn.png and
tiny.json. With FOLDER, which holds shape_predictor_68_face_landmarks.dat and shape_predictor_5_face_landmarks.dat:
writes astronaut.png, the grey pixels around the face of testdata/astronaut.jpg, and astronaut.json. That takes a minute.

dlib rounds its points to whole pixels. So the file is read and run a second time here, with numpy and nothing from
dlib, and these points are not rounded. They are stored only when rounding them gives dlib's points for every box.
`rounded` is what dlib says, in its own pixels. `points` and `box` (x, y, width, height) are in Lineament's, where the
centre of the first pixel is (0.5, 0.5): half a pixel more than dlib's.
"""

import json
import sys
import time
from pathlib import Path

import dlib
import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "testdata" / "dlib"
REAL = ["shape_predictor_68_face_landmarks.dat", "shape_predictor_5_face_landmarks.dat"]
SEED = 7
SIDE = 128  # of a drawn picture
CROP = (96, 0, 352, 256)  # of astronaut.jpg
# A point this near to the border between two pixels may fall to either side: sums of f32 differ by their order.
NEAR_BORDER = 0.02


class Predictor:
    """A shape predictor's file, read and run without dlib."""

    def __init__(self, path):
        self.bytes, self.at = path.read_bytes(), 0
        assert self.int() == 1, "version"
        self.mean = self.matrix()
        self.forests = self.list(lambda: self.list(self.tree))
        self.anchors = self.list(lambda: self.list(self.int))
        self.deltas = self.list(lambda: self.list(lambda: (self.float(), self.float())))
        assert self.at == len(self.bytes), "bytes behind the end"

    def int(self):
        control = self.bytes[self.at]
        end = self.at + 1 + (control & 0x0F)
        value = int.from_bytes(self.bytes[self.at + 1 : end], "little")
        self.at = end
        return -value if control & 0x80 else value

    def float(self):
        mantissa = self.int()
        return mantissa * 2.0 ** self.int()

    def list(self, item):
        return [item() for _ in range(self.int())]

    def matrix(self):
        rows, columns = -self.int(), -self.int()
        assert columns == 1
        return np.array([self.float() for _ in range(rows)], np.float32)

    def tree(self):
        splits = self.list(lambda: (self.int(), self.int(), self.float()))
        leaves = self.list(self.matrix)
        assert len(leaves) == len(splits) + 1
        return splits, leaves

    def place(self, grey, left, top, width, height):
        """Points in dlib's pixels, not rounded."""
        scale, corner = np.array([width - 1, height - 1], np.float64), np.array([left, top], np.float64)
        mean = self.mean.reshape(-1, 2)
        shape = mean.copy()
        for forest, anchors, deltas in zip(self.forests, self.anchors, self.deltas):
            turn = umeyama(mean.astype(np.float64), shape.astype(np.float64)).astype(np.float32)
            at = (np.array(deltas, np.float32) @ turn.T + shape[anchors]).astype(np.float64) * scale + corner
            x, y = np.floor(at + 0.5).astype(np.int64).T
            inside = (x >= 0) & (y >= 0) & (x < grey.shape[1]) & (y < grey.shape[0])
            values = np.where(inside, grey[np.where(inside, y, 0), np.where(inside, x, 0)], 0).astype(np.float32)
            for splits, leaves in forest:
                node = 0
                while node < len(splits):
                    first, second, threshold = splits[node]
                    node = 2 * node + (1 if values[first] - values[second] > np.float32(threshold) else 2)
                shape += leaves[node - len(splits)].reshape(-1, 2)
        return shape.astype(np.float64) * scale + corner


def umeyama(source, target):
    """Scale and turn from one shape to another, by the formulas of Umeyama's paper (1991)."""
    source, target = source - source.mean(0), target - target.mean(0)
    u, d, vt = np.linalg.svd(target.T @ source / len(source))
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    return u @ sign @ vt * np.trace(np.diag(d) @ sign) / (source**2).sum(1).mean()


def faces(path, grey, boxes):
    """For each box what dlib says and what we compute; stops when the two disagree."""
    theirs, ours = dlib.shape_predictor(str(path)), Predictor(path)
    result, spent = [], 0.0
    for left, top, width, height in boxes:
        start = time.perf_counter()
        shape = theirs(grey, dlib.rectangle(left, top, left + width - 1, top + height - 1))
        spent += time.perf_counter() - start
        rounded = np.array([(p.x, p.y) for p in shape.parts()])
        points = ours.place(grey, left, top, width, height) + 0.5
        border = np.abs(points - np.round(points)) < NEAR_BORDER
        wrong = (np.floor(points) != rounded) & ~border
        assert not wrong.any(), f"{path.name}, box {left, top, width, height}: {points[wrong]}, dlib {rounded[wrong]}"
        result.append({
            "box": [left, top, width, height],
            "points": [[round(float(x), 4), round(float(y), 4)] for x, y in points],
            "rounded": rounded.tolist(),
        })
    print(f"{path.name}: {len(boxes)} boxes agree, dlib takes {spent / len(boxes) * 1e3:.2f} ms each")
    return result


def around(left, top, width, height, picture):
    """The box; shifted, larger, smaller, stretched; beyond each side of the picture, and far away from it."""
    w, h = picture
    return [
        (left, top, width, height),
        (left + width // 5, top - height // 8, width, height),
        (left - width // 6, top + height // 6, width, height),
        (left - width // 3, top - height // 3, width * 5 // 3, height * 5 // 3),
        (left + width // 5, top + height // 5, width * 3 // 5, height * 3 // 5),
        (left, top, width * 3 // 2, height),
        (-width // 2, top, width, height),
        (w - width // 2, h - height // 2, width, height),
        (left, -height // 3, width, height),
        (-3 * w, 4 * h, width, height),
        (left + width // 2, top + height // 2, 7, 5),
        (left + width // 2, top + height // 2, 1, 1),
    ]


def draw(random):
    """A face of ellipses, its box (left, top, width, height) and six points: eyes, nose, corners and middle of the mouth."""
    side = random.uniform(56, 88)
    x, y = random.uniform(4, SIDE - 4 - side, 2)
    turn = random.uniform(-0.3, 0.3)
    wide, high = random.uniform(0.17, 0.25), random.uniform(0.68, 0.78)
    spots = [(0.5 - wide, 0.38), (0.5 + wide, 0.38), (0.5, random.uniform(0.5, 0.6)),
             (0.5 - wide, high), (0.5 + wide, high), (0.5, high + 0.04)]
    c, s = np.cos(turn), np.sin(turn)
    points = [(x + side * (0.5 + c * (u - 0.5) - s * (v - 0.5)), y + side * (0.5 + s * (u - 0.5) + c * (v - 0.5)))
              for u, v in spots]
    picture = Image.fromarray(random.integers(20, 90, (SIDE, SIDE), np.uint8))
    pen = ImageDraw.Draw(picture)

    def blob(center, rx, ry, brightness):
        pen.ellipse((center[0] - rx, center[1] - ry, center[0] + rx, center[1] + ry), fill=brightness)

    blob((x + side / 2, y + side / 2), side * 0.42, side * 0.5, 200)
    for eye in points[:2]:
        blob(eye, side * 0.09, side * 0.06, 40)
    blob(points[2], side * 0.04, side * 0.06, 140)
    pen.line([points[3], points[5], points[4]], fill=60, width=3)
    return np.array(picture), (round(x), round(y), round(side), round(side)), points


def train(path):
    random = np.random.default_rng(SEED)
    pictures, truths = [], []
    for _ in range(60):
        picture, (left, top, width, height), points = draw(random)
        rect = dlib.rectangle(left, top, left + width - 1, top + height - 1)
        pictures.append(picture)
        truths.append([dlib.full_object_detection(rect, [dlib.point(round(x), round(y)) for x, y in points])])
    options = dlib.shape_predictor_training_options()
    options.tree_depth, options.cascade_depth, options.num_trees_per_cascade_level = 3, 4, 12
    options.feature_pool_size, options.oversampling_amount, options.nu = 60, 10, 0.3
    options.random_seed, options.num_threads = str(SEED), 1
    dlib.train_shape_predictor(pictures, truths, options).save(str(path))


def write(name, picture, predictors):
    path = FIXTURES / name
    path.write_text(json.dumps({"picture": picture, "predictors": predictors}) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def tiny():
    train(FIXTURES / "tiny.dat")
    grey, box, _ = draw(np.random.default_rng(SEED + 1))
    Image.fromarray(grey).save(FIXTURES / "drawn.png", optimize=True)
    boxes = around(*box, grey.shape[::-1])
    write("tiny.json", "drawn.png", {"tiny.dat": faces(FIXTURES / "tiny.dat", grey, boxes)})


def real(folder):
    rgb = np.array(Image.open(ROOT / "testdata" / "astronaut.jpg").convert("RGB").crop(CROP)).astype(np.uint32)
    grey = ((77 * rgb[..., 0] + 150 * rgb[..., 1] + 29 * rgb[..., 2] + 128) >> 8).astype(np.uint8)
    Image.fromarray(grey).save(FIXTURES / "astronaut.png", optimize=True)
    face = max(dlib.get_frontal_face_detector()(grey, 1), key=lambda r: r.area())
    boxes = around(face.left(), face.top(), face.width(), face.height(), grey.shape[::-1])
    write("astronaut.json", "astronaut.png", {name: faces(folder / name, grey, boxes) for name in REAL})


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    real(Path(sys.argv[1])) if len(sys.argv) > 1 else tiny()
