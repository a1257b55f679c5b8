#!/bin/sh
# Makes the clips of this folder again, with ffmpeg that has libx264 and libx265 (stored ones: ffmpeg 9.0.2).
#
#     sh testdata/video/make.sh
#
# The files in git are the reference: another version of the encoders gives slightly other bytes.
set -eu
cd "$(dirname "$0")"
FFMPEG="${FFMPEG:-ffmpeg} -v error -y -bitexact"
FLAGS="-flags +bitexact -fflags +bitexact -map_metadata -1"

# Frame n has the luma 20 + 15 n everywhere, so that a picture tells its place. B-frames, three between others.
GREYS="color=size=64x48:rate=25:duration=0.48,format=yuv420p,geq=lum='20+15*N':cb=128:cr=128"
B="-c:v libx264 -x264-params bframes=3:b-adapt=0:keyint=100:scenecut=0:no-info=1 -crf 12 -profile:v high"
# shellcheck disable=SC2086 # words are meant to be split
{
$FFMPEG -f lavfi -i "$GREYS" $B $FLAGS greys.mp4
# The same in fragments of four frames, as browsers record.
$FFMPEG -i greys.mp4 -c copy $FLAGS -movflags frag_keyframe+empty_moov -frag_duration 160000 greys_fragments.mp4
# The same, but shown from the sixth frame on: those before are in the file and hidden by its edit list.
$FFMPEG -ss 0.2 -i greys.mp4 -c copy $FLAGS greys_from_6.mp4

# The portrait moves to the left and grows. 160x120, 24 frames, B-frames, main profile.
$FFMPEG -loop 1 -framerate 24 -t 1 -i ../astronaut.jpg -vf "crop=320-2*n:240-1.5*n:40+3*n:0,scale=160:120:flags=area,setsar=1" \
    -pix_fmt yuv420p -c:v libx264 -x264-params bframes=2:no-info=1 -crf 26 -profile:v main $FLAGS face.mp4

# Red on the left, blue on the right, stored lying; a phone's matrix turns it clockwise: red is on top.
$FFMPEG -f lavfi -i "color=red:size=32x48:rate=10:duration=0.2,pad=64:48:0:0:blue,format=yuv420p" \
    -c:v libx264 -x264-params no-info=1 -crf 20 -profile:v baseline $FLAGS lying.mp4
$FFMPEG -display_rotation:v:0 -90 -i lying.mp4 -c copy $FLAGS turned.mp4
rm lying.mp4

# What is not read: H.265, 10 bits, and sound alone.
$FFMPEG -f lavfi -i "$GREYS" -frames:v 2 -c:v libx265 -x265-params log-level=error:no-info=1 -tag:v hvc1 $FLAGS h265.mp4
$FFMPEG -f lavfi -i "$GREYS" -frames:v 2 -pix_fmt yuv420p10le -c:v libx264 -x264-params no-info=1 $FLAGS ten_bits.mp4
$FFMPEG -f lavfi -i "sine=duration=0.1" -c:a aac -b:a 16k $FLAGS sound.mp4
}
