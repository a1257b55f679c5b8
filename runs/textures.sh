#!/usr/bin/env bash
# Pictures without faces from Debian packages: `runs/textures.sh FOLDER` puts about 4,200 there:
# textures of games and wallpapers, and nature, from moss to monkeys. Needs Debian or Ubuntu
# (apt-get, dpkg-deb), unzip, Python with pillow and numpy, and 9 GB for a while; fetches 2.9 GB
# (1.4 of them for 0ad-data) and installs nothing.
#
# Licences, by each package's usr/share/doc/PACKAGE/copyright: GPL-2+ (openarena, torcs, tuxpaint,
# plasma, mate, scorched3d; most of ufoai), CC-BY-SA 3.0 and 4.0 and CC-BY (ufoai's others, lomiri,
# gnome, ukui), CC-BY-SA 3.0 (0ad), in stellarium those of the photographers and the Free Art
# License, and photo by photo in endless-sky (public domain, CC-BY-SA) and gcompris (public domain,
# CC0, CC-BY, CC-BY-SA, GFDL, GPL-3+). Pictures of people are left out: textures-left-out.txt names
# those that the program cannot find.
set -euo pipefail
out=${1:?name the folder for the pictures: $0 FOLDER}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")"
raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
# FOLDER PACKAGE...: unpacks the packages there, each in a folder of its name.
fetch() {
  mkdir "$raw/$1"
  for package in "${@:2}"; do
    (cd "$raw/$1" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb "$package" && rm "$package"_*.deb)
  done
}
fetch others lomiri-wallpapers lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds gnome-backgrounds \
  plasma-workspace-wallpapers ukui-wallpapers openarena-081-textures torcs-data ufoai-textures stellarium-data \
  tuxpaint-stamps-default
fetch nature 0ad-data endless-sky-data gcompris-qt-data scorched3d-data
# Closer crops of its animals and plants are wanted, too.
cp -rl "$raw/others/tuxpaint-stamps-default" "$raw/nature"
find "$raw/others" -name '*.pk3' | while read -r archive; do unzip -qo "$archive" -d "$(dirname "$archive")/x"; done
find "$raw/nature" -name public.zip -execdir unzip -q {} 'art/textures/terrain/types/*' 'art/textures/skins/gaia/*' \
  'art/textures/skins/skeletal/animal*' \; -delete
find "$raw/nature" -name '*.rcc' -exec python3 qt_resources.py {} +
python3 textures.py "$raw/others" "$raw/nature" textures-left-out.txt "$out"
