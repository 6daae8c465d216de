// What is looked at inside a page, as functions that are handed to the browser: they use nothing from outside themselves.

/**
 * Everything wrong with the layout at the present size: sideways scroll, text that is cut, text on text, text outside
 * its picture. Returns sentences.
 */
export function layout() {
  const offences = [];
  const view = document.documentElement.clientWidth;
  const short = (text) => JSON.stringify(text.replace(/\s+/g, ' ').trim().slice(0, 50));
  const place = (element) => {
    const picture = element.closest('svg');
    const label = picture && (picture.getAttribute('aria-label') || picture.querySelector('title')?.textContent);
    const section = element.closest('section[id]')?.id || element.closest('header,footer,section')?.localName || 'page';
    return label ? `${section}, picture ${short(label)}` : section;
  };
  const path = (element) => element.localName + (element.id ? `#${element.id}` : '')
    + [...element.classList].map((name) => `.${name}`).join('');

  // An element that clips or scrolls hides what is beyond it, so that only the rest of a text can meet another.
  const clips = new Map();
  const clip = (element) => {
    if (!element || element === document.documentElement || element === document.body) return null;
    if (clips.has(element)) return clips.get(element);
    let found = clip(element.parentElement);
    const style = getComputedStyle(element);
    if (style.overflowX !== 'visible' || style.overflowY !== 'visible') {
      const box = element.getBoundingClientRect();
      found = found ? meet(found, box) : box;
    }
    clips.set(element, found);
    return found;
  };
  const meet = (a, b) => ({
    left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
    top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
  });
  const scrolls = (element) => {
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(one).overflowX)) return true;
    }
    return false;
  };

  if (document.documentElement.scrollWidth > view + 1) {
    const range = document.createRange();
    // A word can run out of an element that is narrow enough itself.
    const right = (element) => {
      range.selectNodeContents(element);
      const words = element.childElementCount === 0 && element.textContent.trim() ? range.getBoundingClientRect().right : 0;
      return Math.max(element.getBoundingClientRect().right, words);
    };
    const beyond = [...document.body.querySelectorAll('*')].filter((element) => (
      element.getBoundingClientRect().width > 0 && right(element) > view + 1 && !scrolls(element) && !element.closest('svg *')));
    const inmost = beyond.filter((element) => !beyond.some((other) => other !== element && element.contains(other)));
    const who = inmost.slice(0, 3).map((element) => `${path(element)} ${short(element.textContent)}`).join('; ');
    offences.push(`scrolls sideways: ${document.documentElement.scrollWidth} px of ${view}: ${who}`);
  }

  for (const element of document.body.querySelectorAll('*')) {
    // What is a few pixels wide is for those who listen.
    if (element.closest('svg') || !element.textContent.trim() || element.clientWidth < 5) continue;
    const style = getComputedStyle(element);
    // What ends in dots may, if it can be read in full elsewhere.
    if (style.textOverflow === 'ellipsis' && document.body.textContent.split(element.textContent.trim()).length > 2) continue;
    const hides = (value) => value === 'hidden' || value === 'clip';
    if (hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1) {
      offences.push(`cut: ${path(element)} in ${place(element)} shows ${element.clientWidth} of ${element.scrollWidth} px of ${short(element.textContent)}`);
    } else if (hides(style.overflowY) && element.clientHeight > 1 && element.scrollHeight > element.clientHeight + 2) {
      offences.push(`cut: ${path(element)} in ${place(element)} shows ${element.clientHeight} of ${element.scrollHeight} px in height of ${short(element.textContent)}`);
    }
  }

  // The box of a text holds room above capitals and below the base line; ink is what may not meet.
  const ink = (box, upright) => upright
    ? { left: box.left + 0.5, right: box.right - 0.5, top: box.top + box.height * 0.22, bottom: box.bottom - box.height * 0.2 }
    : { left: box.left + box.width * 0.2, right: box.right - box.width * 0.2, top: box.top + 0.5, bottom: box.bottom - 0.5 };
  const texts = [];
  for (const element of document.querySelectorAll('svg text')) {
    if (element.closest('defs, symbol') || !element.textContent.trim()) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || getComputedStyle(element).visibility === 'hidden') continue;
    const matrix = element.getScreenCTM();
    const picture = element.ownerSVGElement;
    const frame = picture.getBoundingClientRect();
    const inked = ink(box, Math.abs(matrix.b) < 0.01);
    const beyond = Math.max(frame.left - inked.left, inked.right - frame.right, frame.top - inked.top, inked.bottom - frame.bottom);
    if (beyond > 1) offences.push(`outside: ${short(element.textContent)} is ${beyond.toFixed(0)} px outside of its picture, ${place(element)}`);
    texts.push({ element, box: inked, picture });
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('svg, script, style, noscript, details:not([open]) > :not(summary)')) continue;
    const style = getComputedStyle(element);
    if (style.visibility === 'hidden' || style.opacity === '0' || style.position === 'fixed') continue;
    if (element.closest('header.bar')) continue; // stays on top of what scrolls beneath it
    range.selectNodeContents(node);
    const bounds = clip(element);
    for (const box of range.getClientRects()) {
      if (box.width < 1) continue;
      const inked = ink(box, true);
      const seen = bounds ? meet(inked, bounds) : inked;
      if (seen.right - seen.left < 1 || seen.bottom - seen.top < 1) continue;
      if (box.left < -1) offences.push(`outside: ${short(node.data)} begins ${(-box.left).toFixed(0)} px left of the page, ${place(element)}`);
      texts.push({ element, box: seen, node });
    }
  }
  texts.sort((a, b) => a.box.top - b.box.top);
  const met = new Set();
  for (let first = 0; first < texts.length; first += 1) {
    const a = texts[first];
    for (let second = first + 1; second < texts.length && texts[second].box.top < a.box.bottom; second += 1) {
      const b = texts[second];
      if (a.element === b.element) continue;
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (across > 0.5 && down > 0.5) {
        const said = `overlap: ${short((a.node ?? a.element).textContent)} and ${short((b.node ?? b.element).textContent)} by ${across.toFixed(0)} x ${down.toFixed(0)} px, ${place(a.element)}`;
        if (!met.has(said)) offences.push(said);
        met.add(said);
      }
    }
  }
  return offences;
}

/** What a reader can see: sections with their headings, pictures by name, and how much text. */
export function visible() {
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden';
  };
  // A sample in a key has its words beside it.
  const told = (svg) => svg.getAttribute('aria-hidden') !== 'true' && svg.querySelector('text');
  const pictures = [...document.querySelectorAll('svg')].filter((svg) => seen(svg) && told(svg));
  const named = (svg) => svg.getAttribute('aria-label') || svg.querySelector('title')?.textContent || '';
  return {
    headings: [...document.querySelectorAll('h1, h2, h3')].filter(seen).map((one) => one.textContent.trim()),
    pictures: [...new Set(pictures.map(named))].sort(),
    nameless: pictures.filter((svg) => !named(svg)).length,
    rows: [...document.querySelectorAll('tr')].filter(seen).length,
    texts: [...document.querySelectorAll('svg text')].filter(seen).length,
  };
}

/** Texts in pictures that do not stand out from what is behind them, as sentences. Needs the whole page in the window. */
export function contrast(least) {
  const offences = new Set();
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const cache = new Map();
  const rgba = (colour) => {
    if (!cache.has(colour)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      cache.set(colour, [...canvas.getImageData(0, 0, 1, 1).data].map((part, index) => (index < 3 ? part : part / 255)));
    }
    return cache.get(colour);
  };
  const over = (top, below, opacity) => {
    const alpha = top[3] * opacity;
    return [0, 1, 2].map((part) => top[part] * alpha + below[part] * (1 - alpha)).concat(1);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const dark = getComputedStyle(document.documentElement).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches;
  for (const text of document.querySelectorAll('svg text')) {
    const box = text.getBoundingClientRect();
    if (box.width === 0 || text.closest('defs, symbol') || !text.textContent.trim()) continue;
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    if (y < 0 || y >= innerHeight || x < 0 || x >= innerWidth) continue;
    let behind = dark ? [18, 18, 18, 1] : [255, 255, 255, 1];
    for (const element of document.elementsFromPoint(x, y).reverse()) {
      const style = getComputedStyle(element);
      if (element.localName === 'text' || element.localName === 'tspan' || element.closest('header.bar')) continue;
      if (element instanceof SVGGeometryElement) {
        if (style.fill !== 'none' && !style.fill.startsWith('url')) {
          behind = over(rgba(style.fill), behind, Number(style.fillOpacity) * Number(style.opacity));
        }
      } else if (!(element instanceof SVGElement)) {
        behind = over(rgba(style.backgroundColor), behind, 1);
      }
    }
    const style = getComputedStyle(text.querySelector('tspan') ?? text);
    const front = over(rgba(style.fill === 'none' ? style.stroke : style.fill), behind, Number(style.fillOpacity) * Number(style.opacity));
    const [a, b] = [light(front), light(behind)].sort((one, other) => other - one);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) {
      const section = text.closest('section[id]')?.id ?? 'page';
      offences.add(`faint: ${JSON.stringify(text.textContent.slice(0, 30))} stands ${ratio.toFixed(2)} : 1 against ${behind.slice(0, 3).map(Math.round)}, ${section}`);
    }
  }
  return [...offences];
}

/** Every table as rows of texts, the headline, and all text there is: what the figures are compared with. */
export function words() {
  const text = (element) => element.textContent.replace(/\s+/g, ' ').trim();
  const tables = [...document.querySelectorAll('table')].map((table) => ({
    section: table.closest('section[id]')?.id ?? '',
    class: table.className,
    head: [...table.querySelectorAll('thead th')].map(text),
    rows: [...table.querySelectorAll('tbody tr')].map((row) => [...row.cells].map(text)),
  }));
  return {
    title: document.title,
    headline: text(document.querySelector('h1') ?? document.body),
    tables,
    code: [...document.querySelectorAll('pre')].map((one) => one.textContent),
    all: document.documentElement.outerHTML,
  };
}
