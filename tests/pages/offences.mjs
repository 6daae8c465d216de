// What is wrong with a page, said once.

/** Sentences, each with the circumstances in which it was true; what differs in pixels only is one. */
export class Offences {
  #where = new Map();

  add(said, where = '') {
    const key = said.replace(/\d+ x \d+ px|\d+ px|\d+ of \d+/g, '#');
    const known = this.#where.get(key) ?? { said, places: new Set() };
    if (where) known.places.add(where);
    this.#where.set(key, known);
  }

  all() {
    return [...this.#where.values()].map(({ said, places }) => (places.size > 0 ? `${said} (${[...places].join(', ')})` : said));
  }
}
