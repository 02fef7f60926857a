/** Fields that the configurations of several gateways share. */
import { Schema } from "effect";
import { ResilienceConfig } from "./Resilience.ts";

/** Names and accounts stand in events and metrics for ever: short, and plain enough to be a label. */
export const Label = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/, { expected: "1 to 64 letters, digits, _ or -" }),
);

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);

const withoutQuery = ({ search, hash }: URL): string | undefined =>
  search === "" && hash === "" ? undefined : "a gateway's url has no query and no fragment";

/** Where a real gateway is: its keys travel over TLS only, except to a stand-in on this very machine. */
export const SecureUrl = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const url = URL.parse(text);
    if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
      return "a gateway's url begins with https://";
    if (url.username !== "" || url.password !== "") return "a gateway's url holds no user and no password";
    if (url.protocol === "http:" && !isLoopback(url.hostname)) return "a gateway's url begins with https://";
    return withoutQuery(url);
  }),
);

export const SimulatorUrl = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const url = URL.parse(text);
    return url?.protocol === "http:" ? withoutQuery(url) : "the simulator's url is like http://127.0.0.1:8081";
  }),
);

/** Where customers come back to. */
export const ReturnUrl = Schema.String.check(
  Schema.makeFilter((text: string) =>
    URL.parse(text) === null || text.length > 1024 ? "a returnUrl is a URL of at most 1024 characters" : undefined,
  ),
);

/** Text that is never empty, and has a bound. */
export const shortText = (name: string, max: number) =>
  Schema.String.check(
    Schema.makeFilter((text: string) =>
      text.length >= 1 && text.length <= max ? undefined : `${name} has 1 to ${max} characters`,
    ),
  );

export const oneDayMillis = 86_400_000;

/** A whole number of milliseconds, or of anything else, with its bounds. */
export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }));

export const callFields = {
  /** 1 to 600000, default 10000: a gateway that thinks longer than that is asked again by a look-up instead. */
  timeoutMillis: Schema.optionalKey(between(1, 600_000)),
  /** Requests under way at once, of each process: 1 to 10000. */
  maxConnections: Schema.optionalKey(between(1, 10_000)),
  /** Retries, breaker, rate, calls at once: what surrounds the calls (docs/resilience.md). Default: the guide's knobs. */
  resilience: Schema.optionalKey(ResilienceConfig),
};

/** Where an adapter calls, without the slash at its end. */
export const addressOf = (url: string): { readonly origin: string; readonly basePath: string } => {
  const { origin, pathname } = new URL(url);
  return { origin, basePath: pathname.replace(/\/+$/, "") };
};
