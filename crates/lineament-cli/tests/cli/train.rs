use std::time::{Duration, Instant};

use image::ImageFormat;

use crate::helpers::{Folder, picture};

/// Six photos with points, and a configuration that trains the default network on them for `epochs`.
fn folder(epochs: usize) -> Folder {
    let folder = Folder::new();
    for i in 0..6 {
        folder.write(&format!("faces/photo{i}.png"), picture(64, 64, ImageFormat::Png));
        let point = |k: usize| {
            let (angle, radius) = (0.7 * k as f32, 10.0 + (k % 5) as f32 * 3.0);
            format!("{} {}\n", 32.0 + radius * angle.cos(), 32.0 + radius * angle.sin())
        };
        let points: String = (0..68).map(point).collect();
        folder.write(&format!("faces/photo{i}.pts"), format!("version: 1\nn_points: 68\n{{\n{points}}}\n"));
    }
    let config = format!("photos = \"faces\"\nepochs = {epochs}\nbatch = 2\ngroups = 1\nvalidate_every = 1000\n");
    folder.write("lite.toml", config);
    folder
}

#[test]
fn print_config_prints_a_configuration_with_reasons() {
    for task in ["landmarks", "detector"] {
        let outcome = Folder::new().run(&["train", "--print-config", task]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains(&format!("\ntask = \"{task}\"\n")), "{}", outcome.stdout);
        assert!(outcome.stdout.contains("# Passes over the photos."), "{}", outcome.stdout);
        let blur = "# Share out of focus.\n# Default 0.2, from 0 to 1.\nblur_share = 0.2\n";
        assert!(outcome.stdout.contains(blur), "{}", outcome.stdout);
    }
}

#[test]
fn network_json_prints_the_layers_and_names_the_networks_there_are() {
    let outcome = Folder::new().run(&["train", "--network-json", "lite"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let network: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(network["input"], serde_json::json!([112, 112, 1]));
    let layers = network["layers"].as_array().unwrap();
    assert!(layers.iter().enumerate().all(|(i, layer)| layer["input"].as_u64().unwrap() <= i as u64), "{network}");
    assert_eq!(network["outputs"]["score"], layers.len());
    let training = &network["training"];
    assert_eq!(training["topology"]["mirror"].as_array().unwrap().len(), 68);
    assert!(
        training["crop"]["margin"].as_f64().unwrap() > 1.0 && training["loss"]["plain_weight"].is_f64(),
        "{training}"
    );
    let sides = training["split"]["examples"].as_array().unwrap();
    for side in [true, false] {
        assert!(sides.iter().any(|example| example["is_validation"] == side), "{sides:?}");
    }
    let outcome = Folder::new().run(&["train", "--network-json", "detector"]);
    let detector: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(detector.get("training").is_none());
    for flag in ["--network-json", "--print-network"] {
        let outcome = Folder::new().run(&["train", flag, "nobody"]);
        let expected = format!("{flag}: one of lite, detector, basic");
        assert!(outcome.code == Some(2) && outcome.stderr.contains(&expected), "{outcome:?}");
    }
}

#[test]
fn what_print_network_prints_is_trained_when_it_is_pasted_into_a_configuration() {
    let folder = folder(1);
    let printed = folder.run(&["train", "--print-network", "lite"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let narrow = printed.stdout.replace("name = \"lite\"", "name = \"narrow\"").replace("[112, 112]", "[32, 32]");
    let narrow = narrow.replace("filters = 192", "filters = 24").replace("filters = 128", "filters = 16");
    let config = std::fs::read_to_string(folder.path("lite.toml")).unwrap();
    folder.write("narrow.toml", format!("{config}\n{narrow}"));
    let outcome = folder.run(&["train", "narrow.toml", "--out", "narrow", "--threads", "1"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for part in ["narrow: input 32 x 32, ", " parameters, ", " multiply-adds\n", " in f16; a pass on one core: "] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    let inspected = folder.run(&["inspect", "narrow/model.onnx"]);
    let (name, input) = ("name           narrow\n", "input          32 x 32 x 1 ");
    assert!(inspected.stdout.contains(name) && inspected.stdout.contains(input), "{}", inspected.stdout);

    // The saved configuration says the same, and is resumed from.
    let [typed, saved] = ["narrow.toml", "narrow/config.toml"].map(|file| {
        let outcome = folder.run(&["train", "--print-network", file]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout
    });
    assert!(typed == saved && typed.contains("name = \"narrow\"\ninput = [32, 32]\n"), "{typed}\n{saved}");
    let layers = folder.run(&["train", "--network-json", "narrow.toml"]);
    let layers: serde_json::Value = serde_json::from_str(&layers.stdout).unwrap();
    assert_eq!(layers["input"], serde_json::json!([32, 32, 1]));
    let resumed = folder.run(&["train", "--out", "narrow", "--resume", "--epochs", "2"]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    folder.write("narrow.toml", format!("{config}\n{}", narrow.replace("repeat = 6", "repeat = 5")));
    let other = folder.run(&["train", "narrow.toml", "--out", "narrow", "--resume", "--epochs", "3"]);
    let expected = "`network.layers` is not what the run was started with";
    assert!(other.code == Some(2) && other.stderr.contains(expected), "{other:?}");

    // A fault is named with its layer before anything is written.
    folder.write("odd.toml", format!("{config}\n{}", narrow.replace("kernel = 5", "kernel = 4")));
    let odd = folder.run(&["train", "odd.toml", "--out", "odd"]);
    let expected = "odd.toml: configuration: network: layer 6 (`residual`): its input is [4, 4, 16], but a kernel of 4";
    assert!(odd.code == Some(1) && odd.stderr.contains(expected) && !folder.path("odd").exists(), "{odd:?}");
}

#[test]
fn a_run_leaves_a_model_that_inspect_reads_and_refuses_a_second_start() {
    let folder = folder(2);
    let outcome = folder.run(&["train", "lite.toml", "--out", "lite", "--threads", "1"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("warning: only "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("complete: lite/model.onnx"), "{}", outcome.stderr);
    assert_eq!(folder.run(&["inspect", "lite/model.onnx"]).code, Some(0));
    let again = folder.run(&["train", "lite.toml", "--out", "lite"]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("add --resume"), "{}", again.stderr);
    let seed = folder.run(&["train", "--out", "lite", "--resume", "--seed", "8"]);
    assert_eq!(seed.code, Some(2));
    assert!(seed.stderr.contains("`seed` is not what the run was started with"), "{}", seed.stderr);
    let longer = folder.run(&["train", "lite.toml", "--out", "lite", "--resume", "--epochs", "3"]);
    assert_eq!(longer.code, Some(0), "{longer:?}");
    assert!(longer.stderr.contains("epochs: 3 instead of 2; the step size follows"), "{}", longer.stderr);
}

#[test]
fn a_faulty_command_line_or_configuration_is_named() {
    let folder = folder(1);
    folder.write("typo.toml", "epoch = 3\n");
    folder.write("empty.toml", "");
    let cases = [
        (&["train", "lite.toml"][..], 2, "--out <DIR>"),
        (&["train", "--out", "x"], 2, "<CONFIG>"),
        (&["train", "none.toml", "--out", "x"], 1, "none.toml: "),
        (&["train", "typo.toml", "--out", "x"], 1, "typo.toml: line 1: unknown field `epoch`"),
        (&["train", "empty.toml", "--out", "x"], 2, "--photos"),
        (&["train", "lite.toml", "--out", "x", "--photos", "none"], 1, "none: "),
        (&["train", "lite.toml", "--out", "x", "--epochs", "0"], 2, "--epochs"),
        (&["train", "--out", "x", "--resume"], 1, "start without --resume"),
    ];
    for (args, code, part) in cases {
        let outcome = folder.run(args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.stderr.contains(part), "{args:?}: {}", outcome.stderr);
    }
    assert!(!folder.path("x").exists(), "nothing is written before the start");
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_tells_how_to_go_on() {
    let folder = folder(100_000);
    let mut child = folder.command(&["train", "lite.toml", "--out", "lite"]).spawn().unwrap();
    // The configuration is written right before Ctrl-C is listened for and the first step.
    let start = Instant::now();
    while !folder.path("lite/config.toml").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success() && child.wait().unwrap().code() == Some(130));
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(stderr.contains("go on with: lineament train --out lite --resume"), "{stderr}");
    let after = stderr.split("stopped after step ").nth(1).and_then(|rest| rest.split(';').next());
    let epochs = after.unwrap().parse::<usize>().unwrap() + 1; // An epoch is a step or more.
    let resumed = folder.run(&["train", "--out", "lite", "--resume", "--epochs", &epochs.to_string()]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(folder.path("lite/model.onnx").exists());
}
