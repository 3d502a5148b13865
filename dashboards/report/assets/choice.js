// What the reader has chosen: days, country, segment, service, currency.

const PRESETS = { month: 30, quarter: 90, year: 365, all: Infinity };
const LISTS = { country: 'country_code', segment: 'customer_segment', service: 'service_name', currency: 'currency_code' };
const bounds = about.until ? { since: dayOf(about.since), until: dayOf(about.until) } : { since: 0, until: 0 };
let choice = {};

// Values to choose from, over all views that can be filtered so; currencies by how many transactions they have.
function choices(filter) {
  const found = new Set();
  for (const view of Object.values(about.views)) {
    const name = view.filters[filter];
    if (name) tables[view.name].columns[name].words.forEach((one) => one === view.totals[name] || found.add(one));
  }
  if (filter !== 'currency') return [...found].sort((one, other) => called(LISTS[filter], one).localeCompare(called(LISTS[filter], other)));
  const counts = transactionsByCurrency(bounds);
  return [...found].sort((one, other) => (counts[other] ?? 0) - (counts[one] ?? 0) || (one < other ? -1 : 1));
}

function transactionsByCurrency({ since, until }) {
  const { rows, columns } = tables.v_activity_by_day, counts = {};
  const { values: codes, words } = columns.currency_code;
  for (let row = 0; row < rows; row++) {
    const day = columns.full_date.values[row], currency = words[codes[row]];
    if (day >= since && day <= until) counts[currency] = (counts[currency] ?? 0) + columns.transactions.values[row];
  }
  return counts;
}

function preset(name) {
  return { preset: name, since: Math.max(bounds.since, bounds.until - PRESETS[name] + 1), until: bounds.until };
}

function firstChoice() {
  const days = bounds.until - bounds.since + 1;
  return { ...preset(days > PRESETS.year ? 'year' : 'all'), country: '', segment: '', service: '', currency: choices('currency')[0] ?? '' };
}

// The days before, as many; null if the data do not reach back so far.
function before({ since, until }) {
  const days = until - since + 1;
  return since - days < bounds.since ? null : { since: since - days, until: since - 1 };
}

// Filters that some tile of a page knows: the others are switched off while it is shown.
const filtersOf = (page) => Object.keys(LISTS).filter((one) => page.tiles.some((tile) => about.views[tile.view].filters[one]));

// Filters of its page that are set and that a tile does not know.
function unheeded(tile) {
  const known = about.views[tile.view].filters, page = about.pages.find((one) => one.tiles.includes(tile));
  return filtersOf(page).filter((one) => choice[one] && !known[one]);
}
