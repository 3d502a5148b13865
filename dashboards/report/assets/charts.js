// Charts: what Plotly is given for each kind of tile, in the colours of the theme.

const RISING = { low: 0, medium: 1, high: 5, unknown: 7 };
const RFM = { 1: 2, 2: 0, 3: 1, 4: 3, 5: 7 };
let palette = {};

const root = document.documentElement;
const isDark = () => (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
function readPalette() {
  const style = getComputedStyle(root), value = (name) => style.getPropertyValue(name).trim();
  palette = {
    text: value('--text'), soft: value('--soft'), line: value('--line'), low: value('--scale-low'), high: value('--scale-high'),
    series: Array.from({ length: 8 }, (_, place) => value(`--series-${place}`)),
  };
}

// A value keeps its colour whatever else is filtered away.
function colourOf(tile, value, place, found) {
  if (tile.series === 'risk_band') return palette.series[RISING[value] ?? 7];
  const group = found.find((one) => one.series === value);
  if (tile.series && about.columns[tile.series].order === 'segment') return palette.series[RFM[group.rank[1]] ?? 7];
  if (tile.series) {
    const words = tables[tile.view].columns[tile.series].words ?? [], known = Object.keys(about.words.values[tile.series] ?? {});
    const at = known.includes(value) ? known.indexOf(value) : words.indexOf(value);
    return palette.series[value === 'UNKNOWN' ? 7 : Math.max(at, 0) % 7];
  }
  return palette.series[tile.measures.length > 1 && place === 1 ? 5 : place % 8];
}

// Round steps between two values: at most `most` ticks.
function ticks(low, high, most = 5) {
  const span = high - low || Math.abs(high) || 1, raw = span / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) found.push(at * step || 0);
  return { found, step };
}

// Beside a bar: short, without the unit that stands above.
function label(value, kind) {
  return kind === 'amount' || kind === 'count' ? compact(value) : kind === 'milliseconds' ? number(value) : shown(value, kind);
}

function tickText(value, step, kind) {
  if (kind === 'percent') {
    const decimals = step >= 0.01 ? 0 : step >= 0.001 ? 1 : 2;
    return percent(value, decimals);
  }
  const told = kind === 'per_myriad' ? value * 10000 : value;
  if (kind === 'milliseconds') return `${number(told)} ms`;
  if (Math.abs(told) < 10000) return format('NumberFormat', { maximumFractionDigits: 2 }, told);
  return format('NumberFormat', { notation: 'compact', maximumSignificantDigits: 3 }, told);
}

// The axis of values: from zero, but for lines of rates, whose movements would not be seen.
function valueAxis(values, measure, { fromZero = true, stretch = 1.05, most = 5 } = {}) {
  const known = values.filter((one) => !isMissing(one));
  const greatest = Math.max(...known, 0), least = Math.min(...known, greatest);
  const margin = (greatest - least || greatest || 1) * 0.1;
  const low = fromZero ? Math.min(0, least) : Math.max(0, least - margin);
  const high = fromZero ? (greatest || 1) * stretch : measure.format === 'percent' ? Math.min(1, greatest + margin) : greatest + margin;
  const { found, step } = ticks(low, high, most);
  return { range: [low, high], tickvals: found, ticktext: found.map((one) => tickText(one, step, measure.format)) };
}

// Days from one point to the next; of a single one, those of its bucket.
const unitOfTime = (days, grain) =>
  days.length > 1 ? Math.min(...days.slice(1).map((day, at) => day - days[at])) : { month: 30, week: 7, day: 1 }[grain];

function timeAxis(days, grain, width) {
  const first = days[0], last = days[days.length - 1], most = Math.max(2, Math.floor(width / 85));
  const step = Math.max(1, Math.ceil(days.length / most));
  // Of few years a year is said where it changes.
  const picked = days.filter((_, place) => place % step === 0);
  let year = null;
  const text = picked.map((day) => {
    const now = new Date(day * DAY_MS).getUTCFullYear(), said = now !== year;
    year = now;
    const short = grain === 'month' ? date(day, { month: 'short' }) : ordinal(date(day, { day: 'numeric', month: 'short' }));
    return said ? `${short}<br>${now}` : short;
  });
  const half = unitOfTime(days, grain) * (days.length < 4 ? 1.5 : 0.5);
  return { tickvals: picked, ticktext: text, range: [first - half, last + half] };
}

// Whether a point lacks days of its week or month.
function partOf(day, grain) {
  const whole = bucketEnd(day, grain) - day;
  const part = Math.min(bucketEnd(day, grain) - 1, choice.until) - Math.max(day, choice.since) + 1;
  return part < whole ? { part, whole } : null;
}

const axis = () => ({
  color: palette.soft, gridcolor: palette.line, linecolor: palette.line, zerolinecolor: palette.line, fixedrange: true,
  automargin: true, ticks: '', tickfont: { size: 12 },
});
function look(height, more) {
  return {
    height, autosize: true, margin: { t: 8, r: 12, b: 30, l: 40 }, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: 'system-ui, sans-serif', size: 12, color: palette.text }, showlegend: false, hovermode: 'closest', bargap: 0.25,
    hoverlabel: { bgcolor: palette.text, bordercolor: palette.text, font: { color: isDark() ? '#111418' : '#ffffff', size: 13 }, align: 'left' },
    dragmode: false, ...more,
  };
}

// Lines and columns: { traces, layout, legend }; `at` says how the points of a name are placed and told.
function seriesOf(tile, found) {
  const several = tile.measures.length > 1;
  const names = several ? tile.measures.map((_, place) => place) : tile.series ? sides(tile, found, 'series') : [''];
  return names.map((name, place) => ({
    title: several ? said(tile.measures[place].title) : tile.series ? called(tile.series, name) : said(tile.measures[0].title),
    measure: tile.measures[several ? place : 0],
    colour: colourOf(tile, name, place, found),
    points: new Map(found.filter((one) => several || one.series === name).map((one) => [one.by, one.values[several ? place : 0]])),
  }));
}

function hover(tile, series, by, name, value, currency, extra = '') {
  const title = series.length > 1 ? `${name.title}: ` : '';
  return `<b>${bySide(tile, by)}</b><br>${title}${shown(value, name.measure.format, currency)}${extra}`;
}
const isTime = (tile) => about.columns[tile.by].type === 'date';
function grainOn(tile) {
  const { holds } = about.views[tile.view];
  return holds === 'day' ? grainOf(choice) : holds === 'month' ? 'month' : 'day';
}
const bySide = (tile, by) => (isTime(tile) ? bucketName(by, grainOn(tile)) : called(tile.by, by));

function overTime(tile, found, currency, height, width) {
  const grain = grainOn(tile), days = sides(tile, found, 'by').sort((one, other) => one - other), series = seriesOf(tile, found);
  const ofDays = about.views[tile.view].holds === 'day', isLine = tile.kind === 'line', stacked = tile.kind === 'stacked_bar';
  const isRate = tile.measures[0].aggregation !== 'sum';
  const parts = new Map(days.map((day) => [day, ofDays ? partOf(day, grain) : null]));
  const told = (name) => days.map((day) => {
    const part = parts.get(day);
    return hover(tile, series, day, name, name.points.get(day), currency, part ? `<br>${word('days_of', part)}` : '');
  });
  const traces = series.flatMap((name) => {
    const values = days.map((day) => name.points.get(day) ?? (isRate ? null : 0));
    const base = { x: days, y: values, name: name.title, hovertext: told(name), hoverinfo: 'text' };
    if (!isLine) return [{ ...base, type: 'bar', width: unitOfTime(days, grain) * (stacked || series.length === 1 ? 0.75 : 0.75 / series.length), marker: { color: name.colour, opacity: days.map((day) => (parts.get(day) ? 0.5 : 1)) } }];
    const line = { type: 'scatter', cliponaxis: false, mode: days.length > 40 ? 'lines' : 'lines+markers', line: { color: name.colour, width: 2.2 }, marker: { size: 5, color: name.colour } };
    const isPart = days.map((day) => !isRate && Boolean(parts.get(day)));
    if (!isPart.some(Boolean)) return [{ ...base, ...line }];
    // What lacks days is dotted: a fall that is none.
    const near = isPart.map((part, place) => part || isPart[place - 1] || isPart[place + 1]);
    return [
      { ...base, ...line, y: values.map((one, place) => (isPart[place] ? null : one)) },
      { ...base, ...line, y: values.map((one, place) => (near[place] ? one : null)), line: { ...line.line, dash: 'dot' } },
    ];
  });
  const sums = stacked ? days.map((day) => series.reduce((sum, one) => sum + (one.points.get(day) ?? 0), 0)) : series.flatMap((one) => [...one.points.values()]);
  const layout = look(height, {
    barmode: stacked ? 'stack' : 'group',
    xaxis: { ...axis(), ...timeAxis(days, grain, width), showgrid: false },
    yaxis: { ...axis(), ...valueAxis(sums, tile.measures[0], { fromZero: !(isLine && isRate) }) },
  });
  return { traces, layout, series, isPartial: ofDays && [...parts.values()].some(Boolean) && !(isLine && isRate) };
}

// Bars by name: lying where they are ranked, for names are long.
function byName(tile, found, currency, height, width) {
  const series = seriesOf(tile, found), lying = Boolean(tile.sort), stacked = tile.kind === 'stacked_bar';
  let names = sides(tile, found, 'by');
  if (lying) names = names.filter((name) => !isMissing(series[0].points.get(name))).sort((one, other) => series[0].points.get(one) - series[0].points.get(other));
  const text = names.map((name) => called(tile.by, name)), wrapped = text.map((one) => (lying || one.length < 10 ? one : one.replace(' ', '<br>')));
  const labelled = !stacked && (lying || series.length * names.length * 62 < width);
  const traces = series.map((name) => {
    const values = names.map((one) => name.points.get(one) ?? (stacked ? 0 : null));
    const labels = values.map((one) => (isMissing(one) ? '' : label(one, name.measure.format)));
    const hovers = names.map((one, place) => hover(tile, series, one, name, values[place], currency));
    const base = { type: 'bar', name: name.title, marker: { color: name.colour }, hovertext: hovers, hoverinfo: 'text' };
    const told = labelled ? { text: labels, textposition: 'outside', cliponaxis: false, textfont: { color: palette.text, size: 12 } } : {};
    return lying ? { ...base, ...told, x: values, y: wrapped, orientation: 'h' } : { ...base, ...told, x: wrapped, y: values };
  });
  const sums = stacked ? names.map((one) => series.reduce((sum, each) => sum + (each.points.get(one) ?? 0), 0)) : series.flatMap((one) => [...one.points.values()]);
  // Room for the label behind the longest bar, whatever the width.
  const room = Math.max(80, width - 7 * Math.max(...text.map((one) => one.length)) - 30);
  const values = { ...axis(), ...valueAxis(sums, tile.measures[0], { stretch: lying ? 1 / (1 - Math.min(0.5, 52 / room)) : 1.12, most: lying ? Math.max(2, Math.floor(width / 140)) : 5 }) };
  const kinds = { ...axis(), showgrid: false, type: 'category', tickfont: { size: 12, color: palette.text } };
  return { traces, series, layout: look(height, { barmode: stacked ? 'stack' : 'group', ...(lying ? { xaxis: values, yaxis: kinds } : { xaxis: kinds, yaxis: values }) }) };
}

function heatMap(tile, found, currency, height, width) {
  const isMatrix = tile.kind === 'matrix', measure = tile.measures[0];
  // Every hour and day has its cell, also without a row.
  const across = isMatrix ? sides(tile, found, 'by') : Array.from({ length: 24 }, (_, hour) => hour);
  const down = isMatrix ? sides(tile, found, 'series') : [1, 2, 3, 4, 5, 6, 7];
  const at = new Map(found.map((one) => [`${one.by}\t${one.series}`, one.values]));
  const cells = down.map((row) => across.map((one) => at.get(`${one}\t${row}`) ?? null));
  const value = (cell) => (cell ? cell[0] : isMatrix || tile.measures.length ? 0 : null);
  const rows = cells.map((row) => row.reduce((sum, cell) => sum + value(cell), 0));
  const z = cells.map((row, place) => row.map((cell) => (isMatrix ? (rows[place] ? value(cell) / rows[place] : 0) : value(cell))));
  const told = cells.map((row, line) => row.map((cell, place) => {
    const where = isMatrix
      ? `${called(tile.series, down[line])} → ${called(tile.by, across[place])}`
      : `${date(3 + down[line], { weekday: 'long' })}, ${across[place]}–${across[place] + 1} h`;
    const figures = tile.measures.map((one, index) => `${said(one.title)}: ${shown(cell?.[index] ?? (index ? null : 0), one.format, currency)}`);
    if (isMatrix) figures.push(word('share_of_row', { share: shown(z[line][place], 'percent') }));
    return `<b>${where}</b><br>${figures.join('<br>')}`;
  }));
  const wrapped = (one) => (width < 480 ? one.replace(' ', '<br>') : one);
  const trace = {
    type: 'heatmap', x: across.map((one) => (isMatrix ? wrapped(called(tile.by, one)) : one)), y: down.map((one) => called(tile.series, one)), z,
    hovertext: told, hoverinfo: 'text', xgap: 2, ygap: 2, colorscale: [[0, palette.low], [1, palette.high]], showscale: !isMatrix,
    colorbar: { thickness: 10, outlinewidth: 0, tickfont: { color: palette.soft }, nticks: 5 }, zmin: 0,
  };
  if (!isMatrix) {
    const greatest = Math.max(...z.flat(), 1), { found: steps, step } = ticks(0, greatest, 4);
    Object.assign(trace, { zmax: greatest, colorbar: { ...trace.colorbar, tickvals: steps.filter(Number.isInteger), ticktext: steps.filter(Number.isInteger).map((one) => tickText(one, step, measure.format)) } });
  } else {
    Object.assign(trace, { zmax: 1, text: cells.map((row) => row.map((cell) => number(value(cell)))), texttemplate: '%{text}' });
  }
  const layout = look(height, {
    xaxis: { ...axis(), showgrid: false, ...(isMatrix ? { side: 'bottom', title: { text: said(about.columns[tile.by]), font: { size: 12 } } } : { tickvals: [0, 3, 6, 9, 12, 15, 18, 21], title: { text: word('hour_axis'), font: { size: 12 } } }) },
    yaxis: { ...axis(), showgrid: false, autorange: 'reversed', type: 'category', ...(isMatrix ? { title: { text: said(about.columns[tile.series]), font: { size: 12 } } } : {}) },
  });
  layout.margin.b = 40;
  return { traces: [trace], layout, series: [] };
}

function chartOf(tile, found, currency, height, width) {
  if (tile.kind === 'heat_map' || tile.kind === 'matrix') return heatMap(tile, found, currency, height, width);
  return isTime(tile) ? overTime(tile, found, currency, height, width) : byName(tile, found, currency, height, width);
}
