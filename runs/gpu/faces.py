"""Faces as squares of pixels on the device, each with its 68 points, as the library crops them.

A patch is REACH sides of the library's crop wide, so that crops that are shifted and turned still lie within it.
Coordinates are those of the crop frame: -1 to 1 over the crop that the points alone would give, x right, y down.
"""

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from common import common

REACH = 2.2
PATCH = 320
MASK = (1 << 64) - 1


def is_validation(name, share):
    """As lineament_data::dataset::is_validation; common.read compares the two."""
    stem = os.path.splitext(os.path.basename(name))[0]
    head, _, tail = stem.rpartition("_")
    group = head if head and tail.isdigit() and len(tail) <= 2 else stem
    h = 0xCBF29CE484222325
    for byte in group.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & MASK
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return (h ^ h >> 33) / MASK < share


def read_pts(path):
    """Points in pixels, the centre of the first at (0.5, 0.5)."""
    lines = open(path).read().split("{")[1].split("}")[0].split()
    return np.array(lines, dtype=np.float64).reshape(-1, 2) - 0.5


def write_pts(path, points):
    """Writes what read_pts reads."""
    rows = "".join(f"{x + 0.5:.3f} {y + 0.5:.3f}\n" for x, y in points)
    open(path, "w").write(f"version: 1\nn_points: {len(points)}\n{{\n{rows}}}\n")


def crop_of(points):
    """Centre, side and roll of lineament::Crop::from_points; common.read compares the two."""
    points = np.asarray(points, dtype=np.float64)
    right, left = points[36:42].mean(0), points[42:48].mean(0)
    mouth = (points[48] + points[54]) / 2
    across, down = left - right, mouth - (right + left) / 2
    roll = math.atan2(across[1] - down[0], across[0] + down[1])
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    turned = points @ turn  # the inverse turn of each point
    low, high = turned.min(0), turned.max(0)
    return turn @ ((low + high) / 2), common.crop["margin"] * (high - low).max(), roll


class Faces:
    """Patches `[n, PATCH, PATCH]` of grey, their points `[n, 68, 2]` in the crop frame, and where they were cut."""

    def __init__(self, items, device):
        """`items`: (photo's path, points in its pixels) of each face."""
        self.items, self.crops = items, [crop_of(points) for _, points in items]
        by_photo = {}
        for index, (path, _) in enumerate(items):
            by_photo.setdefault(path, []).append(index)
        self.patches = torch.empty(len(items), PATCH, PATCH, dtype=torch.uint8, device=device)
        points = np.empty((len(items), 68, 2), dtype=np.float32)
        base = base_grid(PATCH, device) * REACH

        def photo(path):
            return path, Image.open(path).convert("L")

        with ThreadPoolExecutor(16) as pool:
            for path, image in pool.map(photo, by_photo):
                pixels = torch.from_numpy(np.array(image)).to(device)
                for index in by_photo[path]:
                    center, side, roll = self.crops[index]
                    # Shrunk first where a patch's pixel would be more than one and a half of the photo's.
                    shrink = max(1, round(side * REACH / PATCH))
                    grey = pixels[None, None].float()
                    if shrink > 1:
                        grey = F.interpolate(grey, scale_factor=1 / shrink, mode="area")
                    matrix = similarity(side / 2, roll, device)
                    at = base @ matrix.T + torch.tensor(center, dtype=torch.float32, device=device)
                    size = torch.tensor([image.width, image.height], dtype=torch.float32, device=device)
                    patch = F.grid_sample(grey, (at / size * 2 - 1)[None], padding_mode="border", align_corners=False)
                    self.patches[index] = patch[0, 0].round().clamp(0, 255).to(torch.uint8)
                    points[index] = (items[index][1] - center) @ np.linalg.inv(matrix.cpu().numpy()).T
        self.points = torch.from_numpy(points).to(device)

    def image_points(self, index, points):
        """Points `[68, 2]` of the crop frame in pixels of the photo."""
        center, side, roll = self.crops[index]
        return points @ similarity(side / 2, roll, "cpu").numpy().T + center

    def __len__(self):
        return len(self.items)


def base_grid(side, device):
    """`[side, side, 2]`: the centres of pixels from -1 to 1."""
    line = (torch.arange(side, device=device, dtype=torch.float32) * 2 + 1) / side - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1)


def similarity(scale, roll, device):
    """Turns clockwise on the screen and scales."""
    c, s = math.cos(roll) * scale, math.sin(roll) * scale
    return torch.tensor([[c, -s], [s, c]], dtype=torch.float32, device=device)


def labelled(folder):
    """(path, points) of each photo with a .pts file of the same name, sorted."""
    names = sorted(n for n in os.listdir(folder) if n.endswith(".pts"))
    return [(os.path.join(folder, n[:-4] + ".jpg"), read_pts(os.path.join(folder, n))) for n in names]


def found(table, folder, least_score=0.9, least_side=48.0):
    """(path, points) of each face in a table that `lineament run --format json` wrote."""
    items = []
    for line in open(table):
        row = json.loads(line)
        path = os.path.join(folder, os.path.basename(row["image"]))
        if not os.path.exists(path):
            continue
        # The photo here may be a smaller copy.
        scale = Image.open(path).width / row["width"]
        for face in row["faces"]:
            if face["score"] >= least_score and max(face["box"][2:]) * scale >= least_side:
                items.append((path, np.array(face["points"]) * scale))
    return items


def unknown(items, known):
    """Those of `items` that are not the labelled face of their photo."""
    place = {path: (points.min(0), points.max(0)) for path, points in known}

    def other(path, points):
        if path not in place:
            return True
        (a, b), (c, d) = place[path], (points.min(0), points.max(0))
        inside = np.clip(np.minimum(b, d) - np.maximum(a, c), 0, None).prod()
        return inside / ((b - a).prod() + (d - c).prod() - inside) < 0.2

    return [item for item in items if other(*item)]


def squares(folder, device, keep=lambda name: True):
    """Photos without faces, cut to squares: `[n, PATCH, PATCH]`."""
    names = sorted(n for n in os.listdir(folder) if n.endswith(".jpg") and keep(n))

    def square(name):
        image = Image.open(os.path.join(folder, name)).convert("L")
        side = min(image.size)
        x, y = (image.width - side) // 2, (image.height - side) // 2
        return np.array(image.resize((PATCH, PATCH), Image.BILINEAR, (x, y, x + side, y + side)))

    with ThreadPoolExecutor(16) as pool:
        return torch.from_numpy(np.stack(list(pool.map(square, names)))).to(device)
