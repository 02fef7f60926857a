/** Text for HTML and SVG, with nothing in it taken for markup. */

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escapeText = (text: string | number): string =>
  String(text).replaceAll(/[&<>"]/g, (character) => entities[character]!);

export type Attributes = Readonly<Record<string, string | number>>;

/** `content` is markup already. */
export const element = (name: string, attributes: Attributes, content = ""): string => {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(value)}"`);
  return `<${name}${pairs.join("")}>${content}</${name}>`;
};
