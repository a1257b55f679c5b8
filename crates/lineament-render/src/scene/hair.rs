//! Hair, brows, lashes and beards: strands that grow from the skin.

use super::Person;
use std::f32::consts::PI;

use super::mesh::Strands;
use super::skin::Colours;
use super::worn::Outfit;
use crate::assets::{Head, SKIN};
use crate::dice::Dice;
use crate::math::{Vec3, bell, exp, scramble, scramble_unit, smoothstep, vec3};

/// The head seen from this point is a distance in each direction: hair stays outside it.
const CENTRE: Vec3 = vec3(0.0, 3.0, 0.0);
/// Cells along an edge of the cube of distances.
const CELLS: usize = 24;
/// Hairs with a root in the same cube of this edge, in centimetres, curl and stray together.
const LOCK: f32 = 0.9;
/// Height of a place on the scalp above the hairline, roughly.
fn above_hairline(p: Vec3) -> f32 {
    p.y - 0.93 * p.z
}

pub(super) fn add(
    head: &Head,
    person: &Person,
    colours: &Colours,
    outfit: &Outfit,
    skin: &mut [Vec3],
    strands: &mut Strands,
    dice: &mut Dice,
) {
    let style = Style::draw(person, outfit, dice);
    let scalp = scalp(head, dice);
    let shell = Shell::around(&person.positions);
    // Roots darken the skin.
    let painted = dice.range(0.5, 0.95);
    skin.iter_mut().zip(&scalp).for_each(|(c, hair)| *c = c.lerp(colours.hair, hair * painted));
    if outfit.hair_shows {
        add_hair(head, person, colours, &style, &scalp, outfit, &shell, strands, dice);
    }
    add_brows(head, person, colours.brows, strands, dice);
    if dice.chance(0.85) {
        let dark = dice.chance(0.7);
        let colour = if dark { Vec3::splat(0.008) } else { colours.brows * 0.6 };
        add_lashes(head, person, colour, strands, dice);
    }
    if person.bearded {
        add_beard(head, person, colours.beard, skin, strands, dice);
    }
}

/// How far the head reaches in each direction from its centre.
struct Shell(Vec<f32>);

impl Shell {
    fn around(positions: &[Vec3]) -> Self {
        let mut cells = vec![0.0f32; 6 * CELLS * CELLS];
        for p in &positions[..SKIN] {
            let d = *p - CENTRE;
            let cell = &mut cells[cell(d)];
            *cell = cell.max(d.length());
        }
        // Cells that no vertex met are as their neighbours.
        for _ in 0..3 {
            let before = cells.clone();
            for (i, cell) in cells.iter_mut().enumerate().filter(|(_, cell)| **cell == 0.0) {
                let (x, y) = (i % CELLS, i / CELLS % CELLS);
                let neighbours = [
                    (x > 0).then(|| i - 1),
                    (x + 1 < CELLS).then_some(i + 1),
                    (y > 0).then(|| i - CELLS),
                    (y + 1 < CELLS).then_some(i + CELLS),
                ];
                *cell = neighbours.into_iter().flatten().map(|n| before[n]).fold(0.0, f32::max);
            }
        }
        Self(cells)
    }

    /// `p`, or the place above it that is `distance` outside the head.
    fn push_out(&self, p: Vec3, distance: f32) -> Vec3 {
        let d = p - CENTRE;
        let (least, length) = (self.0[cell(d)] + distance, d.length());
        if length < least { CENTRE + d * (least / length.max(1e-3)) } else { p }
    }
}

/// The cell of a direction, by the face of a cube that it meets.
fn cell(d: Vec3) -> usize {
    let [ax, ay, az] = [d.x.abs(), d.y.abs(), d.z.abs()];
    let (face, u, v, most) = if ax >= ay && ax >= az {
        (usize::from(d.x < 0.0), d.y, d.z, ax)
    } else if ay >= az {
        (2 + usize::from(d.y < 0.0), d.x, d.z, ay)
    } else {
        (4 + usize::from(d.z < 0.0), d.x, d.y, az)
    };
    let along = |t: f32| ((t / most.max(1e-6) * 0.5 + 0.5) * CELLS as f32).clamp(0.0, CELLS as f32 - 1.0) as usize;
    (face * CELLS + along(v)) * CELLS + along(u)
}

/// How hair is cut and lies.
struct Style {
    long: bool,
    points: usize,
    length: f32,
    count: usize,
    /// Where it is parted, in centimetres from the middle.
    part: f32,
    /// The direction in which it is combed.
    back: f32,
    down: f32,
    side: f32,
    forward: f32,
    mess: f32,
    lift: f32,
    gravity: f32,
    stiffness: f32,
    clump: f32,
    curl: f32,
    curl_step: f32,
    /// How far it stands off the head, in centimetres.
    volume: f32,
    /// No hair hangs between these sides in front of the face, below this height, but for a share of strays.
    open: f32,
    fringe: f32,
    strays: f32,
    /// Tied at the back of the head.
    tied: bool,
}

impl Style {
    fn draw(person: &Person, outfit: &Outfit, dice: &mut Dice) -> Self {
        let long = dice.chance(if person.female { 0.7 } else { 0.1 });
        let short = [dice.range(0.4, 1.2), dice.range(1.5, 4.0), dice.range(3.0, 7.0)];
        let length = if long { dice.range(14.0, 30.0) } else { *dice.pick(&short) };
        let flat = outfit.flattens_hair;
        let mut style = Self {
            long,
            points: if long {
                9
            } else if length < 1.5 {
                3
            } else {
                6
            },
            length,
            count: dice.range(4500.0, 8000.0) as usize,
            part: if dice.chance(0.5) { 0.0 } else { dice.range(-4.0, 4.0) },
            back: dice.range(0.0, 1.0),
            down: if long { dice.range(0.5, 1.2) } else { dice.range(0.0, 0.5) },
            side: dice.range(0.0, if long { 0.5 } else { 0.9 }),
            forward: match long {
                true if dice.chance(0.4) => dice.range(0.0, 0.35),
                true => 0.0,
                false => (0.5 * dice.normal() - 0.1).max(0.0),
            },
            mess: dice.range(0.02, if long { 0.14 } else { 0.35 }),
            lift: if flat { 0.1 } else { dice.range(0.15, 0.9) },
            gravity: if long { dice.range(0.9, 2.2) } else { dice.range(0.0, 0.25) },
            stiffness: dice.range(0.3, 1.0),
            clump: dice.range(0.0, 1.2),
            curl: if dice.chance(0.25) { dice.range(0.3, 1.3) } else { 0.0 },
            curl_step: dice.range(0.6, 1.6),
            volume: if flat { 0.05 } else { dice.range(0.05, if long { 0.45 } else { 0.3 }) },
            open: dice.range(4.6, 6.6),
            fringe: if dice.chance(0.75) { dice.range(5.2, 8.5) } else { dice.range(3.6, 6.0) },
            strays: dice.range(0.0, 0.03),
            tied: false,
        };
        if long && dice.chance(0.3) {
            (style.tied, style.back, style.down, style.lift, style.gravity) = (true, 1.2, 0.1, 0.1, 0.15);
            (style.length, style.volume, style.forward, style.side) = (dice.range(9.0, 13.0), 0.08, 0.0, 0.0);
        } else if !flat && dice.chance(0.12) {
            // Tight curls that stand off on all sides.
            (style.long, style.points, style.gravity, style.lift) = (false, 9, 0.0, 1.0);
            (style.length, style.curl, style.volume) =
                (dice.range(2.0, 6.0), dice.range(1.0, 1.8), dice.range(0.2, 1.2));
            (style.back, style.down, style.side) = (0.1, 0.05, 0.1);
        }
        style
    }
}

/// How densely hair grows at each skin vertex, 0 to 1.
fn scalp(head: &Head, dice: &mut Dice) -> Vec<f32> {
    let line = dice.range(0.2, 2.6);
    let peak = 0.6 * dice.normal();
    let receding = if dice.chance(0.35) { (1.2 * dice.normal()).max(0.0) } else { 0.0 };
    let sideburns = dice.range(1.5, 4.2);
    let bald = dice.weighted(&[0.9, 0.06, 0.04]);
    let density = |(i, p): (usize, &Vec3)| {
        if head.ear[i] || bald == 2 {
            return 0.0;
        }
        let x = p.x.abs();
        let mut height = above_hairline(*p) - line;
        if p.z > 4.0 {
            height -= peak * bell(p.x / 2.2);
        }
        if p.z > 3.0 {
            height -= receding * bell((x - 4.0) / 1.7);
        }
        if x > 5.8 && p.z > 1.0 && p.y < 5.5 {
            height = height.min((p.y - sideburns) * 0.8);
        }
        // Below the hairline of the neck there is none.
        let neck = smoothstep(p.y, -9.0, -6.5);
        let crown = if bald == 1 { smoothstep(-p.y, -11.5, -8.5) } else { 1.0 };
        smoothstep(height, -0.25, 0.35) * neck * crown
    };
    head.neutral[..SKIN].iter().enumerate().map(density).collect()
}

/// Places on the skin: where, and the normal there. Spread evenly over the area, times `density` at the vertices.
fn roots(head: &Head, person: &Person, density: &[f32], count: usize, dice: &mut Dice) -> Vec<(Vec3, Vec3)> {
    let mut sums = Vec::with_capacity(head.skin.len());
    let mut total = 0.0f32;
    for corners in &head.skin {
        let weight: f32 = corners.iter().map(|i| density[*i as usize]).sum();
        if weight > 0.0 {
            let [a, b, c] = corners.map(|i| person.positions[i as usize]);
            total += weight * (b - a).cross(c - a).length();
        }
        sums.push(total);
    }
    if total <= 0.0 {
        return Vec::new();
    }
    let root = |_| {
        let at = dice.unit() * total;
        let corners = head.skin[sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)];
        let (u, v) = (dice.unit().sqrt(), dice.unit());
        let weights = [1.0 - u, u * (1.0 - v), u * v];
        let mix = |values: &[Vec3]| {
            let parts = corners.iter().zip(weights).map(|(i, w)| values[*i as usize] * w);
            parts.fold(Vec3::default(), |sum, part| sum + part)
        };
        (mix(&person.positions), mix(&person.normals).unit())
    };
    (0..count).map(root).collect()
}

#[expect(clippy::too_many_arguments, reason = "all of what hair depends on")]
fn add_hair(
    head: &Head,
    person: &Person,
    colours: &Colours,
    style: &Style,
    scalp: &[f32],
    outfit: &Outfit,
    shell: &Shell,
    strands: &mut Strands,
    dice: &mut Dice,
) {
    let radius = if style.length > 3.0 { 0.05 } else { 0.036 };
    let mut points = Vec::with_capacity(style.points);
    for (root, normal) in roots(head, person, scalp, style.count, dice) {
        if above_hairline(root) > outfit.hair_below {
            continue;
        }
        let side = if root.x > style.part { 1.0 } else { -1.0 };
        let lock = lock(root);
        let stray = |k: u32| 2.0 * scramble_unit(lock ^ k) - 1.0;
        let jitter = vec3(stray(1), stray(2), stray(3)) * (0.2 * style.clump);
        let turn = PI * stray(4);
        let mut flow = vec3(0.0, -0.12, -1.0) * style.back
            + vec3(0.0, -1.0, 0.0) * style.down
            + vec3(side, -0.25, 0.0) * style.side
            + vec3(0.0, -0.1, 1.0) * style.forward
            + dice.normal3() * style.mess;
        if style.tied {
            flow = (vec3(0.0, 5.0, -11.0) - root).unit() * 1.3 + dice.normal3() * (0.5 * style.mess);
        }
        let step = style.length * dice.range(0.75, 1.15) / (style.points - 1) as f32;
        points.clear();
        points.push(root - normal * 0.03);
        let (mut at, mut along) = (root, (normal * style.lift + flow * 0.55).unit());
        for k in 1..style.points {
            let share = k as f32 / style.points as f32;
            let stiff = if style.long { 1.0 - share } else { 1.0 };
            along += flow * (0.25 * style.stiffness * stiff) + vec3(0.0, -style.gravity * share, 0.0) + jitter;
            if style.curl > 0.0 {
                let angle = turn + k as f32 * style.curl_step;
                along += vec3(libm::cosf(angle), 0.4 * libm::sinf(angle), libm::sinf(angle)) * style.curl;
            }
            along = along.unit();
            at = shell.push_out(at + along * step, 0.05 + style.volume * (k as f32 / 3.0).min(1.0));
            points.push(at);
        }
        let before_the_face = |p: &Vec3| p.z > 4.8 && p.x.abs() < style.open && p.y < style.fringe && p.y > -9.0;
        if points[2..].iter().any(before_the_face) && !dice.chance(style.strays) {
            continue;
        }
        strands.add(&points, radius, colours.hair * exp(0.22 * dice.normal()));
    }
}

/// A number that hairs with neighbouring roots share.
fn lock(root: Vec3) -> u32 {
    let [x, y, z] = [root.x, root.y, root.z].map(|c| (c / LOCK).floor() as i32 as u32);
    scramble(x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663) ^ z.wrapping_mul(83_492_791))
}

/// Brows lie below the line of their points, which mark their upper edge.
fn add_brows(head: &Head, person: &Person, colour: Vec3, strands: &mut Strands, dice: &mut Dice) {
    let (density, width, length) = match person.female || person.child > 0.0 {
        true => (dice.range(0.2, 1.2), dice.range(0.35, 0.75), dice.range(0.4, 0.9)),
        false => (dice.range(0.35, 1.7), dice.range(0.5, 1.1), dice.range(0.5, 1.0)),
    };
    let line = |i: usize| person.positions[head.landmarks[i]];
    for (inner, step) in [(21, -1isize), (22, 1)] {
        let points: Vec<Vec3> = (0..5).map(|k| line((inner as isize + step * k) as usize)).collect();
        let normals: Vec<Vec3> =
            (0..5).map(|k| person.normals[head.landmarks[(inner as isize + step * k) as usize]]).collect();
        for _ in 0..(420.0 * density) as usize {
            // More hair towards the nose.
            let t = 1.0 - dice.unit().max(dice.unit() * 0.97);
            let t = if dice.chance(0.5) { t } else { dice.unit() };
            let k = ((t * 4.0) as usize).min(3);
            let f = t * 4.0 - k as f32;
            let (centre, normal) = (points[k].lerp(points[k + 1], f), normals[k].lerp(normals[k + 1], f).unit());
            let tangent = (points[k + 1] - points[k]).unit();
            let up = normal.cross(tangent).unit();
            let up = if up.y < 0.0 { -up } else { up };
            let taper = if t > 0.75 { (1.0 - t) * 3.0 + 0.25 } else { 1.0 };
            let thick = width * (0.35 + 0.65 * libm::sinf((t + 0.12).min(1.0) * PI).max(0.0)) * taper;
            // From 0 at the upper edge to 1 at the lower one.
            let below = dice.unit();
            let root = centre - up * (thick * below) - normal * 0.02;
            let rise = (0.9 - 1.3 * t).clamp(-0.35, 1.0) * below;
            let along = (tangent * 0.9 + up * (rise - 0.35 * (1.0 - below)) + dice.normal3() * 0.12).unit();
            let reach = length * dice.range(0.6, 1.1) * if t < 0.15 { 0.7 } else { 1.0 };
            let reach = reach.min(0.35 + 0.9 * thick);
            strands.add(
                &[root, root + along * (0.5 * reach) + normal * 0.07, root + along * reach + normal * 0.05],
                0.026,
                colour,
            );
        }
    }
}

/// Lids from their outer to their inner corner in landmarks, and whether lashes point up.
const LIDS: [([usize; 4], f32); 4] =
    [([36, 37, 38, 39], 1.0), ([42, 43, 44, 45], 1.0), ([36, 41, 40, 39], -1.0), ([42, 47, 46, 45], -1.0)];

fn add_lashes(head: &Head, person: &Person, colour: Vec3, strands: &mut Strands, dice: &mut Dice) {
    let upper = dice.range(0.3, if person.female { 1.0 } else { 0.7 });
    let lower = dice.range(0.15, 0.45);
    for (points, sign) in LIDS {
        let line = points.map(|i| person.positions[head.landmarks[i]]);
        let middle = (line[0] + line[1] + line[2] + line[3]) * 0.25;
        let (count, length) = if sign > 0.0 { (70, upper) } else { (40, lower) };
        for _ in 0..count {
            let t = dice.unit() * 3.0;
            let root = smooth_line(&line, t);
            let outward = vec3(0.45 * (root.x - middle.x), 0.0, 0.0);
            let along = (outward * 0.35 + vec3(0.0, 0.25 * sign, 1.0)).unit();
            let reach = length * dice.range(0.6, 1.0);
            let lift = vec3(0.0, 0.02 * sign, 0.0);
            let tip = root + along * reach + vec3(0.0, 0.38 * sign * reach, 0.0);
            strands.add(&[root + lift, root + along * (0.6 * reach) + lift, tip], 0.018, colour);
        }
    }
}

/// A smooth line through four points (Catmull and Rom), `t` from 0 to 3.
fn smooth_line(points: &[Vec3; 4], t: f32) -> Vec3 {
    let k = (t as usize).min(2);
    let f = t - k as f32;
    let at = |i: isize| match i {
        -1 => points[0] * 2.0 - points[1],
        4 => points[3] * 2.0 - points[2],
        i => points[i as usize],
    };
    let k = k as isize;
    let (a, b, c, d) = (at(k - 1), at(k), at(k + 1), at(k + 2));
    (b * 2.0 + (c - a) * f + (a * 2.0 - b * 5.0 + c * 4.0 - d) * (f * f) + (b * 3.0 - a - c * 3.0 + d) * (f * f * f))
        * 0.5
}

fn add_beard(head: &Head, person: &Person, colour: Vec3, skin: &mut [Vec3], strands: &mut Strands, dice: &mut Dice) {
    let kind = dice.weighted(&[0.6, 0.2, 0.12, 0.08]);
    let length = match dice.weighted(&[0.45, 0.35, 0.2]) {
        0 => dice.range(0.12, 0.4),
        1 => dice.range(0.3, 1.0),
        _ => dice.range(0.8, 3.0),
    };
    let density: Vec<f32> = (0..SKIN).map(|i| if head.ear[i] { 0.0 } else { beard(head, i, kind) }).collect();
    let stubble = dice.range(0.1, 0.7);
    skin.iter_mut().zip(&density).for_each(|(c, hair)| *c = c.lerp(colour, hair * stubble));
    if dice.chance(0.2) {
        return;
    }
    let count = dice.range(2500.0, 6000.0) as usize;
    for (root, normal) in roots(head, person, &density, count, dice) {
        let outward = vec3(0.25 * root.x.signum(), -0.8, 0.1);
        let along = (normal * 0.5 + outward + dice.normal3() * 0.3).unit();
        let reach = length * dice.range(0.5, 1.1);
        let place = |t: f32| root + along * (reach * t) + vec3(0.0, -0.15 * reach * t * t, 0.0) + normal * 0.05;
        strands.add(&[root, place(0.33), place(0.67), place(1.0)], 0.022, colour * exp(0.15 * dice.normal()));
    }
}

/// How densely a beard grows at a skin vertex: full, goatee, moustache, chin.
fn beard(head: &Head, i: usize, kind: usize) -> f32 {
    let p = head.neutral[i];
    let x = p.x.abs();
    let moustache = match x < 3.1 && p.z > 9.6 {
        true => smoothstep(p.y, -3.2, -2.4) * smoothstep(-p.y, 1.25, 1.6),
        false => 0.0,
    };
    let chin = match x < 2.6 && p.z > 7.0 {
        true => smoothstep(-p.y, 4.6, 5.0) * smoothstep(p.y, -9.5, -8.3),
        false => 0.0,
    };
    let below_cheeks = smoothstep(-(p.y + 1.6 - 0.45 * (x - 2.4)), -0.5, 0.6);
    let full = match p.z > 1.2 {
        true => below_cheeks * smoothstep(-p.y, 0.3, 2.0) * smoothstep(p.y, -10.0, -7.5),
        false => 0.0,
    };
    let density = match kind {
        0 => full.max(moustache),
        1 => chin.max(moustache),
        2 => moustache,
        _ => chin,
    };
    density * (1.0 - (1.6 * head.lip[i]).min(1.0))
}
