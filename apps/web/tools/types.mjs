// node types.mjs TEMPLATE OUT: fills comments `@rust MODULE Name` and `@rust MODULE Name.member` of the type declarations
// with the documentation of the Rust library, so that it is written once. A name that is gone is an error. Lines that
// begin with `//@` are about the template and left out.

import { readFileSync, writeFileSync } from 'node:fs';

const [template, out] = process.argv.slice(2);
const library = new URL('../../../crates/lineament/src/', import.meta.url);

/** The lines of `///` before the item or member. */
function documentation(module, name, member) {
  const lines = readFileSync(new URL(`${module}.rs`, library), 'utf8').split('\n');
  const item = (name) => new RegExp(`^pub (struct|enum|const|fn) ${name}\\b`);
  let at = lines.findIndex((line) => item(name).test(line));
  if (member) {
    const found = new RegExp(`^    pub (fn )?${member}\\b`);
    const blocks = lines.flatMap((line, i) => (line.startsWith(`impl ${name} `) ? [i] : []));
    at = [at, ...blocks].map((start) => {
      const length = lines.slice(start).findIndex((line) => line === '}');
      const within = lines.slice(start, start + length).findIndex((line) => found.test(line));
      return within < 0 ? -1 : start + within;
    }).find((i) => i >= 0) ?? -1;
  }
  const text = [];
  while (at > 0 && /^\s*(\/\/\/|#\[)/.test(lines[at - 1])) {
    at -= 1;
    const comment = lines[at].match(/^\s*\/\/\/ ?(.*)$/);
    if (comment) text.unshift(comment[1]);
  }
  if (!text.length) throw new Error(`${template}: no documentation of ${name}${member ? `.${member}` : ''} in ${module}.rs`);
  return forJavaScript(text);
}

/** Links lose their brackets, snake_case becomes camelCase; examples and Rust's own sections are left out. */
function forJavaScript(lines) {
  const end = lines.findIndex((line) => /^(#|```)/.test(line));
  const text = (end < 0 ? lines : lines.slice(0, end)).join('\n').trim();
  return text
    .replace(/\[(`[^`]+`)\](\([^)]*\))?/g, '$1')
    .replace(/`[^`]+`/g, (code) => code.replaceAll('::', '.').replace(/_(\w)/g, (_, letter) => letter.toUpperCase()))
    .replaceAll('timeSecs', 'timeMs')
    .split('\n');
}

const filled = readFileSync(template, 'utf8').replace(/^( *)(\/\*\*|\*) @rust (\w+) (\w+)(?:\.(\w+))?( \*\/)?$/gm,
  (_, indent, start, module, name, member, end) => {
    const lines = documentation(module, name, member);
    if (start === '/**' && lines.length === 1) return `${indent}/** ${lines[0]} */`;
    const margin = start === '*' ? indent : `${indent} `;
    const body = lines.map((line) => `${margin}* ${line}`.trimEnd()).join('\n');
    return end ? `${indent}/**\n${body}\n${margin}*/` : body;
  });
writeFileSync(out, filled.replace(/^\/\/@.*\n/gm, ''));
