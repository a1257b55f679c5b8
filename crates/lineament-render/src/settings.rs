//! How often what occurs in the pictures, and within which ranges.

use std::path::Path;

use lineament_data::augment::commented;

use crate::error::{Error, Result};

lineament_data::knobs! {
    /// What is drawn at random. Shares are of the pictures unless another whole is named; angles are in degrees.
    Settings {
        /// Share of heads turned evenly by up to `yaw_max`; the others are turned normally.
        turned_share: f32 = 0.2, 0 to 1;
        /// Standard deviation of the others' yaw.
        yaw_sd: f32 = 17.0, 0 to 60;
        /// Largest yaw either way. From 60 on the far eye disappears.
        yaw_max: f32 = 80.0, 0 to 90;
        /// Standard deviation of the pitch.
        pitch_sd: f32 = 11.0, 0 to 45;
        /// Largest pitch either way.
        pitch_max: f32 = 40.0, 0 to 60;
        /// Standard deviation of the roll. Training turns the crops anyway.
        roll_sd: f32 = 9.0, 0 to 60;
        /// Shortest distance of the camera from the face in centimetres: an arm with a phone.
        distance_min: f32 = 32.0, 25 to 1000;
        /// Longest distance of the camera. Farther away nothing changes but the size.
        distance_max: f32 = 260.0, 25 to 1000;
        /// Least width of the picture at the face, in centimetres: a head is 24 high.
        field_min: f32 = 25.0, 15 to 200;
        /// Largest width of the picture at the face.
        field_max: f32 = 40.0, 15 to 200;
        /// Factor on the identity's shapes, each normal with a standard deviation of 1.
        identity: f32 = 1.0, 0 to 2;
        /// Share of faces without an expression.
        neutral_share: f32 = 0.2, 0 to 1;
        /// Share of faces with both eyes closed.
        closed_share: f32 = 0.08, 0 to 1;
        /// Share of children. Their faces are shorter below the eyes.
        child_share: f32 = 0.1, 0 to 1;
        /// Share of wrinkled faces.
        wrinkled_share: f32 = 0.3, 0 to 1;
        /// Share of men with a beard or stubble.
        beard_share: f32 = 0.5, 0 to 1;
        /// Share of faces with glasses.
        glasses_share: f32 = 0.22, 0 to 1;
        /// Share of glasses that are dark.
        sunglasses_share: f32 = 0.3, 0 to 1;
        /// Share of heads with a hat, a cap, a hood or a scarf over the hair.
        hat_share: f32 = 0.16, 0 to 1;
        /// Share of faces with a mask over mouth and nose.
        mask_share: f32 = 0.14, 0 to 1;
        /// Share of faces with something in front of them: a hand, a phone, a microphone, a cup.
        occluder_share: f32 = 0.1, 0 to 1;
        /// Share of necks with a collar or a scarf.
        collar_share: f32 = 0.35, 0 to 1;
        /// Lamps that stand for the environment.
        lamps: u8 = 16, 4 to 64;
        /// Share of pictures with a main light.
        key_light_share: f32 = 0.65, 0 to 1;
        /// Share of the main lights that are nearly alone: the sun at noon, a lamp at night, a flash.
        harsh_share: f32 = 0.2, 0 to 1;
        /// Share of environments with coloured light.
        coloured_light_share: f32 = 0.08, 0 to 1;
        /// Share of pictures in front of a wall of one colour.
        plain_background_share: f32 = 0.15, 0 to 1;
        /// Share of pictures taken by a bad camera: blurred, noisy, compressed.
        bad_camera_share: f32 = 0.3, 0 to 1;
    }
}

impl Settings {
    /// Reads a TOML file; what it does not name has its default.
    ///
    /// # Errors
    /// [`Error::File`] naming the file and the setting at fault.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let settings: Self = toml::from_str(&text).map_err(|e| Error::file(path, e.message()))?;
        settings.check().map_err(|e| Error::file(path, e))?;
        Ok(settings)
    }

    /// As TOML, each setting below its reason, default and range.
    pub fn to_commented_toml(&self) -> String {
        let plain = toml::to_string(self).expect("settings are numbers");
        commented(&plain, Self::KNOBS).trim_end().to_owned() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_file_reads_back_and_values_out_of_range_are_refused_by_name() {
        let text = Settings::default().to_commented_toml();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), Settings::default(), "{text}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        for (text, fault) in
            [("yaw_sd = 100", "yaw_sd"), ("yawn = 1", "yawn"), ("lamps = 1", "lamps"), ("=", "my.toml")]
        {
            std::fs::write(&path, text).unwrap();
            let error = Settings::read(&path).unwrap_err().to_string();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}
