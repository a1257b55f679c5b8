// The settings of the page: what is drawn, and how faces are found and followed.

const $ = (id) => document.getElementById(id);

export class Controls {
  #form = $('settings');

  /** Calls `redraw()`, `smooth()` or `find()` when what they concern has changed. */
  constructor({ redraw, smooth, find }) {
    this.#form.onsubmit = (event) => event.preventDefault();
    for (const box of this.#form.querySelectorAll('input[type=checkbox]')) box.onchange = redraw;
    $('smoothing').oninput = () => {
      $('smoothing-value').textContent = this.smoothing === false ? 'off' : `${this.smoothing.toFixed(2)} s`;
      smooth();
    };
    $('max-faces').onchange = find;
  }

  /** What of a face is drawn, and whether the picture is mirrored. */
  get show() {
    const { points, numbers, outlines, mesh, box, pose, mirror } = this.#form.elements;
    return Object.fromEntries([points, numbers, outlines, mesh, box, pose, mirror].map((each) => [each.name, each.checked]));
  }

  /** Which points are shown: says how many, and offers a mesh only where there is one. */
  set topology({ name, points, triangles }) {
    $('point-count').textContent = points.length === 1 ? '1 point' : `${points.length} points`;
    const { mesh } = this.#form.elements;
    mesh.disabled = triangles.length === 0;
    mesh.parentElement.title = mesh.disabled ? `The topology ${name} has no mesh` : '';
  }

  set mirror(is) {
    this.#form.elements.mirror.checked = is;
  }

  get smoothing() {
    return Number($('smoothing').value) || false;
  }

  get maxFaces() {
    return Number($('max-faces').value);
  }
}
