#!/usr/bin/env bash
# Photos without faces from Debian packages: `runs/textures.sh FOLDER` makes about 2,400 pictures there, of textures that
# games use and of wallpapers. Needs Debian or Ubuntu (apt-get, dpkg-deb), unzip, and Python with pillow and numpy; fetches
# 900 MB and installs nothing.
#
# Licences, by each package's usr/share/doc/PACKAGE/copyright: GPL-2+ (openarena, torcs, tuxpaint, plasma, mate; most of
# ufoai), CC-BY-SA 3.0 and 4.0 and CC-BY (ufoai's others, lomiri, gnome, ukui), and in stellarium those of the photographers
# and the Free Art License. People are left out: textures-left-out.txt names those that the program cannot tell.
set -euo pipefail
out=${1:?name the folder for the pictures: $0 FOLDER}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")"
raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
for package in lomiri-wallpapers lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds gnome-backgrounds \
  plasma-workspace-wallpapers ukui-wallpapers openarena-081-textures torcs-data ufoai-textures stellarium-data \
  tuxpaint-stamps-default; do
  (cd "$raw" && apt-get download "$package" && dpkg-deb -x "$package"_*.deb "$package" && rm "$package"_*.deb)
done
find "$raw" -name '*.pk3' | while read -r archive; do unzip -qo "$archive" -d "$(dirname "$archive")/x"; done
python3 textures.py "$raw" textures-left-out.txt "$out"
