// Opens every page beneath some folders in a real browser and says what is wrong with it; ends with 1 if anything is.
//
//   node check.mjs --out DIR [--only WORD] FOLDER...

import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import * as figures from './figures.mjs';
import { pages } from './find.mjs';
import { Offences } from './offences.mjs';
import * as print from './print.mjs';
import * as probe from './probe.mjs';
import { serve } from './serve.mjs';
import { sheets } from './sheets.mjs';

const WIDTHS = [390, 768, 1024, 1440];
/** What is looked at where colours matter: in the narrow and in the wide drawing. */
const COLOURS = [390, 1440];
const SCHEMES = ['light', 'dark'];
const LARGEST = 2_000_000;
const TALLEST = 16_000;
const AT_ONCE = 2;

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, only: { type: 'string' } },
});
if (!options.out || folders.length === 0) {
  console.error('usage: node check.mjs --out DIR [--only WORD] FOLDER...');
  process.exit(2);
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const began = Date.now();
await rm(options.out, { recursive: true, force: true });
await mkdir(options.out, { recursive: true });
const launch = () => puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-color-profile=srgb', '--disable-dev-shm-usage'],
});

const todo = (await pages(folders)).filter((one) => !options.only || one.name.includes(options.only));
const shots = [];
const results = [];
// A browser each: two tabs of one wait for each other's screenshots.
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  const browser = await launch();
  for (let one = todo.shift(); one; one = todo.shift()) {
    const start = Date.now();
    const offences = await check(browser, one).catch((error) => [`the check itself failed: ${error.stack}`]);
    console.error(`${one.name}: ${offences.length} offences`);
    results.push({ ...one, offences, bytes: (await stat(one.file)).size, took: Date.now() - start });
  }
  await browser.close();
}));
const forms = [...new Set(shots.map((shot) => shot.form))];
const halves = [forms.slice(0, forms.length / 2), forms.slice(forms.length / 2)];
const written = await Promise.all(halves.map(async (half) => {
  const browser = await launch();
  const files = await sheets(browser, shots.filter((shot) => half.includes(shot.form)), options.out);
  await browser.close();
  return files;
})).then((files) => files.flat());
report();

/** Everything that is wrong with one page, as sentences. */
async function check(browser, one) {
  const offences = new Offences();
  const size = (await stat(one.file)).size;
  if (size >= LARGEST) offences.add(`size: ${size} bytes, ${LARGEST} is allowed`);
  const records = await one.records();
  const full = await scripted(browser, one, records, offences);
  await unscripted(browser, one, full, offences);
  await forbidden(browser, one, full, offences);
  return offences.all();
}

/** As most people open it: from a file, with scripts. */
async function scripted(browser, one, records, offences) {
  const page = await open(browser, offences, 'file:');
  await page.goto(pathToFileURL(one.file).href, { waitUntil: 'load' });
  for (const scheme of SCHEMES) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    for (const width of scheme === 'light' ? WIDTHS : COLOURS) {
      await page.setViewport({ width, height: 900 });
      const at = `${width} px`;
      // Layout does not depend on colours.
      if (scheme === 'light') {
        for (const said of await page.evaluate(probe.layout)) offences.add(said, at);
      }
      if (!COLOURS.includes(width)) continue;
      const tall = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewport({ width, height: Math.min(tall, TALLEST) });
      for (const said of await page.evaluate(probe.contrast, 4.5)) offences.add(said, `${at} ${scheme}`);
      // The narrow drawing in dark is the narrow one of the light page, in the colours of the wide one.
      if (scheme === 'dark' && width === 390) continue;
      await shoot(page, one, `${scheme}-${width}`);
      for (const said of await accessible(page, scheme, width)) offences.add(said, `${at} ${scheme}`);
    }
  }
  await page.setViewport({ width: 1440, height: 900 });
  const words = await page.evaluate(probe.words);
  figures[one.kind](words, records).forEach((said) => offences.add(said));
  const full = await page.evaluate(probe.visible);
  if (full.nameless > 0) offences.add(`${full.nameless} pictures have no name`);
  await zoomed(page, one, offences);

  await page.emulateMediaType('print');
  const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor);
  const [, red] = ground.match(/rgb\((\d+)/) ?? [];
  if (red && Number(red) < 128) offences.add(`print: the page is dark where dark is preferred: ${ground}`);
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true, path: path(one, 'print', 'pdf') });
  const texts = print.pages(pdf);
  if (texts.length === 0) offences.add('print: no page');
  texts.forEach((count, index) => count === 0 && offences.add(`print: page ${index + 1} of ${texts.length} is empty`));
  await page.close();
  return full;
}

/** Dragging over a picture shows a part of the time in all of them; Escape shows all of it again, as it was. */
async function zoomed(page, one, offences) {
  const whole = () => page.evaluate(() => document.querySelector('main').outerHTML);
  const place = await page.evaluate(() => {
    const svg = [...document.querySelectorAll('svg[data-time]')].find((one) => one.getClientRects().length > 0);
    if (!svg) return null;
    svg.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = svg.getBoundingClientRect(), [from, to, left, right] = svg.dataset.time.split(' ').map(Number);
    const scale = box.width / svg.viewBox.baseVal.width;
    return { seconds: (to - from) / 1e6, left: box.left + left * scale, wide: (right - left) * scale, middle: box.top + box.height / 2 };
  });
  // Less than a second has no part worth seeing.
  if (!place || place.seconds < 1) return;
  const before = await whole();
  await page.mouse.move(place.left + place.wide * 0.2, place.middle);
  await page.mouse.down();
  await page.mouse.move(place.left + place.wide * 0.6, place.middle, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(1, 1);
  const shown = await page.evaluate(() => [...document.querySelectorAll('svg[data-time]')].filter((one) => one.dataset.time !== one.dataset.whole).length);
  if (shown === 0) offences.add('zoom: dragging over a picture changes none');
  const labels = await page.evaluate(() => [...document.querySelectorAll('.fresh')].filter((axis) => axis.querySelectorAll('text').length < 2).length);
  if (labels > 0) offences.add(`zoom: ${labels} axes of time have fewer than two labels`);
  await page.evaluate(() => document.querySelectorAll('svg[data-time]')[0].closest('section').scrollIntoView({ behavior: 'instant' }));
  await shoot(page, one, 'zoomed');
  await page.keyboard.press('Escape');
  if (await whole() !== before) offences.add('zoom: the page is not as it was after Escape');
}

/** With scripts switched off nothing may be missing. */
async function unscripted(browser, one, full, offences) {
  const page = await open(browser, offences, 'file:');
  await page.setJavaScriptEnabled(false);
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(pathToFileURL(one.file).href, { waitUntil: 'load' });
  compare('without scripts', full, await page.evaluate(probe.visible), offences);
  for (const said of await page.evaluate(probe.layout)) offences.add(said, 'without scripts');
  await page.close();
}

/** Under a policy that forbids scripts and styles everything must still be there, and be told from its ground. */
async function forbidden(browser, one, full, offences) {
  const server = await serve(one.root);
  const page = await open(browser, offences, server.url(''), /Content Security Policy|Blocked script execution|sandboxed/);
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(server.url(relative(one.root, one.file)), { waitUntil: 'load' });
  compare('styles forbidden', full, await page.evaluate(probe.visible), offences);
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewport({ width: 1440, height: Math.min(tall, TALLEST) });
  for (const said of await page.evaluate(probe.contrast, 3)) offences.add(said, 'styles forbidden');
  for (const said of await page.evaluate(probe.layout)) {
    if (/^(overlap|outside)/.test(said)) offences.add(said, 'styles forbidden');
  }
  await shoot(page, one, 'forbidden');
  await page.close();
  server.close();
}

function compare(how, full, now, offences) {
  for (const heading of full.headings) {
    if (!now.headings.includes(heading)) offences.add(`the heading ${JSON.stringify(heading)} is gone`, how);
  }
  for (const picture of full.pictures) {
    if (!now.pictures.includes(picture)) offences.add(`the picture ${JSON.stringify(picture)} is gone`, how);
  }
  if (now.rows < full.rows) offences.add(`${now.rows} of ${full.rows} rows of tables are left`, how);
}

/** A tab that tells of errors, and of requests for anything that is not of this origin. */
async function open(browser, offences, origin, expected = /^$/) {
  const page = await browser.newPage();
  page.on('console', (said) => {
    if (['error', 'warn'].includes(said.type()) && !expected.test(said.text())) offences.add(`console: ${said.text()}`);
  });
  page.on('pageerror', (error) => expected.test(String(error)) || offences.add(`script: ${error}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:')) offences.add(`asks for ${url.slice(0, 120)}`);
    if (request.resourceType() !== 'document' && !url.startsWith('data:') && !url.endsWith('/favicon.ico')) {
      offences.add(`is not one file: asks for ${url.slice(0, 120)}`);
    }
  });
  page.on('requestfailed', (request) => offences.add(`request failed: ${request.url().slice(0, 120)}`));
  return page;
}

/** Serious and critical findings of axe: all of it once, then what another scheme or another width can change. */
async function accessible(page, scheme, width) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  const all = scheme === 'light' && width === 1440;
  const changed = scheme === 'dark' ? ['color-contrast'] : ['scrollable-region-focusable', 'svg-img-alt', 'target-size'];
  const context = { include: [['html']], exclude: scheme === 'dark' ? [['svg']] : [] };
  const how = { resultTypes: ['violations'], ...(all ? {} : { runOnly: changed }) };
  const found = await page.evaluate((context, how) => window.axe.run(context, how), context, how);
  const grave = found.violations.filter((one) => ['serious', 'critical'].includes(one.impact));
  return grave.map((one) => {
    const nodes = one.nodes.slice(0, 2).map((node) => `${node.target.join(' ')} (${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''})`);
    return `axe ${one.impact} ${one.id}, ${one.nodes.length} places: ${nodes.join('; ')}`;
  });
}

function path(one, form, suffix) {
  return join(options.out, `${one.name.replaceAll('/', '--')}--${form}.${suffix}`);
}

async function shoot(page, one, form) {
  const file = path(one, form, 'png');
  await page.screenshot({ path: file, optimizeForSpeed: true });
  shots.push({ form, name: one.name, file });
}

function report() {
  results.sort((a, b) => (a.name < b.name ? -1 : 1));
  const wide = Math.max(...results.map((one) => one.name.length), 4);
  console.log(`${'page'.padEnd(wide)}      KB   took  offences`);
  for (const one of results) {
    const took = `${(one.took / 1000).toFixed(1)} s`;
    console.log(`${one.name.padEnd(wide)} ${String(Math.ceil(one.bytes / 1000)).padStart(7)} ${took.padStart(6)}  ${one.offences.length || 'none'}`);
  }
  const bad = results.filter((one) => one.offences.length > 0);
  for (const one of bad) {
    console.log(`\n${one.name}`);
    one.offences.forEach((said) => console.log(`  ${said}`));
  }
  const all = bad.reduce((sum, one) => sum + one.offences.length, 0);
  console.log(`\n${results.length} pages, ${all} offences, ${((Date.now() - began) / 1000).toFixed(0)} s; look at ${written.length} sheets in ${options.out}`);
  if (results.length === 0) console.error('there is no page in these folders: draw them with `squall report`');
  process.exitCode = all > 0 || results.length === 0 ? 1 : 0;
}
