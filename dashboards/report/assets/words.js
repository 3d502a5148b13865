// Words, numbers and days in the language of the reader.

const about = JSON.parse(document.getElementById('about').textContent);
const LOCALES = { en: 'en-GB', fr: 'fr-FR' };
const DAY_MS = 86400000;
let language = about.language;

const said = (text) => text[language];
const dayOf = (text) => Math.round(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
const isoDay = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);

function word(name, values = {}) {
  return said(about.words.ui[name]).replace(/\{(\w+)\}/g, (_, one) => values[one]);
}

const formats = new Map();
function format(kind, options, value) {
  const key = language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl[kind](LOCALES[language], options));
  return formats.get(key).format(value);
}

const number = (value, decimals = 0) =>
  format('NumberFormat', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }, value);
const compact = (value, digits = 3) =>
  Math.abs(value) < 10000
    ? number(value, Math.abs(value) < 100 && !Number.isInteger(value) ? (Math.abs(value) < 1 ? 2 : 1) : 0)
    : format('NumberFormat', { notation: 'compact', minimumSignificantDigits: digits, maximumSignificantDigits: digits }, value);

const date = (day, options) => format('DateTimeFormat', { timeZone: 'UTC', ...options }, new Date(day * DAY_MS));
// In French the first day of a month is an ordinal, which Intl does not know.
const ordinal = (text) => (language === 'fr' ? text.replace(/^1 /, '1er ') : text);
const longDay = (day) => ordinal(date(day, { day: 'numeric', month: 'short', year: 'numeric' }));
const monthName = (day) => date(day, { month: 'long', year: 'numeric' });
const moment = (text) =>
  format('DateTimeFormat', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }, new Date(text)) + ' UTC';
const bucketName = (day, grain) =>
  grain === 'month' ? monthName(day) : grain === 'week' ? word('week_of', { day: longDay(day) }) : longDay(day);

const isMoney = (measure) => [measure.column, measure.over].some((one) => one && about.columns[one].type === 'amount');
const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

// A value of a measure, whole or short; amounts with their currency.
function shown(value, kind, currency = '', short = false) {
  if (isMissing(value)) return '–';
  switch (kind) {
    case 'amount': return `${amount(value, currency, short)} ${currency}`.trim();
    case 'percent': return percent(value, Math.abs(value) < 0.1 ? 2 : 1);
    case 'per_myriad': return number(value * 10000, 1);
    case 'milliseconds': return value >= 10000 ? `${number(value / 1000, 1)} s` : `${number(value)} ms`;
    case 'days': case 'decimal': return number(value, 1);
    default: return short && Math.abs(value) >= 1e7 ? compact(value, 4) : number(value);
  }
}

const percent = (value, decimals) =>
  format('NumberFormat', { style: 'percent', minimumFractionDigits: decimals, maximumFractionDigits: decimals }, value);
const amount = (value, currency, short = false) => (isMissing(value) ? '–' : short ? compact(value) : number(value, cents(currency)));

function cents(currency) {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  } catch {
    return 2;
  }
}

// What a value of a column is called: countries and days by the browser, the rest by words.toml or as it stands.
function called(name, value) {
  if (isMissing(value) || value === '') return '–';
  if (about.columns[name].type === 'date') return longDay(value);
  if (name === 'day_of_week') return date(3 + value, { weekday: 'short' });
  if (name === 'hour') return String(value);
  const known = about.words.values[name]?.[value];
  if (known) return said(known);
  if (value === 'UNKNOWN') return word('unknown');
  if (name === 'country_code') {
    try {
      return new Intl.DisplayNames([LOCALES[language]], { type: 'region' }).of(value);
    } catch {
      return value;
    }
  }
  return String(value);
}

// The column with the same in the language of the reader.
const spoken = (name) => (language === 'fr' && about.columns[name].in_french) || name;
