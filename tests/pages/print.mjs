// What a printed page holds, read from the PDF itself: Chromium writes plain objects with deflated streams.

import { inflateSync } from 'node:zlib';

/** For each page the number of texts on it. */
export function pages(pdf) {
  const bytes = Buffer.from(pdf);
  const text = bytes.toString('latin1');
  const streams = new Map();
  const object = /(\d+) 0 obj\s*<<([\s\S]*?)>>\s*(stream\r?\n)?/g;
  const found = [];
  for (let match = object.exec(text); match; match = object.exec(text)) {
    const [whole, number, dictionary, stream] = match;
    if (stream) {
      const length = Number(dictionary.match(/\/Length (\d+)/)?.[1] ?? 0);
      const from = match.index + whole.length;
      streams.set(number, { from, to: from + length, deflated: dictionary.includes('FlateDecode') });
      object.lastIndex = from + length;
    } else if (/\/Type\s*\/Page\b(?!s)/.test(dictionary) || /\/Type\s*\/Page\b/.test(tail(text, match.index))) {
      found.push(tail(text, match.index).match(/\/Contents (\d+) 0 R/)?.[1]);
    }
  }
  return found.map((number) => {
    const stream = streams.get(number);
    if (!stream) return 0;
    const content = bytes.subarray(stream.from, stream.to);
    const drawn = (stream.deflated ? inflateSync(content) : content).toString('latin1');
    return (drawn.match(/\bT[jJ]\b/g) ?? []).length;
  });
}

function tail(text, from) {
  return text.slice(from, text.indexOf('endobj', from));
}
