//! A saved picture: a PNG file with the outlines, and a JSON file with the points.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use lineament::TrackedFace;
use serde_json::{Value, json};

use crate::page::{Area, Page};

/// Writes `face-TIME.png` and `face-TIME.json` into `folder`; the path of the picture. A number is added where there is
/// such a file already.
///
/// # Errors
/// When the folder cannot be written.
pub fn save(folder: &Path, unix_secs: u64, page: &Page, area: Area, faces: &[TrackedFace]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let names = (0..100).map(|n| if n == 0 { format!("face-{unix_secs}") } else { format!("face-{unix_secs}-{n}") });
    let free = |name: &String| !folder.join(format!("{name}.png")).exists();
    let name = names.into_iter().find(free).ok_or(io::ErrorKind::AlreadyExists)?;
    let path = folder.join(format!("{name}.png"));
    let mut rgb = Vec::with_capacity(3 * area.width * area.height);
    let stride = page.canvas.width();
    for y in area.top..area.top + area.height {
        let row = &page.canvas.pixels()[4 * (y * stride + area.left)..][..4 * area.width];
        rgb.extend(row.as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]));
    }
    write_png(&path, area.width, area.height, &rgb)?;
    let record = json!({
        "picture": format!("{name}.png"),
        "width": area.width,
        "height": area.height,
        "faces": faces.iter().map(face).collect::<Vec<_>>(),
    });
    fs::write(folder.join(format!("{name}.json")), format!("{record:#}\n"))?;
    Ok(path)
}

/// Points are pixels of the picture; the first pixel's centre is (0.5, 0.5).
fn face(tracked: &TrackedFace) -> Value {
    let landmarks = &tracked.face.landmarks;
    let rounded = |v: f32| (f64::from(v) * 100.0).round() / 100.0;
    json!({
        "face": tracked.id,
        "score": rounded(landmarks.score),
        "topology": landmarks.topology.name(),
        "points": landmarks.points.iter().map(|p| [rounded(p.x), rounded(p.y)]).collect::<Vec<_>>(),
        "errors": landmarks.errors.iter().map(|&error| rounded(error)).collect::<Vec<_>>(),
    })
}

/// Writes red, green, blue as PNG.
///
/// # Errors
/// When the file cannot be written.
pub fn write_png(path: &Path, width: usize, height: usize, rgb: &[u8]) -> io::Result<()> {
    let file = BufWriter::new(fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    Ok(writer.finish()?)
}
