// node types.mjs TEMPLATE OUT: fills comments `@rust Name` and `@rust Name.member` of the type declarations with the
// documentation of the Rust library, and `@rustDefault Name.member` with the value in the type's `Default`, so that both are
// written once. A name that is gone is an error. Lines that begin with `//@` are about the template and left out.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [template, out] = process.argv.slice(2);
const library = fileURLToPath(new URL('../../../crates/lineament/src/', import.meta.url));
const files = readdirSync(library, { recursive: true }).filter((name) => name.endsWith('.rs'))
  .map((name) => readFileSync(`${library}${name}`, 'utf8').split('\n'));

/** The lines of the file that defines `name`, and where in it. */
function definition(name) {
  const item = new RegExp(`^pub (struct|enum|const|fn) ${name}\\b`);
  const found = files.map((lines) => ({ lines, at: lines.findIndex((line) => item.test(line)) })).filter(({ at }) => at >= 0);
  if (found.length !== 1) throw new Error(`${template}: the library defines ${name} ${found.length} times`);
  return found[0];
}

/** Where `pattern` is found in the block that begins at `start` and ends with a brace. */
function within(lines, start, pattern) {
  const length = lines.slice(start).findIndex((line) => line === '}');
  const at = lines.slice(start, start + length).findIndex((line) => pattern.test(line));
  return at < 0 ? undefined : start + at;
}

/** The lines of `///` before the item or member. */
function documentation(name, member) {
  let { lines, at } = definition(name);
  if (member) {
    const blocks = lines.flatMap((line, i) => (line.startsWith(`impl ${name} `) ? [i] : []));
    const pattern = new RegExp(`^    pub (fn )?${member}\\b`);
    at = [at, ...blocks].map((start) => within(lines, start, pattern)).find((i) => i !== undefined) ?? 0;
  }
  const text = [];
  while (at > 0 && /^\s*(\/\/\/|#\[)/.test(lines[at - 1])) {
    at -= 1;
    const comment = lines[at].match(/^\s*\/\/\/ ?(.*)$/);
    if (comment) text.unshift(comment[1]);
  }
  if (!text.length) throw new Error(`${template}: no documentation of ${name}${member ? `.${member}` : ''}`);
  return forJavaScript(text, name.endsWith('Options') ? 'undefined' : 'null');
}

/** What `Default` gives the member: a number or a word, where it stands for itself or is a constant of the same file. */
function defaultOf(name, member) {
  const text = definition(name).lines.join('\n');
  const blocks = text.match(new RegExp(`^impl Default for ${name} .*?^}|^const \\w+: ${name} = .*?;$`, 'gms')) ?? [];
  const value = blocks.join('\n').match(new RegExp(`\\b${member}: ([\\w.]+)`))?.[1];
  const found = text.match(new RegExp(`^(?:pub )?const ${value}: \\w+ = ([\\w.]+);`, 'm'))?.[1] ?? value;
  if (!found) throw new Error(`${template}: no default of ${name}.${member}`);
  return found.replace(/^None$/, 'undefined').replace(/^(\d+)\.0$/, '$1');
}

/** Links lose their brackets, snake_case becomes camelCase, `None` is `none`; examples and Rust's own sections are left out. */
function forJavaScript(lines, none) {
  const end = lines.findIndex((line) => /^(#|```)/.test(line));
  const text = (end < 0 ? lines : lines.slice(0, end)).join('\n').trim();
  return text
    .replace(/\[(`[^`]+`)\](\([^)]*\))?/g, '$1')
    .replace(/`[^`]+`/g, (code) => code.replaceAll('::', '.').replace(/_(\w)/g, (_, letter) => letter.toUpperCase()))
    .replaceAll('`None`', `\`${none}\``)
    .replaceAll('timeSecs', 'timeMs')
    .replaceAll('Face.rect', 'Face.box')
    .split('\n');
}

const text = readFileSync(template, 'utf8')
  .replace(/@rustDefault (\w+)\.(\w+)/g, (_, name, member) => `@default ${defaultOf(name, member)}`);
const filled = text.replace(/^( *)(\/\*\*|\*) @rust (\w+)(?:\.(\w+))?( \*\/)?$/gm,
  (_, indent, start, name, member, end) => {
    const lines = documentation(name, member);
    if (start === '/**' && lines.length === 1) return `${indent}/** ${lines[0]} */`;
    const margin = start === '*' ? indent : `${indent} `;
    const body = lines.map((line) => `${margin}* ${line}`.trimEnd()).join('\n');
    return end ? `${indent}/**\n${body}\n${margin}*/` : body;
  });
writeFileSync(out, filled.replace(/^\/\/@.*\n/gm, ''));
