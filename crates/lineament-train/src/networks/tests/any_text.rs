//! Any text is a network that trains, or an error.

use proptest::prelude::*;

use super::*;

/// A value of TOML, often one that a layer can have.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0usize..12).prop_map(|n| n.to_string()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        2 => prop::sample::select(vec!["points", "2 * points", "a", "b", "input", "relu", "none", "score", "x"])
            .prop_map(|text| format!("\"{text}\"")),
        1 => prop::sample::select(vec!["true", "false", "[]", "{}", "1.5", "nan", "1979-05-27", "\"\\u0000\""])
            .prop_map(str::to_owned),
    ]
}

/// A layer with keys that it may or may not take.
fn any_layer() -> impl Strategy<Value = String> {
    let blocks = vec![
        "conv",
        "depthwise",
        "separable",
        "residual",
        "dense",
        "vote",
        "head",
        "max_pool",
        "global_pool",
        "weighted_pool",
        "activation",
        "batch_norm",
        "position_bias",
        "add",
    ];
    let keys = vec![
        "filters",
        "units",
        "kernel",
        "stride",
        "padding",
        "batch_norm",
        "activation",
        "position_bias",
        "with",
        "weights",
        "from",
        "name",
        "output",
        "repeat",
        "other",
    ];
    let entries = prop::collection::btree_map(prop::sample::select(keys), any_value(), 0..4);
    (prop::sample::select(blocks), entries).prop_map(|(block, entries)| {
        let entries: String = entries.iter().map(|(key, value)| format!(", {key} = {value}")).collect();
        format!("{{ block = \"{block}\"{entries} }}")
    })
}

/// Layers that fit together more often than not.
fn fitting_layer() -> impl Strategy<Value = String> {
    let act = prop::sample::select(vec![
        "",
        ", activation = \"prelu\"",
        ", activation = \"none\"",
        ", activation = \"hard_swish\"",
    ]);
    let norm = prop::sample::select(vec!["", ", batch_norm = false"]);
    let filters = prop_oneof![3 => Just(4usize), 1 => 1usize..20];
    let stride = prop_oneof![3 => Just(1usize), 1 => 2usize..4];
    let block = prop_oneof![
        (filters.clone(), 1usize..6, stride.clone(), act.clone(), norm.clone()).prop_map(
            |(filters, kernel, stride, act, norm)| {
                format!("block = \"conv\", filters = {filters}, kernel = {kernel}, stride = {stride}{act}{norm}")
            }
        ),
        (1usize..6, stride.clone(), act.clone(), norm).prop_map(|(kernel, stride, act, norm)| {
            format!("block = \"depthwise\", kernel = {kernel}, stride = {stride}{act}{norm}")
        }),
        (filters, stride, act.clone()).prop_map(|(filters, stride, act)| format!(
            "block = \"separable\", filters = {filters}, stride = {stride}{act}"
        )),
        (0usize..3, 1usize..3, act.clone()).prop_map(|(k, repeat, act)| format!(
            "block = \"residual\", kernel = {}, repeat = {repeat}{act}",
            2 * k + 1
        )),
        (1usize..9).prop_map(|filters| format!("block = \"vote\", filters = {filters}, position_bias = true")),
        (1usize..9, act).prop_map(|(units, act)| format!("block = \"dense\", units = {units}{act}")),
        prop::sample::select(vec!["max_pool", "global_pool", "activation", "position_bias"])
            .prop_map(|block| format!("block = \"{block}\"")),
        Just("block = \"add\", with = \"a\"".to_owned()),
        Just("block = \"weighted_pool\", weights = \"a\"".to_owned()),
    ];
    block.prop_map(|block| format!("{{ {block} }}"))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = NetworkText::parse(&text);
        let _ = NetworkText::parse(&format!("[network]\n{text}"));
    }

    #[test]
    fn layers_that_may_not_fit_make_no_panic(
        input in any_value(),
        layers in prop::collection::vec(any_layer(), 0..6),
        points in prop_oneof![0usize..100, any::<usize>()],
    ) {
        let text = format!("[network]\ninput = [16, {input}]\nlayers = [{}]", layers.join(",\n"));
        for text in [text, super::text(&layers.join(",\n"))] {
            if let Ok(network) = NetworkText::parse(&text) {
                prop_assert_eq!(&NetworkText::parse(&network.to_toml()).unwrap(), &network);
                if let Ok(net) = network.architecture(points) {
                    prop_assert!(net.shapes().is_ok());
                }
                let _ = network.architecture_for(Task::Landmarks, points);
                let _ = network.architecture_for(Task::Detector, points);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the language accepts can be trained, exported and run: no run fails after its first epoch.
    #[test]
    fn what_is_accepted_trains_and_exports(layers in prop::collection::vec(fitting_layer(), 0..7)) {
        let first = "{ block = \"conv\", filters = 4, name = \"a\" }".to_owned();
        let mut layers: Vec<String> = [first].into_iter().chain(layers).collect();
        let last = layers.last_mut().unwrap();
        *last = last.replace(" }", ", output = \"x\" }");
        let Ok(network) = NetworkText::parse(&text(&layers.join(",\n"))) else { return Ok(()) };
        let Ok(net) = network.architecture(3) else { return Ok(()) };
        trained_and_exported(net).map_err(|e| TestCaseError::fail(format!("{e}\n{}", network.to_toml())))?;
    }
}

/// Takes two steps with random gradients, exports the network and compares the file with it.
fn trained_and_exported(net: Architecture) -> crate::Result<()> {
    use crate::adam::AdamStep;
    use crate::export;
    use crate::graph::Graph;
    use crate::params::Params;
    use crate::trainer::Trainer;
    use lineament_nn::model::{Metadata, Role};
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    let graph = Graph::new(net)?;
    let mut rng = Pcg64::seed_from_u64(1);
    let params = Params::init(&graph.architecture, &graph.layout, &mut rng)?;
    let mut trainer = Trainer::new(graph, params, 2).with_ema(0.9);
    for seed in 0..2 {
        let step = AdamStep { rate: 0.001, decay: 0.01, scale: 1.0 };
        let fill = |_, input: &mut [f32]| {
            let mut rng = Pcg64::seed_from_u64(seed);
            input.iter_mut().for_each(|v| *v = rng.random_range(-1.0..1.0));
        };
        trainer.step(4, step, fill, |(), outputs, d| d[0].copy_from_slice(outputs.get(0)));
    }
    let folded = export::fold(&trainer.graph, trainer.exported())?;
    export::verify(&trainer.graph, trainer.exported(), &folded)?;
    export::write(&folded, &Metadata::new(Role::Landmarks)).map(drop)
}
