// Pictures of the parts of a report, and of a terminal, for the tour in the documentation.
//
//   node tour.mjs --page report.html --live capture.ansi --out DIR

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import { page as terminal } from './terminal.mjs';

const { values: options } = parseArgs({ options: { page: { type: 'string' }, live: { type: 'string' }, out: { type: 'string' } } });
const PARTS = ['verdict', 'expectations', 'generator', 'healing', 'outcomes', 'latency', 'control', 'topology', 'events', 'as-run'];
const MARGIN = 16;

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-color-profile=srgb'],
});
const page = await browser.newPage();
await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
await page.setViewport({ width: 1200, height: 900 });
await page.goto(pathToFileURL(resolve(options.page)).href, { waitUntil: 'load' });
// What floats above the page would stand in the middle of a picture.
await page.addStyleTag({ content: 'header.bar { position: static !important }' });
for (const part of PARTS) {
  const box = await page.evaluate((id) => {
    const element = document.getElementById(id)?.closest('section');
    const box = element?.getBoundingClientRect();
    return box && { x: box.x, y: box.y + scrollY, width: box.width, height: box.height };
  }, part);
  if (box) await shoot(part, { x: box.x - MARGIN, y: box.y, width: box.width + 2 * MARGIN, height: box.height + MARGIN / 2 });
}

await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
await page.setViewport({ width: 1200, height: 900 });
await shoot('dark', { x: 0, y: 0, width: 1200, height: 900 });
await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2 });
await shoot('phone', { x: 0, y: 0, width: 390, height: 844 });

await page.setViewport({ width: 1000, height: 600 });
await page.setContent(terminal(await readFile(options.live, 'utf8')));
const size = await page.evaluate(() => ({ width: document.body.scrollWidth, height: document.querySelector('pre').offsetHeight }));
await shoot('live', { x: 0, y: 0, ...size });
await browser.close();

async function shoot(name, clip) {
  await page.screenshot({ path: join(options.out, `${name}.png`), clip, captureBeyondViewport: true });
}
