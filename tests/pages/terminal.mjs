// What a terminal showed, with its colours, as a page.

const BASIC = ['#1d1f21', '#d54e53', '#5fb38a', '#e0b84c', '#5aa5d3', '#c678b0', '#56b4b9', '#d0d3d4'];
const BRIGHT = ['#7a8288', '#ff7a6e', '#7fd8ae', '#f3c25d', '#7cc4ee', '#e08cc0', '#7fd8d8', '#ffffff'];

/** A page of one `pre`, of text with SGR sequences as `tmux capture-pane -e` writes them. */
export function page(ansi) {
  let style = {};
  const html = ansi.replace(/\s+$/, '').split(/(\x1b\[[0-9;:]*m)/).map((part) => {
    const codes = part.match(/^\x1b\[([0-9;:]*)m$/);
    if (!codes) return part && `<span style="${css(style)}">${escape(part)}</span>`;
    style = next(style, codes[1].split(/[;:]/).map(Number));
    return '';
  });
  return `<!doctype html><meta charset="utf-8"><body style="margin:0;width:max-content;background:#14171a">
    <pre style="margin:0;padding:14px 18px;font:13px/1.25 'DejaVu Sans Mono',monospace;color:#d0d3d4">${html.join('')}</pre>`;
}

function next(style, codes) {
  const now = { ...style };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index];
    if (code === 0) Object.keys(now).forEach((key) => delete now[key]);
    else if (code === 1) now.bold = true;
    else if (code === 2) now.dim = true;
    else if (code === 4) now.under = true;
    else if (code === 7) now.reverse = true;
    else if (code === 22) now.bold = now.dim = false;
    else if (code === 24) now.under = false;
    else if (code === 27) now.reverse = false;
    else if (code === 39) delete now.front;
    else if (code === 49) delete now.back;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(index + 1));
      now[code === 38 ? 'front' : 'back'] = colour;
      index += used;
    } else if (code >= 30 && code <= 37) now.front = BASIC[code - 30];
    else if (code >= 40 && code <= 47) now.back = BASIC[code - 40];
    else if (code >= 90 && code <= 97) now.front = BRIGHT[code - 90];
    else if (code >= 100 && code <= 107) now.back = BRIGHT[code - 100];
  }
  return now;
}

function extended([kind, ...rest]) {
  if (kind === 2) return [`rgb(${rest.slice(0, 3).join(',')})`, 4];
  const [number] = rest;
  if (number < 16) return [[...BASIC, ...BRIGHT][number], 2];
  if (number >= 232) return [`rgb(${Array(3).fill(8 + (number - 232) * 10).join(',')})`, 2];
  const step = (part) => (part === 0 ? 0 : 55 + part * 40);
  const cube = number - 16;
  return [`rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(step).join(',')})`, 2];
}

function css({ front = '#d0d3d4', back = 'transparent', bold, dim, under, reverse }) {
  const [ink, ground] = reverse ? [back === 'transparent' ? '#14171a' : back, front] : [front, back];
  return `color:${ink};background:${ground}${bold ? ';font-weight:700' : ''}${dim ? ';opacity:.65' : ''}${under ? ';text-decoration:underline' : ''}`;
}

const escape = (text) => text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
