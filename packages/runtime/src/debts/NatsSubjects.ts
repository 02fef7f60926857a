/**
 * The subjects that a stream holds messages of, page by page. By hand, because the client's `streams.info` gathers all
 * pages in memory before it answers (@nats-io/jetstream 3.4.0, jsmstream_api.js). No consumer: a work queue allows none
 * beside its owners'.
 */
import { Effect } from "effect";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";

/** How long one page may take, in milliseconds: a server sorts up to 100,000 subjects for it. */
const pageTimeoutMillis = 30_000;

interface StreamInfoPage {
  readonly error?: { readonly description: string };
  readonly total?: number;
  readonly state: { readonly subjects?: Readonly<Record<string, number>> };
}

/**
 * Calls back with every subject that the filter matches. Within a page it is one moment; a stream that changes between
 * two pages may have one subject shown twice or left out.
 */
export const listSubjects = Effect.fnUntraced(function* (
  stream: string,
  filter: string,
  see: (subject: string) => void,
) {
  const { connection } = yield* Nats;
  for (let offset = 0; ;) {
    const page = yield* natsRequest(`listing the subjects of stream ${stream}`, async () => {
      const request = JSON.stringify({ subjects_filter: filter, offset });
      const answer = await connection.request(`$JS.API.STREAM.INFO.${stream}`, request, { timeout: pageTimeoutMillis });
      const info = answer.json<StreamInfoPage>();
      if (info.error !== undefined) throw new Error(info.error.description);
      return info;
    });
    const subjects = Object.keys(page.state.subjects ?? {});
    for (const subject of subjects) see(subject);
    offset += subjects.length;
    if (subjects.length === 0 || offset >= (page.total ?? 0)) return;
  }
});
