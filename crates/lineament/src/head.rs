//! An average head: where its points lie in space, and how much each counts when a pose is fitted.

use crate::topology::ibug68::MIRROR;

/// A point of a head that looks straight into the camera, in millimetres from the middle between the outer eye
/// corners: index, to the right of the picture, down, towards the camera; and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadPoint(pub(crate) usize, pub(crate) [f64; 3], pub(crate) f64);

/// The jaw counts little: it drops when the mouth opens, and on a turned head its points follow the visible edge. It
/// is wide and deep, though: with this weight, yaw from a network's points is 20 % closer to yaw from true points than
/// without the jaw, and more weight makes pitch and roll worse again.
const JAW: f64 = 0.05;

/// The points that hardly move when a face speaks or smiles, and the jaw: the middle and the picture's left side of an
/// average adult.
///
/// Where iBUG marks what anthropometry measures, the numbers agree with the means of young men and women in L. G.
/// Farkas, "Anthropometry of the Head and Face", 2nd ed., 1994: outer eye corners 90 mm apart, tip of the nose 20
/// before its base, mouth 53 wide, chin 118 below the nasion (the first point of the bridge lies a little lower).
/// Where it marks something else (nostrils, inner eye corners without the tear duct, the visible edge of the cheeks),
/// and in depth, they are rounded from what explains the labels of 300-W's training photos best: within 3 % of the
/// eye distance. The nod that counts as zero is the median of those photos, where people mostly look at the camera.
const HALF: [HeadPoint; 19] = [
    HeadPoint(27, [0.0, 0.0, 22.0], 1.0), // root of the nose
    HeadPoint(28, [0.0, 11.0, 28.0], 1.0),
    HeadPoint(29, [0.0, 23.0, 35.0], 1.0),
    HeadPoint(30, [0.0, 35.0, 42.0], 1.0), // tip of the nose
    HeadPoint(31, [-15.0, 44.0, 23.0], 1.0),
    HeadPoint(32, [-8.0, 47.0, 26.0], 1.0),
    HeadPoint(33, [0.0, 49.0, 28.0], 1.0),  // below the nose
    HeadPoint(36, [-45.0, 0.0, 0.0], 1.0),  // right eye, outer corner
    HeadPoint(39, [-19.0, 2.0, 6.0], 1.0),  // inner corner
    HeadPoint(48, [-27.0, 68.0, 2.0], 1.0), // corner of the mouth
    HeadPoint(0, [-73.0, 2.0, -40.0], JAW), // before the ear
    HeadPoint(1, [-73.0, 21.0, -38.0], JAW),
    HeadPoint(2, [-71.0, 40.0, -36.0], JAW),
    HeadPoint(3, [-67.0, 59.0, -34.0], JAW),
    HeadPoint(4, [-59.0, 76.0, -29.0], JAW),
    HeadPoint(5, [-48.0, 91.0, -21.0], JAW), // angle of the jaw
    HeadPoint(6, [-33.0, 103.0, -10.0], JAW),
    HeadPoint(7, [-18.0, 113.0, 0.0], JAW),
    HeadPoint(8, [0.0, 116.0, 3.0], JAW), // chin
];

/// Both sides.
pub(crate) const HEAD: [HeadPoint; 32] = both_sides();

const fn both_sides() -> [HeadPoint; 32] {
    let (mut head, mut n, mut k) = ([HALF[0]; 32], 0, 0);
    while k < HALF.len() {
        let HeadPoint(i, [x, y, z], weight) = HALF[k];
        head[n] = HALF[k];
        n += 1;
        if MIRROR[i] != i {
            head[n] = HeadPoint(MIRROR[i], [-x, y, z], weight);
            n += 1;
        }
        k += 1;
    }
    head
}
