// Which points an object has, as the wasm tells it.

/** `Topology` of lineament.d.ts. */
export function topologyOf(core) {
  const names = lines(core.outlineNames());
  return {
    name: core.topology(),
    points: lines(core.pointNames()),
    outlines: outlines(core.outlines(), names),
    mirror: [...core.mirror()],
    triangles: core.triangles(),
  };
}

/** Each is its number of points, the points, 1 where it is closed, red, green, blue, part, as `Core::outlines` says. */
function outlines(numbers, names) {
  let at = 0;
  return names.map((name) => {
    const end = at + 1 + numbers[at];
    const points = [...numbers.subarray(at + 1, end)];
    const [closed, red, green, blue, part] = numbers.subarray(end, end + 5);
    at = end + 5;
    return { name, points, closed: closed === 1, colour: red < 256 ? hex(red, green, blue) : null, part };
  });
}

const hex = (...rgb) => `#${rgb.map((each) => each.toString(16).padStart(2, '0')).join('')}`;

/** No line where there is no text. */
const lines = (text) => (text ? text.split('\n') : []);
