// From rows to figures: which rows a tile counts, and what they add up to.

let tables = {};

const firstOfMonth = (day) => dayOf(isoDay(day).slice(0, 7) + '-01');
const nextMonth = (day) => {
  const then = new Date(day * DAY_MS);
  return Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + 1, 1) / DAY_MS;
};

// Days up to a quarter are told one by one, up to a year and a bit by week, more by month.
function grainOf({ since, until }) {
  const days = until - since + 1;
  return days <= 92 ? 'day' : days <= 400 ? 'week' : 'month';
}
const bucketOf = (day, grain) => (grain === 'month' ? firstOfMonth(day) : grain === 'week' ? day - ((day + 3) % 7) : day);
const bucketEnd = (day, grain) => (grain === 'month' ? nextMonth(day) : day + (grain === 'week' ? 7 : 1));

// The day of the one snapshot, or month, that a tile shows; null if there is none.
function newestOf(view, until) {
  let newest = null, oldest = null;
  for (const day of tables[view.name].columns[view.date].values) {
    if (day <= until + (view.holds === 'snapshot') && (newest === null || day > newest)) newest = day;
    if (oldest === null || day < oldest) oldest = day;
  }
  return newest ?? oldest;
}
function newestBefore(view, day) {
  let found = null;
  for (const one of tables[view.name].columns[view.date].values) if (one < day && (found === null || one > found)) found = one;
  return found;
}

function period(view, tile, choice) {
  if (tile.newest) {
    const day = choice.only ?? newestOf(view, choice.until);
    return [day, day];
  }
  if (view.holds === 'month') return [firstOfMonth(choice.since), choice.until];
  // A segmentation is of the days before it.
  return view.holds === 'snapshot' ? [choice.since, choice.until + 1] : [choice.since, choice.until];
}

// Places of the rows that count. Tiles of a page ask for the same ones.
const remembered = new Map();
function rowsOf(tile, choice) {
  const view = about.views[tile.view], { rows, columns } = tables[view.name];
  const days = columns[view.date].values, [since, until] = period(view, tile, choice);
  const wanted = [];
  for (const [name, of] of Object.entries(view.filters)) {
    const value = name !== 'date' && (choice[name] || view.totals[of]);
    if (value) wanted.push([of, columns[of].words.indexOf(value)]);
  }
  const key = JSON.stringify([view.name, since, until, wanted]);
  if (!remembered.has(key)) {
    const found = new Int32Array(rows);
    let count = 0;
    for (let row = 0; row < rows; row++) if (days[row] >= since && days[row] <= until) found[count++] = row;
    for (const [of, code] of wanted) {
      const { values } = columns[of], all = count;
      count = 0;
      for (let at = 0; at < all; at++) if (values[found[at]] === code) found[count++] = found[at];
    }
    remembered.set(key, found.slice(0, count));
  }
  return remembered.get(key);
}

// The sums that a measure is made of: [above, below].
function adder(measure, columns) {
  const above = columns[measure.column].values, below = measure.over && columns[measure.over].values;
  return (sums, row) => {
    const value = above[row];
    if (Number.isNaN(value)) return;
    sums[2] += 1;
    sums[0] += measure.aggregation === 'mean' ? value * below[row] : value;
    if (below) sums[1] += below[row] || 0;
  };
}
const result = (measure, [above, below, count]) => (count === 0 ? null : measure.over ? (below ? above / below : null) : above);

const canAdd = (tile, measure, choice) =>
  !isMoney(measure) || about.views[tile.view].currency !== 'transaction' || Boolean(choice.currency);

// The measures of all rows together.
function totals(tile, choice) {
  const { columns } = tables[tile.view], rows = rowsOf(tile, choice);
  return tile.measures.map((measure) => {
    const sums = [0, 0, 0], add = adder(measure, columns);
    if (canAdd(tile, measure, choice)) for (const row of rows) add(sums, row);
    return result(measure, sums);
  });
}

// How the rows of a side are told apart: by a number, and what that stands for.
function side(tile, name, grain) {
  if (!name) return { code: () => 0, value: () => '' };
  const view = about.views[tile.view], { values, words } = tables[tile.view].columns[spoken(name)];
  if (words) return { code: (row) => values[row], value: (code) => words[code] ?? '' };
  if (name !== view.date || view.holds !== 'day') return { code: (row) => values[row], value: (code) => code };
  const buckets = new Map();
  const code = (row) => {
    const day = values[row];
    if (!buckets.has(day)) buckets.set(day, bucketOf(day, grain));
    return buckets.get(day);
  };
  return { code, value: (day) => day };
}

// Groups by `by` and `series`: [{ by, series, rank, values }], where those are numbers or words.
const MOST_SERIES = 1e5;
function groups(tile, choice) {
  const { columns } = tables[tile.view], grain = grainOf(choice);
  const by = side(tile, tile.by, grain), series = side(tile, tile.series, grain), adders = tile.measures.map((one) => adder(one, columns));
  const rank = [tile.by, tile.series].map((name) => name && about.columns[name].order && columns[about.columns[name].order].values);
  const found = new Map();
  for (const row of rowsOf(tile, choice)) {
    const key = by.code(row) * MOST_SERIES + series.code(row);
    let group = found.get(key);
    if (!group) {
      group = { by: by.value(by.code(row)), series: series.value(series.code(row)), rank: rank.map((one) => one && one[row]), sums: tile.measures.map(() => [0, 0, 0]) };
      found.set(key, group);
    }
    for (let at = 0; at < adders.length; at++) adders[at](group.sums[at], row);
  }
  return [...found.values()].map((group) => ({
    ...group,
    values: tile.measures.map((one, place) => (canAdd(tile, one, choice) ? result(one, group.sums[place]) : null)),
  }));
}

// Different values of one side, in the order in which they are shown.
function sides(tile, found, side) {
  const name = side === 'by' ? tile.by : tile.series, place = side === 'by' ? 0 : 1;
  const known = Object.keys(about.words.values[name] ?? {});
  const key = (group) => group.rank[place] || (known.includes(group[side]) ? known.indexOf(group[side]) : group[side]);
  const unique = [...new Map(found.map((group) => [group[side], group])).values()];
  // What has no place of its own (a client without a segment, a level that is not known) comes last.
  const last = (group) => Number(group[side] === 'UNKNOWN' || group[side] === 'unknown' || group.rank[place] === 0);
  unique.sort((one, other) => last(one) - last(other) || (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0));
  return unique.map((group) => group[side]);
}
