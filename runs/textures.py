"""Makes photos without faces of the pictures in unpacked Debian packages: `python3 textures.py FROM NATURE LEFT_OUT TO`.

FROM holds one folder for each package, and so does NATURE, of whose pictures only those of animals, plants, ground and
landscapes are taken, in more parts, after all of FROM's. LEFT_OUT names, one a line, what shows people, statues or faces;
its names are those that this program gives. Needs pillow and numpy.
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
NATURE = re.compile(
    r"0ad-data/.*/(terrain/types/|skins/gaia/|skeletal/animal)|endless-sky-data/.*/land/|scorched3d-data/.*/textures/landscape/|"
    r"gcompris-qt-data/.*/(fishes|others|renewable|clickgame|erase|explore_(farm|world)_animals)/|"
    r"tuxpaint-stamps-default/.*/(animals|food|plants)/"
)
# Of these no parts: textures are alike all over, and where they seem to be transparent they shine or are coloured.
WHOLE = re.compile(r"/(types|skeletal|land|landscape)/")
# Animals and plants of one kind differ more than walls do, and an animal counts five times with its quarters.
MOST_OF_NATURE = 40
SHORT_QUARTER = 140


def grey(picture):
    return np.asarray(picture.convert("L"), np.float32)


def is_photo(picture, most_equal=0.4):
    """Neither nearly blank nor drawn: drawings have equal neighbours, normal maps are blue all over."""
    pixels = grey(picture)
    if pixels.std() < 8:
        return False
    across, down = np.abs(np.diff(pixels, axis=1))[:-1], np.abs(np.diff(pixels, axis=0))[:, :-1]
    if ((across < 0.5) & (down < 0.5)).mean() > most_equal:
        return False
    red, green, blue = np.asarray(picture, np.float32).reshape(-1, 3).mean(0)
    return not (blue > 180 and abs(red - 128) < 20 and abs(green - 128) < 20)


def fit(picture):
    picture.thumbnail((LONG, LONG), Image.LANCZOS)
    return picture


def flat(picture, behind=(128, 128, 128)):
    """Without transparency: what shows through is grey."""
    if picture.mode in ("P", "LA", "RGBA"):
        cut_out = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", cut_out.size, (*behind, 255)), cut_out)
    return picture.convert("RGB")


def opened(path):
    """The picture; none of broken files and odd kinds: there are enough others."""
    try:
        picture = Image.open(path)
        picture.load()
        return picture
    except Exception as reason:
        print(f"left out: {path}: {reason}", file=sys.stderr)


def views(path):
    """The picture, and of a large one its four quarters as well; each with a small copy that tells equal ones."""
    picture = opened(path)
    if picture is None:
        return []
    picture = flat(picture)
    width, height = picture.size
    found = []
    if min(width, height) >= SHORT and max(width, height) <= 4 * min(width, height):
        found.append(fit(picture.copy()))
    if min(width, height) >= 800:
        halves = [(x, y) for y in (0, height // 2) for x in (0, width // 2)]
        found += [fit(picture.crop((x, y, x + width // 2, y + height // 2))) for x, y in halves]
    found = [view for view in found if min(view.size) >= SHORT and is_photo(view)]
    return [(view, grey(view.resize((16, 16), Image.BOX)).astype(np.int16)) for view in found]


def parts_of_cut_out(picture):
    """What was cut out, its corners and its middle, where little shows through, on its mean colour."""
    picture = picture.crop(picture.getchannel("A").getbbox())
    solid = np.asarray(picture.getchannel("A")) > 128
    behind = np.asarray(picture.convert("RGB"))[solid].mean(0).astype(int)
    wide, high = picture.width * 3 // 5, picture.height * 3 // 5
    right, low = picture.width - wide, picture.height - high
    corners = [(x, y, x + wide, y + high) for x, y in [(0, 0), (right, 0), (0, low), (right, low), (right // 2, low // 2)]]
    for box in [(0, 0, *picture.size), *corners]:
        left, top, to, bottom = box
        if solid[top:bottom, left:to].mean() > 0.6:
            yield flat(picture.crop(box), tuple(behind))


def with_quarters(picture):
    """The picture, no larger than wanted, and its quarters if they are not small."""
    yield fit(picture)
    width, height = picture.width // 2, picture.height // 2
    if min(width, height) >= SHORT_QUARTER:
        for x, y in [(0, 0), (width, 0), (0, height), (width, height)]:
            yield picture.crop((x, y, x + width, y + height))


def views_of_nature(path):
    """As `views`, with more parts; the small copies have equal contrast, as one grass has the grey of another."""
    picture = opened(path)
    if picture is None:
        return []
    cut_out = picture.convert("RGBA")
    through = (np.asarray(cut_out.getchannel("A")) < 128).mean()
    if WHOLE.search(str(path)):
        found, most_equal = [picture.convert("RGB")], 0.4
    elif through < 0.02:
        found, most_equal = with_quarters(picture.convert("RGB")), 0.4
    elif through < 0.9:
        found, most_equal = parts_of_cut_out(cut_out), 0.6
    else:
        return []
    found = [fit(view) for view in found if min(view.size) >= SHORT and max(view.size) <= 4 * min(view.size)]
    found = [view for view in found if min(view.size) >= SHORT and is_photo(view, most_equal)]
    small = [grey(view.resize((16, 16), Image.BOX)) for view in found]
    return [(view, (30 * (s - s.mean()) / (s.std() + 1)).astype(np.int16)) for view, s in zip(found, small)]


def stem(path):
    """The path without the ending, which may be `.png.cached.dds`."""
    return path.with_name(re.sub(r"(\.\w+\.cached)?\.\w+$", "", path.name))


def family(root, path):
    """Pictures of one kind share a name but for a number behind it: training keeps all of them or none apart."""
    parts = stem(path.relative_to(root)).parts
    name = "-".join([parts[0], *parts[-2:]] if parts[-2] not in ("images", "backgrounds") else [parts[0], *parts[-4:]])
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).rstrip("-0123456789")


def main(root, nature, left_out, out):
    out.mkdir(parents=True, exist_ok=True)
    left_out = set(left_out.read_text().split())
    counts = Counter()
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    paths = [p for p in paths if not OTHER.search(str(stem(p)))]
    save(root, paths, views, MOST_OF_A_FAMILY, counts, left_out, out)
    paths = sorted(p for p in nature.rglob("*") if p.suffix.lower() in ENDINGS | {".dds", ".bmp"} and p.is_file())
    paths = [p for p in paths if NATURE.search(str(p)) and not OTHER.search(str(stem(p)))]
    save(nature, paths, views_of_nature, MOST_OF_NATURE, counts, left_out, out)


def save(root, paths, views_of, most, counts, left_out, out):
    """Saves what is new and not left out, `most` of each family."""
    seen, kept = np.zeros((0, 16, 16), np.int16), 0
    with ProcessPoolExecutor(2) as pool:
        for path, found in zip(paths, pool.map(views_of, paths, chunksize=16)):
            for view, small in found:
                if len(seen) and np.abs(seen - small).mean((1, 2)).min() < 4:
                    continue
                seen = np.concatenate([seen, small[None]])
                base = family(root, path)
                counts[base] += 1
                name = f"{base}_{counts[base]}.jpg"
                if counts[base] <= most and name not in left_out:
                    view.save(out / name, quality=92)
                    kept += 1
    print(f"{kept} pictures of {len(paths)} files")


main(*map(Path, sys.argv[1:5]))
