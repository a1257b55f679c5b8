"""Makes photos without faces of the pictures in unpacked Debian packages: `python3 textures.py FROM LEFT_OUT TO`.

LEFT_OUT names, one a line, what shows people, statues or faces; its names are those that this program gives. Needs pillow
and numpy.
"""

import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

ENDINGS = {".jpg", ".jpeg", ".png", ".tga", ".webp"}
SHORT, LONG = 96, 512
# Of one kind: there are 60 walls and 100 nebulae.
MOST_OF_A_FAMILY = 12
# Not what a camera sees: normal, gloss and light maps, effects, signs, drawings, maps of models.
OTHER = re.compile(
    r"_(norm|local|gloss|luma|glow|nm|bump|height|spec|n|s|nohit|blend|alpha|mask|shadow\d*|fx|lm|shade)\d*$|"
    r"screenshot|/(sfx|effects|env/|gfx|icons|menu|ui|fonts|pics|sprites|players|skycultures|textures/common|models|"
    r"cars|drivers|wheels|doc|symbols|cartoon|alphabets|roadsigns|clown|people|seasonal|clothes|hobbies|sports|"
    r"skies|tex_pics|oafx|liquids|logos|banners|scenery3d|tex_common|magma|stellarium/(textures|data))|advert|office_sep|poster",
    re.I,
)


def grey(picture):
    return np.asarray(picture.convert("L"), np.float32)


def is_photo(picture):
    """Neither nearly blank nor drawn: drawings have equal neighbours, normal maps are blue all over."""
    pixels = grey(picture)
    if pixels.std() < 8:
        return False
    across, down = np.abs(np.diff(pixels, axis=1))[:-1], np.abs(np.diff(pixels, axis=0))[:, :-1]
    if ((across < 0.5) & (down < 0.5)).mean() > 0.4:
        return False
    red, green, blue = np.asarray(picture, np.float32).reshape(-1, 3).mean(0)
    return not (blue > 180 and abs(red - 128) < 20 and abs(green - 128) < 20)


def fit(picture):
    picture.thumbnail((LONG, LONG), Image.LANCZOS)
    return picture


def views(path):
    """The picture, and of a large one its four quarters as well; each with a small copy that tells equal ones."""
    try:
        picture = Image.open(path)
        if picture.mode in ("P", "LA", "RGBA"):
            cut_out = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", cut_out.size, (128, 128, 128, 255)), cut_out)
        picture = picture.convert("RGB")
    except Exception as reason:  # Broken files and odd kinds: there are enough others.
        print(f"left out: {path}: {reason}", file=sys.stderr)
        return []
    width, height = picture.size
    found = []
    if min(width, height) >= SHORT and max(width, height) <= 4 * min(width, height):
        found.append(fit(picture.copy()))
    if min(width, height) >= 800:
        halves = [(x, y) for y in (0, height // 2) for x in (0, width // 2)]
        found += [fit(picture.crop((x, y, x + width // 2, y + height // 2))) for x, y in halves]
    found = [view for view in found if min(view.size) >= SHORT and is_photo(view)]
    return [(view, grey(view.resize((16, 16), Image.BOX)).astype(np.int16)) for view in found]


def family(root, path):
    """Pictures of one kind share a name but for a number behind it: training keeps all of them or none apart."""
    parts = path.relative_to(root).with_suffix("").parts
    name = "-".join([parts[0], *parts[-2:]] if parts[-2] not in ("images", "backgrounds") else [parts[0], *parts[-4:]])
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).rstrip("-0123456789")


def main(root, left_out, out):
    out.mkdir(parents=True, exist_ok=True)
    left_out = set(left_out.read_text().split())
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    paths = [p for p in paths if not OTHER.search(str(p.with_suffix("")))]
    seen, counts, kept = np.zeros((0, 16, 16), np.int16), Counter(), 0
    with ProcessPoolExecutor(2) as pool:
        for path, found in zip(paths, pool.map(views, paths, chunksize=16)):
            for view, small in found:
                if len(seen) and np.abs(seen - small).mean((1, 2)).min() < 4:
                    continue
                seen = np.concatenate([seen, small[None]])
                base = family(root, path)
                counts[base] += 1
                name = f"{base}_{counts[base]}.jpg"
                if counts[base] <= MOST_OF_A_FAMILY and name not in left_out:
                    view.save(out / name, quality=92)
                    kept += 1
    print(f"{kept} pictures of {len(paths)} files")


main(*map(Path, sys.argv[1:4]))
