/**
 * A configuration's text, JSON or YAML 1.2, as a value whose every field knows where it stands. What is wrong with the
 * text itself is said without a piece of it: somebody may have put a key there.
 */
import {
  Alias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type ErrorCode,
  type Node,
  type YAMLError,
} from "yaml";

/** What is wrong, and where: the line and column count from 1. */
export interface ConfigurationProblem {
  readonly line: number;
  readonly column: number;
  /** Like `gateways[1].apiKey.env`; empty for the text as a whole. */
  readonly field: string;
  readonly message: string;
}

export type FieldPath = ReadonlyArray<PropertyKey>;

export interface ConfigurationText {
  readonly value: unknown;
  /** A problem of a field; of one that is missing it names the line of what it is missing in. */
  readonly problemAt: (path: FieldPath, message: string) => ConfigurationProblem;
}

/** Characters of a configuration: thousands of gateways and rules are not as many. */
export const textMax = 1_000_000;
/** How often YAML's aliases may repeat what they stand for: a few lines of them can mean more than fits into a memory. */
const aliasesMax = 100;

export const fieldName = (path: FieldPath): string =>
  path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const name = String(key);
      if (!/^[A-Za-z_][\w-]*$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");

interface Found {
  readonly node: unknown;
  /** Where it begins: of a field that is its key. */
  readonly offset: number;
}

const offsetOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

const childOf = (document: Document.Parsed, parent: unknown, key: PropertyKey): Found | undefined => {
  const node = parent instanceof Alias ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    const offset = offsetOf(item);
    return offset === undefined ? undefined : { node: item, offset };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(key));
  const offset = offsetOf(pair?.key);
  return pair === undefined || offset === undefined ? undefined : { node: pair.value, offset };
};

const whatIsWrong = (cause: unknown): string => {
  if (cause instanceof RangeError) return "it is nested too deeply";
  if (cause instanceof ReferenceError) return "its aliases stand for too much: write out what they repeat";
  return "it cannot be read as JSON or YAML";
};

/** Instead of the sentences in which the parser quotes the text. */
const instead: Partial<Record<ErrorCode, string>> = {
  TAG_RESOLVE_FAILED: "Unresolved tag",
  BAD_COLLECTION_TYPE: "A tag of another kind of value",
  BAD_DIRECTIVE: "Unknown directive",
  BAD_ALIAS: "An alias of nothing that stands before it",
  BAD_DQ_ESCAPE: "Invalid escape sequence",
};

/** What the parser says, without a piece of the text: it quotes behind a colon, and on further lines. */
const sentenceOf = ({ code, message }: YAMLError): string => {
  if (message.startsWith("Maximum call stack")) return whatIsWrong(new RangeError(message));
  const [said = ""] = message.split(code === "UNEXPECTED_TOKEN" ? /: |\n/ : "\n");
  return instead[code] ?? said;
};

const isEmpty = (contents: Node | null): boolean =>
  contents === null || (isScalar(contents) && contents.value === null);

/** The text as a value, or what keeps it from being one. */
export const readText = (text: string): ConfigurationText | ReadonlyArray<ConfigurationProblem> => {
  const whole = (message: string): ReadonlyArray<ConfigurationProblem> => [{ line: 1, column: 1, field: "", message }];
  if (text.length > textMax) {
    return whole(`it has ${text.length} characters, at most ${textMax} are read: is it the right file?`);
  }
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    // Warnings of the parser's own go to stderr, and quote the text.
    const options = { prettyErrors: false, stringKeys: true, logLevel: "error", version: "1.2" } as const;
    const document = parseDocument(text, { ...options, lineCounter: lines });
    const broken = [...document.errors, ...document.warnings];
    if (broken.length > 0) {
      return broken.map((error) => ({ ...at(error.pos[0]), field: "", message: sentenceOf(error) }));
    }
    if (isEmpty(document.contents)) {
      return whole('it is empty: it begins with "gateways", a list with at least one gateway');
    }
    return {
      value: document.toJS({ maxAliasCount: aliasesMax }) as unknown,
      problemAt: (path, message) => {
        let found: Found = { node: document.contents, offset: offsetOf(document.contents) ?? 0 };
        for (const key of path) {
          const child = childOf(document, found.node, key);
          if (child === undefined) break;
          found = child;
        }
        return { ...at(found.offset), field: fieldName(path), message };
      },
    };
  } catch (cause) {
    return whole(whatIsWrong(cause));
  }
};

export const isText = (read: ReturnType<typeof readText>): read is ConfigurationText => "problemAt" in read;

/** One line each, as compilers write them: `gateways.yaml:12:5: gateways[1].apiKey.env: expected …`. */
export const formatProblems = (file: string, problems: ReadonlyArray<ConfigurationProblem>): string =>
  problems
    .map(
      ({ line, column, field, message }) => `${file}:${line}:${column}: ${field === "" ? "" : `${field}: `}${message}`,
    )
    .join("\n");
