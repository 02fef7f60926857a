/**
 * The text format of Prometheus (0.0.4), as far as the metrics of several processes are merged into one answer: a family is
 * named once, with one HELP and one TYPE, and holds the samples of all of them, each saying whose it is.
 */

export interface MetricsText {
  /** Whose metrics these are; without it the samples stay as they are. */
  readonly node?: string;
  readonly text: string;
}

interface Family {
  help?: string;
  type?: string;
  readonly samples: Array<string>;
}

/** What stands between the quotes of a label. */
export const escapeLabelValue = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const comment = /^# (HELP|TYPE) ([A-Za-z_:][\w:]*)(?: (.*))?$/;
/** A label's value may hold any brace, comma or escaped quote: only whole labels tell where the labels end. */
const sample = /^([A-Za-z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?( .+)$/;
const label = /([A-Za-z_]\w*)\s*=\s*"(?:[^"\\]|\\.)*"/g;

/** What the samples of a histogram and of a summary have behind the name of their family. */
const suffixes: Readonly<Record<string, ReadonlyArray<string>>> = {
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["_sum", "_count"],
};

const familyOf = (name: string, families: ReadonlyMap<string, Family>): string => {
  if (families.has(name)) return name;
  const suffix = /_(?:bucket|sum|count)$/.exec(name)?.[0];
  if (suffix === undefined) return name;
  const base = name.slice(0, -suffix.length);
  return suffixes[families.get(base)?.type ?? ""]?.includes(suffix) === true ? base : name;
};

/** A sample that names a node already is about that one, whoever tells it. */
const withNode = (labels: string, node: string | undefined): string => {
  const isNamed = [...labels.matchAll(label)].some(([, name]) => name === "node");
  if (node === undefined || isNamed) return labels;
  const own = `node="${escapeLabelValue(node)}"`;
  return labels.trim() === "" ? own : `${own},${labels}`;
};

/**
 * One text of several. Families come in the order in which they are first named; of two HELPs or TYPEs the first counts
 * (workers of two versions, in the middle of a rolling restart). A line that is none of the format is left out: one bad
 * line would cost the scraper all the others.
 */
export const mergeMetrics = (texts: ReadonlyArray<MetricsText>): string => {
  const families = new Map<string, Family>();
  const family = (name: string): Family => {
    const known = families.get(name);
    if (known !== undefined) return known;
    const made: Family = { samples: [] };
    families.set(name, made);
    return made;
  };
  for (const { node, text } of texts) {
    for (const line of text.split("\n")) {
      const [, kind, described, what = ""] = comment.exec(line) ?? [];
      if (described !== undefined) {
        if (kind === "HELP") family(described).help ??= what;
        else family(described).type ??= what;
        continue;
      }
      const [, name, labels = "", value] = line.startsWith("#") ? [] : (sample.exec(line) ?? []);
      if (name === undefined) continue;
      const named = withNode(labels, node);
      family(familyOf(name, families)).samples.push(`${name}${named === "" ? "" : `{${named}}`}${value}`);
    }
  }
  const lines = [...families]
    .filter(([, { samples }]) => samples.length > 0)
    .flatMap(([name, { help, type, samples }]) => [
      ...(help === undefined ? [] : [`# HELP ${name} ${help}`]),
      ...(type === undefined ? [] : [`# TYPE ${name} ${type}`]),
      ...samples,
    ]);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
};
