// Tiles: a card with a title, what it means, a figure or chart or table, and the data beneath.

const ROW_PX = 44, HEAD_PX = 100;

function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...inside.filter((one) => one !== null && one !== undefined && one !== ''));
  return made;
}

// What must be in the warehouse first, and is not.
function missing(view) {
  const lacks = missingData(view.needs);
  return lacks.length || tables[view.name].rows || !about.stale.includes(view.name) ? lacks : ['refresh'];
}
function missingData(needs) {
  const { present } = about, lacking = (...names) => names.filter((one) => !present[one]);
  if (!present.transactions) return ['transactions'];
  if (needs === 'labels_or_scores') return present.labels || present.scores ? [] : ['labels', 'scores'];
  if (needs === 'scores') return lacking('labels', 'scores');
  if (needs === 'moves') return present.segments ? lacking('moves') : ['segments'];
  return lacking(needs);
}

// The currency of a tile's amounts: the chosen one, or that to which all were converted.
function currencyOf(tile) {
  const view = about.views[tile.view];
  if (view.currency === 'transaction') return choice.currency;
  return view.currency === 'reporting' ? tables[view.name].columns.currency_code.words[0] ?? '' : '';
}

function command(text) {
  return element('code', {}, text);
}

function emptiness(tile) {
  const lacking = missing(about.views[tile.view]);
  if (lacking.length) return [said(about.words.short[lacking[0]])];
  if (tables[tile.view].rows === 0) return [word('nothing')];
  if (tile.measures.length && tile.measures.every((one) => !canAdd(tile, one, choice))) return [word('choose_currency')];
  return null;
}

function notes(tile, isPartial) {
  const view = about.views[tile.view], found = [];
  if (tile.newest && view.holds === 'snapshot' && tables[view.name].rows) {
    const day = newestOf(view, choice.until);
    if (tile.kind === 'matrix') {
      const { columns } = tables[view.name], row = columns.to_as_of.values.indexOf(day);
      found.push(word('moved', { before: longDay(columns.from_as_of.values[row]), after: longDay(day) }));
      if (columns.is_refit.values[row]) found.push(word('refit'));
    } else found.push(word('as_of', { day: longDay(day) }));
  }
  if (isPartial) found.push(word('partial'));
  const unknown = unheeded(tile);
  if (unknown.length) found.push(word('not_by', { filters: unknown.map((one) => word(one).toLowerCase()).join(', ') }));
  return found.join(' ');
}

function tileElement(tile) {
  const { column, row, width, height } = tile.place;
  const card = element('section', { class: `tile ${tile.kind}`, id: `tile-${tile.id}`, 'aria-labelledby': `title-${tile.id}` });
  card.style.gridArea = `${row + 1} / ${column + 1} / span ${height} / span ${width}`;
  return card;
}

function draw(tile, card) {
  const empty = emptiness(tile), title = element('h3', { id: `title-${tile.id}` }, said(tile.title));
  const head = [title, element('p', { class: 'about' }, said(tile.about))];
  card.classList.toggle('empty', Boolean(empty));
  delete card.dataset.value;
  if (empty) return void card.replaceChildren(...head, element('p', { class: 'nothing' }, ...empty));
  if (tile.kind === 'number') return drawNumber(tile, card, title, head[1]);
  if (tile.kind === 'table') return drawTable(tile, card, head);
  return drawChart(tile, card, head);
}

function drawNumber(tile, card, title, sentence) {
  const [measure] = tile.measures, [value] = totals(tile, choice), currency = currencyOf(tile);
  const whole = shown(value, measure.format, currency), isAmount = measure.format === 'amount';
  const short = isAmount ? amount(value, currency, true) : shown(value, measure.format, '', true);
  card.dataset.value = value ?? '';
  const unit = isAmount ? currency : measure.format === 'per_myriad' ? word('per_myriad') : '';
  card.replaceChildren(
    title,
    element('p', { class: 'figure', title: whole }, short, unit && element('small', {}, ` ${unit}`)),
    element('p', { class: 'change' }, ...change(tile, measure, value)),
    sentence,
    element('p', { class: 'note' }, notes(tile)),
  );
}

// How a figure moved since the period before.
function change(tile, measure, value) {
  const view = about.views[tile.view];
  let earlier = null, against = '', label = '';
  if (tile.newest) {
    const day = newestOf(view, choice.until), prior = day === null ? null : newestBefore(view, day);
    const isPart = view.holds === 'month' && nextMonth(day) - 1 > Math.min(choice.until, bounds.until);
    const name = view.holds === 'month' ? monthName : longDay;
    label = view.holds !== 'month' ? '' : isPart ? word('partial_month', { month: monthName(day), day: longDay(Math.min(choice.until, bounds.until)) }) : monthName(day);
    if (prior === null || isPart) return [element('span', { class: 'against' }, label || word('no_before'))];
    [earlier] = totals(tile, { ...choice, only: prior });
    against = word(view.holds === 'month' ? 'against_month' : 'against_day', { moment: name(prior) });
  } else {
    const days = before(choice);
    if (!days) return [element('span', { class: 'against' }, word('no_before'))];
    [earlier] = totals(tile, { ...choice, ...days });
    against = word('against_days', { days: number(choice.until - choice.since + 1) });
  }
  if (earlier === 0 && !isMissing(value)) return [element('span', { class: 'against' }, word(value === 0 ? 'still_none' : 'none_before', { against }))];
  if (isMissing(value) || isMissing(earlier)) return [element('span', { class: 'against' }, label || word('no_before'))];
  const isShare = measure.format === 'percent', by = isShare ? (value - earlier) * 100 : value / earlier - 1;
  const isStill = Math.abs(by) < (isShare ? 0.005 : 0.0005), sign = { signDisplay: 'exceptZero' };
  const told = isShare
    ? word('points', { value: format('NumberFormat', { ...sign, minimumFractionDigits: 2, maximumFractionDigits: 2 }, by) })
    : format('NumberFormat', { ...sign, style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }, by);
  const mood = isStill || measure.better === 'neither' ? 'even' : (by > 0) === (measure.better === 'up') ? 'good' : 'bad';
  return [
    element('strong', { class: mood }, `${isStill ? '=' : by > 0 ? '▲' : '▼'} ${told}`), ' ',
    element('span', { class: 'against' }, label ? `${label}, ${against}` : against),
  ];
}

function drawChart(tile, card, head) {
  const found = groups(tile, choice), currency = currencyOf(tile);
  if (!found.length) return void card.replaceChildren(...head, element('p', { class: 'nothing' }, word('nothing')));
  const width = card.clientWidth - 32 || 560, height = Math.max(150, tile.place.height * ROW_PX - HEAD_PX - 30);
  const { traces, layout, series, isPartial } = chartOf(tile, found, currency, height, width);
  const place = element('div', { class: 'chart', role: 'img', 'aria-label': `${said(tile.title)}. ${said(tile.about)} ${word('data')}: ` });
  card.replaceChildren(...head, legend(tile, series, currency), place, element('p', { class: 'note' }, notes(tile, isPartial)), data(tile, found, currency));
  Plotly.react(place, traces, layout, { displayModeBar: false, responsive: true, showTips: false });
}

function unitOf(measure, currency) {
  if (measure.format === 'amount') return currency;
  return { milliseconds: 'ms', percent: '%' }[measure.format] ?? '';
}

function legend(tile, series, currency) {
  const [measure] = tile.measures, unit = unitOf(measure, currency);
  const what = tile.measures.length > 1 && tile.kind !== 'heat_map' ? unit : [said(measure.title), unit].filter(Boolean).join(', ');
  const parts = series.length > 1 ? series.map((one) => {
    const swatch = element('i', {});
    swatch.style.background = one.colour;
    return element('span', {}, swatch, one.title);
  }) : [];
  return element('p', { class: 'legend' }, what && element('b', {}, what), ...parts);
}

const MOST_ROWS = 500;
function tableOf(headings, rows, caption, rowHead) {
  const cell = (kind) => (value, place) => element(kind, kind === 'th' ? { scope: 'col', class: headings[place].number && 'n' } : { class: headings[place].number && 'n' }, value);
  const body = rows.slice(0, MOST_ROWS).map((row) => element('tr', {}, ...row.map((value, place) => (place === rowHead ? element('th', { scope: 'row' }, value) : cell('td')(value, place)))));
  if (rows.length > MOST_ROWS) body.push(element('tr', {}, element('td', { colspan: headings.length }, word('more_rows', { count: number(rows.length - MOST_ROWS) }))));
  return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption }, element('table', {},
    element('caption', { class: 'hidden' }, caption),
    element('thead', {}, element('tr', {}, ...headings.map((one, place) => cell('th')(one.title, place)))),
    element('tbody', {}, ...body)));
}

function grouped(tile, found, currency) {
  const sided = [tile.by, tile.series].filter(Boolean);
  const titled = (measure) => ({ title: [said(measure.title), measure.format === 'amount' ? currency : ''].filter(Boolean).join(', '), number: true });
  const headings = [...sided.map((name) => ({ title: said(about.columns[name]) })), ...tile.measures.map(titled)];
  const order = Object.fromEntries(['by', 'series'].map((side) => [side, new Map((tile[side] ? sides(tile, found, side) : ['']).map((one, place) => [one, place]))]));
  const sorted = [...found].sort((one, other) => order.by.get(one.by) - order.by.get(other.by) || order.series.get(one.series) - order.series.get(other.series));
  const ranked = tile.measures.findIndex((one) => one.id === tile.sort);
  if (ranked >= 0) sorted.sort((one, other) => (other.values[ranked] ?? -Infinity) - (one.values[ranked] ?? -Infinity));
  const rows = sorted.map((group) => [
    bySide(tile, group.by), ...(tile.series ? [called(tile.series, group.series)] : []),
    ...tile.measures.map((one, place) => (one.format === 'amount' ? amount(group.values[place], currency) : shown(group.values[place], one.format))),
  ]);
  return [headings, rows];
}

const opened = new Set();
function data(tile, found, currency) {
  const details = element('details', { open: opened.has(tile.id) }, element('summary', {}, word('data')));
  const fill = () => {
    opened[details.open ? 'add' : 'delete'](tile.id);
    if (details.open && details.children.length === 1) details.append(tableOf(...grouped(tile, found, currency), said(tile.title), 0));
  };
  details.addEventListener('toggle', fill);
  fill();
  return details;
}

function drawTable(tile, card, head) {
  const currency = currencyOf(tile);
  const [headings, rows] = tile.columns.length ? rowsAsTheyAre(tile) : grouped(tile, groups(tile, choice), currency);
  if (!rows.length) return void card.replaceChildren(...head, element('p', { class: 'nothing' }, word('nothing')));
  card.replaceChildren(...head, tableOf(headings, rows, said(tile.title), tile.columns.indexOf('client_code') > 0 ? 1 : 0), element('p', { class: 'note' }, notes(tile)));
}

function rowsAsTheyAre(tile) {
  const { columns } = tables[tile.view], { values } = columns[tile.sort];
  const headings = tile.columns.map((name) => ({ title: said(about.columns[name]), number: !['text', 'date'].includes(about.columns[name].type) }));
  const chosen = [...rowsOf(tile, choice)].sort((one, other) => values[one] - values[other]).slice(0, tile.limit ?? Infinity);
  const cell = (name, row) => {
    const { words, values: own } = columns[name], value = words ? words[own[row]] : own[row], { type } = about.columns[name];
    if (type === 'amount') return shown(value, 'amount', columns.currency_code.words[columns.currency_code.values[row]]);
    if (type === 'number') return isMissing(value) ? '–' : number(value, 3);
    return type === 'integer' ? shown(value, 'count') : called(name, value);
  };
  return [headings, chosen.map((row) => tile.columns.map((name) => cell(name, row)))];
}
