// The checks themselves: a page in which everything is wrong, and one in which nothing is. Its table is set small, so that the
// narrowest width holds it in whatever font the machine has.

import assert from 'node:assert';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RECORD = {
  verdict: 'FAIL',
  control: null,
  reasons: [{ verdict: 'FAIL', text: 'FAIL: calm.lost: asked <= 6, observed 7: 7 of 1,000 requests were lost' }],
  expectations: [{
    id: 'calm.lost', verdict: 'FAIL', limit: 6, 'limit-text': '<= 6', samples: 1000, detail: '7 of 1,000 requests were lost',
    observed: { value: 7, text: '7', interval: null },
  }],
  run: { seed: 4711 },
  scenario: { title: 'a page' },
  arms: [],
};

const page = (headline, observed, rest) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>FAIL: a page</title>
  <style>body { margin: 8px; background: #fff; color: #000 } table { font-size: 9px }</style></head>
  <body><main><h1>${headline}</h1><section id="expectations"><h2>Asked</h2><table><thead><tr><th>what</th><th>phase</th><th>limit</th>
  <th>observed</th><th>interval</th><th>samples</th><th>verdict</th></tr></thead>
  <tbody><tr><td>lost</td><td>calm</td><td>≤ 6</td><td>${observed}</td><td>counted</td><td>1,000</td><td>FAIL</td></tr></tbody></table>
  </section>${rest}</main></body></html>`;

const svg = (inside) => `<section id="plot"><h2>Plot</h2>
  <svg width="300" height="100" viewBox="0 0 300 100" role="img" aria-label="A plot" font-size="14">${inside}</svg></section>`;

const GOOD = page('FAIL: 7 of 1,000 requests in calm were lost where 6 is allowed.', '7', `${svg('<text x="10" y="50">fine</text>')}<p>seed 4711</p>`);

const BAD = page('FAIL: 8 of 1,000 requests in calm were lost where 6 is allowed.', '9', `
  ${svg('<text x="10" y="50">one</text><text x="15" y="52">other</text><text x="290" y="20">beyond</text><text x="10" y="90" fill="#bbb">faint</text>')}
  <h2 id="later">Later</h2>
  <div style="width: 2000px">wide</div>
  <p style="overflow: hidden; width: 40px; white-space: nowrap">this is cut short</p>
  <img src="https://192.0.2.1/x.png">
  <p>bell \u0007 rings</p>
  <div style="break-before: page; height: 10px"></div><div style="break-before: page">end</div>
  <script>console.error('oh'); document.getElementById('later').insertAdjacentHTML('afterend', '<h3>only with scripts</h3>'); undefined.x</script>`);

/** What the checker says of such a page, and how it ends. */
async function check(html) {
  const folder = await mkdtemp(join(tmpdir(), 'pages-'));
  const run = join(folder, 'run');
  await mkdir(run);
  await writeFile(join(run, 'report.html'), html);
  await writeFile(join(run, 'record.json'), JSON.stringify(RECORD));
  const command = [fileURLToPath(new URL('check.mjs', import.meta.url)), '--out', join(folder, 'out'), run];
  const said = await new Promise((done) => {
    execFile(process.execPath, command, (error, stdout) => done({ code: error?.code ?? 0, stdout }));
  });
  await rm(folder, { recursive: true });
  return said;
}

test('a good page has no offence', async () => {
  const { code, stdout } = await check(GOOD);
  assert.match(stdout, /1 pages, 0 offences/);
  assert.equal(code, 0);
});

test('everything that is wrong is said', async () => {
  const { code, stdout } = await check(BAD);
  const wanted = [
    /scrolls sideways: \d+ px of 390: div "wide"/, /cut: p .*"this is cut short"/, /overlap: "one" and "other"/, /outside: "beyond"/,
    /faint: "faint"/, /console: oh/, /script: TypeError/, /asks for https:\/\/192\.0\.2\.1\/x\.png/, /axe critical image-alt/,
    /the headline, with 8,/, /what was observed of calm\.lost shows "9"/, /the seed shows "nothing"/,
    /the heading "only with scripts" is gone \(without scripts, styles forbidden\)/, /U\+0007/, /print: page 2 of 3 is empty/,
  ];
  for (const one of wanted) assert.match(stdout, one);
  assert.equal(code, 1);
});
