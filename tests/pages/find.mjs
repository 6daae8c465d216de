// Which pages there are beneath some folders, and the records that they were drawn from.

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';

const exists = (path) => stat(path).then(() => true, () => false);
const record = async (folder) => JSON.parse(await readFile(join(folder, 'record.json'), 'utf8'));

/**
 * Pages of these folders: `report.html` beside a record, and `index.html` above some, or above runs, and pages of what was compared,
 * which have other names. Each with a name that says from which folder it is, and a function that reads what it was drawn from.
 */
export async function pages(folders) {
  const found = [];
  for (const given of folders) {
    const root = resolve(given);
    const inside = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name)).sort();
    const recorded = [];
    const others = (await readdir(root)).filter((file) => file.endsWith('.html') && !['index.html', 'report.html'].includes(file)).sort();
    for (const file of others) {
      found.push({ kind: 'compared', root, file: join(root, file), name: `${basename(root)}/${file.replace('.html', '')}`, records: async () => [] });
    }
    for (const folder of [root, ...inside]) {
      if (!await exists(join(folder, 'record.json'))) continue;
      recorded.push(folder);
      if (await exists(join(folder, 'report.html'))) {
        found.push({ kind: 'report', root, file: join(folder, 'report.html'), name: name(root, folder), records: async () => [await record(folder)] });
      }
    }
    if (await exists(join(root, 'index.html'))) {
      found.push({ kind: recorded.length > 0 ? 'index' : 'trend', root, file: join(root, 'index.html'), name: `${basename(root)}/index`, records: () => Promise.all(recorded.map(record)) });
    }
  }
  return found;
}

function name(root, folder) {
  const below = relative(root, folder);
  return below ? `${basename(root)}/${below}` : basename(root);
}
