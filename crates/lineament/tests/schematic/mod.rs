//! A schematic face: where the 68 points lie on an average head that looks ahead, with its mouth open.

/// In millimetres from the middle between the eyes, x to the right of the picture and y down. Jaw, nose and the corners
/// of eyes and mouth are those of the head that poses are fitted with; brows, lids and lips are drawn by hand.
#[rustfmt::skip]
pub const FACE_MM: [(f32, f32); 68] = [
    (-73., 2.), (-73., 21.), (-71., 40.), (-67., 59.), (-59., 76.), (-48., 91.), (-33., 103.), (-18., 113.), (0., 116.),
    (18., 113.), (33., 103.), (48., 91.), (59., 76.), (67., 59.), (71., 40.), (73., 21.), (73., 2.), // jaw
    (-59., -14.), (-51., -22.), (-40., -25.), (-28., -23.), (-16., -18.), // right brow
    (16., -18.), (28., -23.), (40., -25.), (51., -22.), (59., -14.), // left brow
    (0., 0.), (0., 11.), (0., 23.), (0., 35.), // bridge of the nose
    (-15., 44.), (-8., 47.), (0., 49.), (8., 47.), (15., 44.), // nostrils
    (-45., 0.), (-37., -6.), (-27., -6.), (-19., 2.), (-27., 5.), (-37., 5.), // right eye
    (19., 2.), (27., -6.), (37., -6.), (45., 0.), (37., 5.), (27., 5.), // left eye
    (-27., 72.), (-17., 66.), (-7., 63.), (0., 65.), (7., 63.), (17., 66.), (27., 72.),
    (19., 92.), (9., 98.), (0., 99.), (-9., 98.), (-19., 92.), // outer lips
    (-22., 73.), (-8., 69.), (0., 70.), (8., 69.), (22., 73.), (8., 89.), (0., 91.), (-8., 89.), // inner lips
];
