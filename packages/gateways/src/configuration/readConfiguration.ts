/**
 * From a configuration's text to the configuration, or to all that is wrong with it, each with its line and its field.
 * Pure: whether the secrets that it names are there is another question (`secretsMissing`).
 */
import { Effect, Result, Schema, SchemaAST, SchemaIssue } from "effect";
import { adapterOf, GatewaysConfig } from "../GatewaysConfig.ts";
import {
  fieldName,
  isText,
  readText,
  type ConfigurationProblem,
  type ConfigurationText,
  type FieldPath,
} from "./ConfigurationText.ts";

export interface ReadConfiguration {
  readonly config: GatewaysConfig;
  /** A problem of one of its fields that only a look outside of the text shows. */
  readonly problemAt: ConfigurationText["problemAt"];
}

const decode = Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error", errors: "all" });

/** What may stand there instead of a field that means nothing. */
const fieldsOf = (ast: SchemaAST.AST): string =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)).join(", ") : "";

const noSuchField = "there is no such field";

const sentence = (issue: SchemaIssue.Leaf): string => {
  if (issue._tag === "MissingKey") return "is missing";
  if (issue._tag !== "UnexpectedKey") return SchemaIssue.defaultLeafHook(issue);
  const fields = fieldsOf(issue.ast);
  return `${noSuchField}${fields === "" ? "" : `; there are: ${fields}`}`;
};

const format = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook: sentence });

const valueAt = (value: unknown, path: FieldPath): unknown =>
  path.reduce<unknown>(
    (within, key) =>
      typeof within === "object" && within !== null ? (within as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );

/** An entry whose `type` chooses what else it has is wrong in its `type`, where it has one. */
const blamed = (value: unknown, path: FieldPath, message: string): FieldPath => {
  const entry = valueAt(value, path);
  const hasType = typeof entry === "object" && entry !== null && Object.hasOwn(entry, "type");
  return message.includes('whose "type"') && hasType ? [...path, "type"] : path;
};

const lowerFirst = (message: string): string => message.replace(/^Expected /, "expected ");

/** An entry that is missing is one of a list that must not be empty. */
const worded = (path: FieldPath, message: string): string =>
  typeof path.at(-1) === "number" && message === "is missing"
    ? "is missing: the list has an entry at least"
    : lowerFirst(message);

/** A misspelt name is shown; what stands in the place of one may be a key that was pasted there. */
const isShown = (name: PropertyKey | undefined): boolean => typeof name !== "string" || /^[A-Za-z_-]{1,24}$/.test(name);

const withoutPasted = (path: FieldPath, message: string, problem: ConfigurationProblem): ConfigurationProblem =>
  message.startsWith(noSuchField) && !isShown(path.at(-1))
    ? { ...problem, field: fieldName([...path.slice(0, -1), "not shown"]) }
    : problem;

const byPlace = (one: ConfigurationProblem, other: ConfigurationProblem): number =>
  one.line - other.line || one.column - other.column;

export const readConfiguration = (
  text: string,
): Result.Result<ReadConfiguration, ReadonlyArray<ConfigurationProblem>> => {
  const read = readText(text);
  if (!isText(read)) return Result.fail(read);
  const { value, problemAt } = read;
  const decoded = decode(value);
  if (Result.isSuccess(decoded)) return Result.succeed({ config: decoded.success, problemAt });
  const { issues } = format(decoded.failure.issue);
  const problems = issues.map(({ path, message }) => {
    const keys = (path ?? []) as FieldPath;
    return withoutPasted(keys, message, problemAt(blamed(value, keys, message), worded(keys, message)));
  });
  return Result.fail(problems.toSorted(byPlace));
};

/** `webhookSecrets[0]` as a path. */
const pathOf = (field = ""): FieldPath =>
  field
    .split(/[.[\]]+/)
    .filter((key) => key !== "")
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));

/** What keeps gateways from being made of a configuration that is well-formed: secrets that are not there. */
export const secretsMissing = ({
  config,
  problemAt,
}: ReadConfiguration): Effect.Effect<ReadonlyArray<ConfigurationProblem>> =>
  Effect.gen(function* () {
    const problems: Array<ConfigurationProblem> = [];
    for (const [index, entry] of config.gateways.entries()) {
      const made = yield* Effect.result(Effect.scoped(adapterOf(entry).make(entry)));
      if (Result.isFailure(made)) {
        const { field, message } = made.failure;
        problems.push(problemAt(["gateways", index, ...pathOf(field), "env"], message));
      }
    }
    return problems;
  });
