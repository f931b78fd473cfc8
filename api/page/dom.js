// Helpers for the document, and numbers as people read them.

export const byId = (id) => document.getElementById(id);

/** Make an element; the names in `style` may be custom properties. */
export function element(tag, properties = {}, ...children) {
  const { style, ...others } = properties;
  const made = Object.assign(document.createElement(tag), others);
  for (const [name, value] of Object.entries(style ?? {})) made.style.setProperty(name, value);
  made.append(...children);
  return made;
}

/** A colour of page.css; it follows the light or dark scheme. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A share in words that never claim certainty. */
export const percent = (share) => (share > 0.995 ? "over 99 %" : share < 0.005 ? "under 1 %" : `${(100 * share).toFixed(0)} %`);

export const number = (value, digits = 4) => value.toLocaleString("en", { maximumSignificantDigits: digits });
