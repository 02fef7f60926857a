/** What a node group's primary says over HTTP. */

export interface Readiness {
  readonly status: number;
  readonly ready: boolean;
  readonly nats: boolean;
  readonly workers: { readonly up: number; readonly expected: number };
  readonly nodes: ReadonlyArray<{
    readonly node: string;
    readonly pid: number;
    readonly serving: boolean;
    readonly connected: boolean;
    readonly wanted: number;
    readonly served: number;
  }>;
}

export const readReadiness = async (http: string): Promise<Readiness> => {
  const response = await fetch(`${http}/readyz`);
  return { status: response.status, ...((await response.json()) as Omit<Readiness, "status">) };
};

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*)\})? (\S+)$/;

/** The samples of `/metrics`; throws where a line is none of the format, or a family is not in one piece. */
export const readMetrics = async (http: string): Promise<ReadonlyArray<Sample>> => {
  const response = await fetch(`${http}/metrics`);
  const contentType = response.headers.get("content-type");
  if (contentType !== "text/plain; version=0.0.4; charset=utf-8") throw new Error(`content-type ${contentType}`);
  const types = new Set<string>();
  let family = "";
  return (await response.text())
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => {
      const [, kind, described] = /^# (HELP|TYPE) (\S+) .+$/.exec(line) ?? [];
      if (kind === "HELP") return [];
      if (described !== undefined) {
        if (types.has(described)) throw new Error(`${described} is described twice`);
        types.add(described);
        family = described;
        return [];
      }
      const [, name, labels = "", value] = sampleLine.exec(line) ?? [];
      if (name === undefined || !name.startsWith(family)) throw new Error(`after ${family}: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
      return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
    });
};

export const sumOf = (samples: ReadonlyArray<Sample>, name: string, labels: Readonly<Record<string, string>> = {}) =>
  samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
