// Contact sheets: the pictures of all pages side by side, so that a person can look at all of them.

import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ACROSS = 5;
const A_SHEET = 5;
const WIDTH = 380;

/** Writes `sheet-<form>-<n>.png` for pictures as `{form, name, file}`. */
export async function sheets(browser, shots, out) {
  const forms = [...new Set(shots.map((shot) => shot.form))];
  const page = await browser.newPage();
  const written = [];
  for (const form of forms) {
    const all = shots.filter((shot) => shot.form === form).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (let from = 0; from < all.length; from += A_SHEET) {
      const cells = all.slice(from, from + A_SHEET).map((shot) => {
        const source = pathToFileURL(shot.file).href;
        return `<figure><figcaption>${basename(shot.file)}</figcaption><div><img src="${source}"></div></figure>`;
      });
      const html = join(out, `sheet-${form}.html`);
      await writeFile(html, `<!doctype html><meta charset="utf-8"><style>
        body { margin: 8px; background: #888; display: grid; grid-template-columns: repeat(${ACROSS}, ${WIDTH}px); gap: 8px; font: 12px sans-serif; }
        figure { margin: 0; overflow: hidden } div { max-height: 1500px; overflow: hidden } img { width: ${WIDTH}px; display: block }
        figcaption { background: #fff; padding: 2px 4px; overflow-wrap: anywhere }</style>${cells.join('')}`);
      await page.setViewport({ width: ACROSS * (WIDTH + 8) + 8, height: 600 });
      await page.goto(pathToFileURL(html).href, { waitUntil: 'load' });
      const path = join(out, `sheet-${form}-${from / A_SHEET + 1}.png`);
      await page.screenshot({ path, fullPage: true, optimizeForSpeed: true });
      written.push(path);
    }
  }
  await page.close();
  return written;
}
