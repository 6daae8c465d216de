// Does a page say what its record says? The record is read by hand here, so that no code is shared with what drew it.

/** As people read it: one kind of space, one kind of sign, nothing that cannot be seen. */
export function plain(text) {
  return String(text)
    .replace(/[\u202f\u00a0\u2009]/g, ' ')
    .replaceAll('≥', '>=').replaceAll('≤', '<=').replaceAll('−', '-')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Characters that a page may show in another way. */
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const thousands = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

/** A duration or share as shown, in seconds or as it is; null where there is none. */
function number(text) {
  const found = plain(text).match(/^(-?[\d,.]+)(\+?) ?(us|ms|s|min|%)?$/);
  if (!found) return null;
  const [, digits, more, unit] = found;
  const factor = { us: 1e-6, ms: 1e-3, s: 1, min: 60, '%': 0.01 }[unit] ?? 1;
  const value = Number(digits.replaceAll(',', '')) * factor;
  // Percent has two decimals, all else three significant digits.
  return { value, off: Math.max(unit === '%' ? 0.51e-4 : Math.abs(value) * 0.006, 1e-6), more: more !== '' };
}

/** Equal but for what rounding leaves out; `99.99+` is that much or more. */
const near = (shown, value) => shown !== null && value >= shown.value - shown.off && (shown.more || value <= shown.value + shown.off);

/** Numbers in a text, but for those in names. */
const numbers = (text) => (plain(text).match(/(?<![\w.@/])\d[\d,]*(\.\d+)?/g) ?? []).map((found) => Number(found.replaceAll(',', '')));

/** What a sentence about a missed expectation may say: what was asked and observed, as a count, a share, and the rest of it. */
function numbersOf({ observed, limit, 'limit-text': asked, samples, detail }) {
  const value = observed.value ?? 0;
  const shares = [value, limit ?? 0].flatMap((share) => [share, 1 - share, share * 100, (1 - share) * 100]);
  const counts = [samples, Math.round(value * samples), samples - Math.round(value * samples)];
  return [...shares, ...counts, ...numbers(observed.text), ...numbers(asked), ...numbers(detail), 99, 99.9, 90, 95, 50];
}

/** Offences of a report against its record. */
export function report(words, [record]) {
  const offences = [];
  const wrong = (what, shown, expected) => offences.push(`figure: ${what} shows ${JSON.stringify(shown)}, the record says ${JSON.stringify(expected)}`);
  const comparable = (text) => !unprintable.test(text);

  const reason = record.reasons[0]?.text ?? '';
  const missed = record.expectations.find((one) => reason.includes(`${one.id}:`));
  if (missed) {
    const known = numbersOf(missed);
    const strange = numbers(words.headline).filter((shown) => !known.some((value) => Math.abs(shown - value) <= Math.max(0.0051, value * 0.006)));
    if (strange.length > 0) wrong(`the headline, with ${strange.join(', ')},`, words.headline, reason);
  } else if (comparable(reason) && !plain(words.headline).includes(plain(reason))) wrong('the headline', words.headline, reason);
  if (!plain(words.headline).startsWith(record.verdict)) wrong('the verdict', words.headline, record.verdict);
  if (!words.title.includes(record.verdict)) wrong('the title', words.title, record.verdict);

  const asked = words.tables.find((table) => table.section === 'expectations')?.rows ?? [];
  record.expectations.forEach((one, index) => {
    const row = asked[index];
    if (!row) return wrong(`the row of ${one.id}`, 'nothing', one.observed.text);
    const [, , limit, observed, interval, samples] = row;
    const flat = (text) => plain(text).replace(/[()]/g, '').replace(/\s/g, '');
    if (comparable(one['limit-text']) && flat(limit).replace('==', '') !== flat(one['limit-text']).replace('==', '')) wrong(`the limit of ${one.id}`, limit, one['limit-text']);
    if (comparable(one.observed.text) && flat(observed) !== flat(one.observed.text)) wrong(`what was observed of ${one.id}`, observed, one.observed.text);
    if (plain(samples) !== thousands(one.samples)) wrong(`the samples of ${one.id}`, samples, one.samples);
    if (!row.at(-1).startsWith(one.verdict)) wrong(`the verdict on ${one.id}`, row.at(-1), one.verdict);
    const bounds = plain(interval).match(/^([\d.,+]+ ?\S*) to ([\d.,+]+ ?\S*)$/);
    if (bounds && one.observed.interval) {
      const unit = bounds[2].replace(/^[\d.,+]+ ?/, '');
      const low = number(/[a-z%]$/.test(bounds[1]) ? bounds[1] : `${bounds[1]} ${unit}`);
      if (!near(low, one.observed.interval.low)) wrong(`the lower bound of ${one.id}`, interval, one.observed.interval.low);
      if (!near(number(bounds[2]), one.observed.interval.high)) wrong(`the upper bound of ${one.id}`, interval, one.observed.interval.high);
    } else if (one.observed.interval && one.observed.value !== null) {
      wrong(`the interval of ${one.id}`, interval, one.observed.interval);
    }
  });
  if (record.control && !asked.some((row) => plain(row[0]).startsWith('control'))) wrong('the row of the control', 'nothing', record.control);

  const main = record.arms.find((arm) => arm.kind === 'main' && !arm.superseded);
  const totals = words.tables.find((table) => table.class.split(' ').includes('totals'))?.rows ?? [];
  (main?.totals ?? []).forEach((one, index) => {
    const name = `${one.phase}${one.flow ? ` ${one.flow}` : ''}`;
    const row = totals[index];
    if (!row) return wrong(`the totals of ${name}`, 'nothing', one.planned);
    const [, planned, lost, rate, attempts, p50, p99, max] = row;
    const counts = { planned: [planned, one.planned], lost: [lost, one.lost], attempts: [attempts, one.attempts] };
    for (const [what, [shown, value]] of Object.entries(counts)) {
      if (plain(shown) !== thousands(value)) wrong(`${what} of ${name}`, shown, value);
    }
    if (Math.abs(Number(rate.replaceAll(',', '')) - one.rate) > 0.51) wrong(`the rate of ${name}`, rate, one.rate);
    for (const [what, shown] of Object.entries({ p50, p99, max })) {
      // Of no request there is no percentile.
      const value = one.planned > 0 ? one.response[what] : undefined;
      if (value === undefined ? number(shown) !== null : !near(number(shown), value / 1e3)) wrong(`${what} of ${name}`, shown, value ?? 'nothing');
    }
  });
  const shown = words.tables.find((table) => table.class.split(' ').includes('cells'))?.rows ?? [];
  if (record.searches?.length) searched(record.searches, shown, wrong);
  else gridded(record.arms.filter((arm) => arm.kind === 'cell' && !arm.superseded), shown, wrong);

  if (!plain(words.all.replace(/<[^>]*>/g, ' ')).includes(String(record.run.seed))) wrong('the seed', 'nothing', record.run.seed);
  controls(words, offences);
  return offences;
}

/** Rates that a search has chosen make no grid: there is a row for each search. */
function searched(searches, shown, wrong) {
  if (shown.length !== searches.length) wrong('the number of searches', shown.length, searches.length);
  searches.forEach((search, index) => {
    const found = shown[index]?.[1] ?? '';
    const wanted = search.highest ? `${thousands(search.highest)}/s` : 'under';
    if (!plain(found).startsWith(plain(wanted))) wrong(`the highest rate of search ${index + 1}`, found, wanted);
  });
}

/** A row for each cell that could have been run. */
function gridded(cells, shown, wrong) {
  // A cell of several blocks is one row, of what they have in common.
  if (cells.some((arm) => arm.cell.block > 1)) return;
  if (shown.length < cells.length) wrong('the number of cells', shown.length, cells.length);
  const modes = { none: 'direct, no proxy', client: 'client proxy', server: 'service proxies', both: 'proxies on both sides' };
  cells.forEach((arm, index) => {
    const { mode, rate, connections, protocol, payload } = arm.cell;
    const spoken = [protocol, payload === undefined ? undefined : `bodies of ${payload} B`].filter(Boolean);
    const place = [[modes[mode] ?? mode, ...spoken].join(', '), `${thousands(rate)}/s`, String(connections)];
    const row = shown.find((one) => place.every((text, at) => plain(one[at]) === plain(text))) ?? [];
    const measured = arm.totals.find((one) => one.phase === 'measure' && !one.flow);
    if (!measured) return /no data|not run/.test(row.join(' ')) || wrong(`cell ${index + 1}`, row.join(' '), 'nothing');
    if (plain(row[4]) !== thousands(measured.lost)) wrong(`lost in cell ${index + 1}`, row[4], measured.lost);
    // What is added to the same cell without a proxy stands behind it.
    if (!near(number(plain(row[7]).replace(/ [+-].*/, '')), measured.response.p99 / 1e3)) wrong(`p99 of cell ${index + 1}`, row[7], measured.response.p99);
  });
}

/** Offences of the overview of many runs, which holds no figure of its own. */
export function trend(words) {
  const offences = [];
  controls(words, offences);
  return offences;
}

/** Offences of two records beside each other, whose figures their own reports are held to. */
export function compared(words) {
  const offences = [];
  if (!/^A beside B: /.test(plain(words.headline))) offences.push(`figure: the headline is ${JSON.stringify(words.headline)}`);
  controls(words, offences);
  return offences;
}

/** Offences of an overview against the records of its run. */
export function index(words, records) {
  const offences = [];
  const rows = words.tables[0]?.rows ?? [];
  const text = (row) => plain(row.join(' '));
  for (const record of records) {
    if (unprintable.test(record.scenario.title)) continue;
    const row = rows.find((one) => text(one).includes(plain(record.scenario.title)));
    if (!row) offences.push(`figure: no row for ${JSON.stringify(record.scenario.title)}`);
    else if (!text(row).includes(record.verdict)) offences.push(`figure: ${JSON.stringify(text(row).slice(0, 80))}, the record says ${record.verdict}`);
  }
  if (rows.length !== records.length) offences.push(`figure: ${rows.length} rows for ${records.length} records`);
  controls(words, offences);
  return offences;
}

function controls(words, offences) {
  const raw = words.all.match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g);
  if (raw) offences.push(`control: ${raw.length} control or bidi characters reach the page, first U+${raw[0].charCodeAt(0).toString(16).padStart(4, '0')}`);
}
