//! How the camera's picture must be turned so that it stands upright on the screen.

/// Quarter turns, clockwise on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// As it is.
    #[default]
    None,
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarters,
}

impl Turn {
    /// All four, in the order of their degrees.
    pub const ALL: [Self; 4] = [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters];

    /// From degrees, rounded to quarters: any number, also a negative one.
    pub fn from_degrees(degrees: i32) -> Self {
        Self::ALL[((degrees.rem_euclid(360) + 45) / 90 % 4) as usize]
    }

    /// 0, 90, 180 or 270.
    pub fn degrees(self) -> i32 {
        90 * self as i32
    }

    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }
}

/// Where a camera looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facing {
    /// At the person who holds the phone. Its picture is shown mirrored, as people know themselves.
    Front,
    /// Away from the screen.
    Back,
    /// A camera on a cable.
    External,
}

impl Facing {
    /// Whether the picture is shown mirrored.
    pub fn mirrored(self) -> bool {
        self == Self::Front
    }
}

/// The turn that makes a picture upright. `sensor` is by how much the sensor's picture must be turned while the phone
/// is held in its natural way (`ACAMERA_SENSOR_ORIENTATION`); `display` is by how much the screen's content is turned
/// against that way (`Display.getRotation`). A front camera sees the phone turn the other way round.
pub fn upright_turn(sensor: Turn, display: Turn, facing: Facing) -> Turn {
    let display = if facing == Facing::Front { display.degrees() } else { -display.degrees() };
    Turn::from_degrees(sensor.degrees() + display)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_become_quarters() {
        for (degrees, turn) in [(0, 0), (90, 90), (-90, 270), (450, 90), (44, 0), (46, 90), (359, 0), (-181, 180)] {
            assert_eq!(Turn::from_degrees(degrees).degrees(), turn, "{degrees}");
        }
    }

    // As the documentation of `CaptureRequest.JPEG_ORIENTATION` computes it, with the display in place of the device:
    // the display's content turns against the device.
    #[test]
    fn the_turn_is_that_of_the_camera_documentation() {
        for (sensor, display, facing, turn) in [
            (90, 0, Facing::Back, 90), // most phones, upright
            (90, 90, Facing::Back, 0), // the same, held with the left side down
            (90, 270, Facing::Back, 180),
            (270, 0, Facing::Front, 270),
            (270, 90, Facing::Front, 0),
            (270, 270, Facing::Front, 180),
            (0, 0, Facing::Back, 0), // many tablets
            (0, 180, Facing::Back, 180),
            (0, 90, Facing::External, 270),
        ] {
            let found = upright_turn(Turn::from_degrees(sensor), Turn::from_degrees(display), facing);
            assert_eq!(found.degrees(), turn, "sensor {sensor}, display {display}, {facing:?}");
        }
    }
}
