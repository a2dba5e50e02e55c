// The words of the page's script: layout.html renders them from the catalogue of all texts.
const texts = JSON.parse(document.getElementById('texts')?.textContent ?? '{}');

// `values` fill the places that are written {name}.
export function text(name, values = {}) {
  return texts[name].replaceAll(/\{(\w+)\}/g, (_, place) => values[place]);
}
