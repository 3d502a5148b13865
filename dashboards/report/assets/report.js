// The page: head, tabs, filters, four pages of tiles.

const place = document.getElementById('report');
const cards = new Map();
let current = '', printing = false;

function select(name, values, value, change, label = word(name)) {
  const options = values.map(([key, text]) => element('option', { value: key, selected: key === value }, text));
  return element('label', {}, element('span', {}, label), element('select', { id: `filter-${name}`, onchange: (event) => change(event.target.value) }, ...options));
}

function dayInput(name) {
  const take = (event) => {
    const day = event.target.value && dayOf(event.target.value);
    if (!day) return;
    const kept = Math.min(Math.max(day, bounds.since), bounds.until);
    const other = name === 'since' ? 'until' : 'since', ordered = name === 'since' ? Math.max(kept, choice.until) : Math.min(kept, choice.since);
    choose({ preset: 'own', [name]: kept, [other]: ordered });
  };
  const { since, until } = bounds;
  return element('label', {}, element('span', {}, word(name)),
    element('input', { type: 'date', id: `filter-${name}`, value: isoDay(choice[name]), min: isoDay(since), max: isoDay(until), onchange: take }));
}

function filters() {
  const periods = [...Object.keys(PRESETS), ...(choice.preset === 'own' ? ['own'] : [])].map((one) => [one, word(one)]);
  const lists = Object.entries(LISTS).map(([filter, column]) => {
    const options = choices(filter).map((one) => [one, called(column, one)]), every = ['', word(`every_${filter}`)];
    return select(filter, filter === 'currency' ? [...options, every] : [every, ...options], choice[filter], (value) => choose({ [filter]: value }));
  });
  return element('form', { class: 'filters', 'aria-label': word('filters'), onsubmit: (event) => event.preventDefault() },
    select('period', periods, choice.preset, (value) => value !== 'own' && choose(preset(value))), dayInput('since'), dayInput('until'), ...lists,
    element('button', { type: 'button', id: 'reset', onclick: () => { choice = firstChoice(); build(); focusOn('reset'); } }, word('reset')));
}

const focusOn = (id) => document.getElementById(id)?.focus();

function choose(some) {
  const focused = document.activeElement?.id;
  Object.assign(choice, some);
  build();
  if (focused) focusOn(focused);
}

// The choice in words: paper has no lists to look at.
function chosenInWords() {
  const lists = Object.entries(LISTS).map(([filter, column]) => (choice[filter] ? called(column, choice[filter]) : word(`every_${filter}`)));
  return [`${longDay(choice.since)} – ${longDay(choice.until)}`, ...lists].join(' · ');
}

function aboutCurrency() {
  if (!about.present.transactions || !Object.keys(transactionsByCurrency(bounds)).length) return '';
  if (!choice.currency) return word('all_currencies');
  const counts = transactionsByCurrency(choice), all = Object.values(counts).reduce((sum, one) => sum + one, 0);
  return word('one_currency', { currency: choice.currency, share: shown(all ? (counts[choice.currency] ?? 0) / all : null, 'percent') });
}

function head() {
  const { refreshed_at: refreshed, read_at: read, until, stale } = about;
  const fresh = [until ? word('data_until', { day: longDay(dayOf(until)) }) : word('no_data'), refreshed ? word('refreshed', { moment: moment(refreshed) }) : word('never_refreshed'), word('written', { moment: moment(read) })];
  const button = (id, text, act) => element('button', { type: 'button', id, onclick: act }, text);
  const toggle = () => { root.dataset.theme = isDark() ? 'light' : 'dark'; build(); focusOn('theme'); };
  const turn = () => { language = language === 'en' ? 'fr' : 'en'; root.lang = language; build(); focusOn('language'); };
  return element('header', {},
    element('div', { class: 'masthead' }, element('h1', {}, 'Cauri'), element('p', { class: 'fresh' }, fresh.join(' · ')),
      element('div', { class: 'buttons' }, button('language', word('other_language'), turn), button('theme', word(isDark() ? 'light' : 'dark'), toggle), button('print', word('print'), () => window.print()))),
    stale.length && about.present.transactions
      ? element('p', { class: 'stale', role: 'status' }, word('stale', { views: stale.join(', ') }), ' ', command('uv run cauri refresh'), ' ', word('then_again')) : null,
    tabs());
}

function tabs() {
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], { pages } = about;
    if (!step) return;
    const at = pages.findIndex((page) => page.id === current), next = pages[(at + step + pages.length) % pages.length].id;
    location.hash = next;
    show(next);
    focusOn(`tab-${next}`);
  };
  return element('nav', { 'aria-label': word('dashboards') }, element('div', { class: 'tabs', role: 'tablist', onkeydown: move },
    ...about.pages.map((page) => element('a', {
      role: 'tab', id: `tab-${page.id}`, href: `#${page.id}`, 'aria-controls': `page-${page.id}`,
      'aria-selected': String(page.id === current), tabindex: page.id === current ? '0' : '-1',
    }, said(page.title)))));
}

// What is missing on a page, with the command that gets it.
function lacks(page) {
  const each = page.tiles.map((tile) => missing(about.views[tile.view])), names = [...new Set(each.flat())];
  if (!names.length) return [null, false];
  const all = each.every((one) => one.length > 0);
  const items = names.map((name) => element('li', {}, said(about.words.missing[name]), ' ', command(about.words.missing[name].command)));
  return [element('div', { class: 'lacks' }, element('h3', {}, word(all ? 'missing_title' : 'partly_title')), element('ul', {}, ...items)), all];
}

function pageElement(page) {
  const [box, isEmpty] = lacks(page);
  const grid = element('div', { class: 'grid' });
  if (!isEmpty) {
    for (const tile of page.tiles) {
      const card = tileElement(tile);
      cards.set(tile.id, card);
      grid.append(card);
    }
  }
  return element('div', { class: 'page', id: `page-${page.id}`, role: 'tabpanel', 'aria-labelledby': `tab-${page.id}`, hidden: page.id !== current },
    element('h2', {}, said(page.title)), element('p', { class: 'about' }, said(page.about)), box, isEmpty ? null : grid);
}

// Pages whose charts are as the choice and the theme want them.
const drawn = new Set();
function drawPage(page) {
  if (drawn.has(page.id)) return;
  drawn.add(page.id);
  for (const tile of page.tiles) if (cards.has(tile.id)) draw(tile, cards.get(tile.id));
}

function build() {
  remembered.clear();
  drawn.clear();
  readPalette();
  cards.clear();
  const chosen = about.present.transactions && about.until ? [filters(), element('p', { class: 'chosen' }, chosenInWords()), element('p', { class: 'currency' }, aboutCurrency())] : [];
  place.replaceChildren(head(), element('main', {}, ...chosen, ...about.pages.map(pageElement)));
  show(current, false);
}

function show(id, scrolls = true) {
  const page = about.pages.find((one) => one.id === id) ?? about.pages[0];
  current = page.id;
  for (const one of about.pages) {
    document.getElementById(`page-${one.id}`).hidden = one !== page;
    const tab = document.getElementById(`tab-${one.id}`);
    tab.setAttribute('aria-selected', String(one === page));
    tab.tabIndex = one === page ? 0 : -1;
  }
  const known = filtersOf(page);
  for (const one of Object.keys(LISTS)) {
    const control = document.getElementById(`filter-${one}`);
    if (control) control.disabled = !known.includes(one);
  }
  const sentence = document.querySelector('.currency');
  if (sentence) sentence.hidden = !known.includes('currency');
  document.title = `${said(page.title)} · Cauri`;
  if (scrolls) window.scrollTo(0, 0);
  drawPage(page);
}

// On paper stand all four pages, in the light theme; charts are drawn for its width.
function toPaper() {
  if (printing) return;
  printing = { theme: root.dataset.theme };
  root.dataset.theme = 'light';
  root.classList.add('paper');
  readPalette();
  for (const page of about.pages) document.getElementById(`page-${page.id}`).hidden = false;
  drawn.clear();
  about.pages.forEach(drawPage);
}
function fromPaper() {
  if (!printing) return;
  if (printing.theme) root.dataset.theme = printing.theme;
  else delete root.dataset.theme;
  root.classList.remove('paper');
  printing = false;
  build();
}

async function start() {
  root.lang = language;
  place.textContent = word('loading');
  try {
    tables = await unpacked('rows');
    document.body.append(element('script', {}, new TextDecoder().decode(await inflated('plotly'))));
  } catch (error) {
    place.textContent = word('failed');
    throw error;
  }
  choice = firstChoice();
  current = about.pages.some((page) => `#${page.id}` === location.hash) ? location.hash.slice(1) : about.pages[0].id;
  build();
  window.addEventListener('hashchange', () => show(location.hash.slice(1)));
  window.addEventListener('beforeprint', toPaper);
  window.addEventListener('afterprint', fromPaper);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => printing || build());
  root.dataset.ready = 'true';
}
start();
