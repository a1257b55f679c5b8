// node offline.mjs DIST: writes into the service worker which files it keeps, and a version that changes with any of them.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const dist = process.argv[2];
const unseen = /^(sw\.js|lineament\/(node\.js|package\.json|.*\.d\.ts|.*\.md|LICENSE.*))$/;

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(dist, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .filter((name) => !unseen.test(name))
  .sort();
const hash = createHash('sha256');
for (const name of files) hash.update(name).update(readFileSync(join(dist, name)));

const worker = join(dist, 'sw.js');
const text = readFileSync(worker, 'utf8')
  .replace("'VERSION'", `'${hash.digest('hex').slice(0, 16)}'`)
  .replace('[/* FILES */]', JSON.stringify(['./', ...files]));
if (text.includes("'VERSION'") || text.includes('FILES */')) throw new Error(`${worker} has no place for its files`);
writeFileSync(worker, text);
