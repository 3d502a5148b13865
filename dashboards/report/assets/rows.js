// Rows of the views, as packing.py packs them.

async function inflated(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// View -> { rows, columns }. Of text the values are places in `words`, -1 for none; of the others numbers, NaN for none.
async function unpacked(id) {
  const bytes = await inflated(id);
  const end = bytes.indexOf(10);
  const tables = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  let place = end + 1;
  for (const table of Object.values(tables)) {
    const columns = {};
    for (const head of table.columns) {
      const size = table.rows * head.width;
      columns[head.name] = { ...head, values: column(head, table.rows, bytes.subarray(place, place + size)) };
      place += size;
    }
    table.columns = columns;
  }
  return tables;
}

function column({ width, least = 0, gaps = false, words, scale = 1 }, rows, bytes) {
  const values = new Float64Array(rows);
  for (let plane = width - 1; plane >= 0; plane--) {
    for (let row = 0; row < rows; row++) values[row] = values[row] * 256 + bytes[plane * rows + row];
  }
  for (let row = 0; row < rows; row++) {
    if (gaps && values[row] === 0) values[row] = words ? -1 : NaN;
    else values[row] = (values[row] + least - (gaps ? 1 : 0)) / (words ? 1 : scale);
  }
  return values;
}
