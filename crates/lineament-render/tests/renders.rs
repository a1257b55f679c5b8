//! Whole pictures. They need the assets of docs/render.md; without them each test says so and passes.

use std::path::{Path, PathBuf};

use lineament_render::scene::{Camera, View};
use lineament_render::{Assets, Places, Renderer, Settings, output, vec3};

/// The assets (`LINEAMENT_DATA/faces-assets`, or next to the repository), if they are present.
fn assets() -> Option<Assets> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("LINEAMENT_DATA").map_or(usual, PathBuf::from).join("faces-assets");
    if !folder.is_dir() {
        println!("skipped: {} is missing; LINEAMENT_DATA names the folder above it", folder.display());
        return None;
    }
    Some(Assets::open(&folder).unwrap())
}

fn front(yaw_deg: f32) -> Camera {
    let view = View { yaw: yaw_deg.to_radians(), pitch: 0.0, roll: 0.0 };
    Camera::looking_at(vec3(0.0, 0.0, 6.0), &view, 120.0, 30.0, 300)
}

#[test]
fn points_are_mirror_images_on_the_neutral_face_and_lie_where_they_are_said_to_lie() {
    let Some(assets) = assets() else { return };
    for name in ["ibug68", "ibug51", "five", "wflw98"] {
        let places = Places::open(&assets.head, name).unwrap();
        let points = places.project(&assets.head, &assets.head.neutral, &front(0.0));
        let names = places.topology.names();
        for (i, &j) in places.topology.mirror().iter().enumerate() {
            let (p, q) = (points[i], points[j]);
            assert!((p.x + q.x - 300.0).abs() < 0.5 && (p.y - q.y).abs() < 0.5, "{name} {}: {p:?} {q:?}", names[i]);
        }
        for place in &places.places {
            assert!((place.weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            assert!(place.weights.iter().all(|w| *w > -1e-3), "inside its triangle");
        }
    }
    let error = Places::open(&assets.head, "jd106").err().unwrap().to_string();
    assert!(error.contains("`jd106` has no places on the head"), "{error}");
}

#[test]
fn far_jaw_points_slide_to_the_outline_and_near_ones_stay() {
    let Some(assets) = assets() else { return };
    let places = Places::open(&assets.head, "ibug68").unwrap();
    let (head, camera) = (&assets.head, front(40.0));
    let points = places.project(head, &head.neutral, &camera);
    // At this yaw the person's left side is the far one.
    for (place, point) in places.places.iter().zip(&points).take(16).skip(10) {
        let fixed = camera.project(place.at(&head.neutral));
        assert!(point.x >= fixed.x, "{point:?} only moves outwards from {fixed:?}");
    }
    let moved = camera.project(places.places[14].at(&head.neutral));
    assert!(points[14].x - moved.x > 2.0, "the far cheek is the outline");
}

#[test]
fn a_number_is_one_picture_and_its_points_lie_on_the_face() {
    let Some(assets) = assets() else { return };
    let places = Places::open(&assets.head, "ibug68").unwrap();
    let renderer = Renderer::new(&assets, places, Settings::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for number in 0..4 {
        let rendered = output::write(&renderer, folder.path(), number, 128).unwrap();
        assert!(output::exists(folder.path(), number));
        assert_eq!(rendered.photo, renderer.render(number, 128).photo, "the same number, the same bits");
        assert_ne!(rendered.photo, renderer.render(number + 1, 128).photo);
        assert_eq!(rendered.labels.len(), 68);
        let inside = |c: f32| (-64.0..192.0).contains(&c);
        assert!(rendered.labels.iter().all(|label| inside(label.point.x) && inside(label.point.y)));
        let mean = rendered.photo.rgb.iter().map(|v| f32::from(*v)).sum::<f32>() / rendered.photo.rgb.len() as f32;
        assert!((10.0..245.0).contains(&mean), "neither black nor white: {mean}");
    }
}

#[test]
fn a_covered_mouth_is_said_to_be_hidden_and_an_open_face_is_not() {
    let Some(assets) = assets() else { return };
    let clear = Settings {
        turned_share: 0.0,
        yaw_sd: 5.0,
        mask_share: 0.0,
        hat_share: 0.0,
        glasses_share: 0.0,
        occluder_share: 0.0,
        collar_share: 0.0,
        beard_share: 0.0,
        ..Settings::default()
    };
    let masked = Settings { mask_share: 1.0, ..clear.clone() };
    let mut shares = Vec::new();
    for settings in [clear, masked] {
        let places = Places::open(&assets.head, "ibug68").unwrap();
        let renderer = Renderer::new(&assets, places, settings).unwrap();
        let hidden: usize = (0..12)
            .map(|number| renderer.render(number, 96).labels[48..].iter().filter(|label| !label.visible).count())
            .sum();
        shares.push(hidden as f32 / (12.0 * 20.0));
    }
    assert!(shares[0] < 0.05 && shares[1] > 0.75, "{shares:?}");
}
