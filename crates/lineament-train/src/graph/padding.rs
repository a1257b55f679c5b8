//! A map in a frame of zeros: where gradients need the windows of a padded convolution as they lie.

use lineament_nn::model::Shape;

/// `input` in a frame of zeros, held in `memory`, with its height and width; the input itself where `padding` is 0.
///
/// # Panics
/// When `input` has another length than `from` says.
pub fn padded<'a>(
    memory: &'a mut Vec<f32>,
    input: &'a [f32],
    from: Shape,
    padding: usize,
) -> (&'a [f32], usize, usize) {
    if padding == 0 {
        return (input, from.height, from.width);
    }
    let (height, width) = (from.height + 2 * padding, from.width + 2 * padding);
    memory.resize(height * width * from.channels, 0.0);
    pad(input, from, padding, memory);
    (memory, height, width)
}

/// Copies `[height, width, channels]` into the middle of a frame of `padding` zeros.
///
/// # Panics
/// When a slice has another length.
fn pad(input: &[f32], from: Shape, padding: usize, output: &mut [f32]) {
    let (row, padded) = (from.width * from.channels, (from.width + 2 * padding) * from.channels);
    assert_eq!(input.len(), from.len(), "input of a padding");
    assert_eq!(output.len(), (from.height + 2 * padding) * padded, "output of a padding");
    let side = padding * from.channels;
    let (top, rest) = output.split_at_mut(padding * padded);
    let (middle, bottom) = rest.split_at_mut(from.height * padded);
    top.fill(0.0);
    bottom.fill(0.0);
    for (to, from) in middle.chunks_exact_mut(padded).zip(input.chunks_exact(row)) {
        to[..side].fill(0.0);
        to[side..side + row].copy_from_slice(from);
        to[side + row..].fill(0.0);
    }
}
