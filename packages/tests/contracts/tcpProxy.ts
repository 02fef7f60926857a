/**
 * A network between a client and its nats-server that fails to order. It can keep the server's answers to itself while
 * what the client sends still arrives, let only so many more bytes through to the server, keep back what holds a certain
 * text, and cut every connection.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { Effect, type Scope } from "effect";

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #swallowsAnswers = false;
  /** Bytes that still pass to the server; then every connection is cut. */
  #allowance = Number.POSITIVE_INFINITY;
  /** What holds this text reaches no server: the connection is cut instead. */
  #refused: string | undefined;

  constructor(upstreamPort: number) {
    this.#server = createServer((client) => this.#join(client, connect({ host: "127.0.0.1", port: upstreamPort })));
  }

  /** Answers the port it listens on. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        if (address === null || typeof address === "string") return reject(new Error("the proxy has no port"));
        resolve(address.port);
      });
    });
  }

  /**
   * From now on nothing comes back from the server. The connections that lived through it are good for nothing but to be
   * cut: a part of the stream is missing.
   */
  swallowAnswers(): void {
    this.#swallowsAnswers = true;
  }

  /** Lets so many more bytes through to the server, in the middle of a message if need be, then cuts. */
  cutAfter(bytes: number): void {
    this.#allowance = bytes;
  }

  /** Cuts every connection on which the client sends what holds this text, and keeps that back, until `cut`. */
  refuse(text: string): void {
    this.#refused = text;
  }

  /** Cuts every connection; new ones work. */
  cut(): void {
    this.#swallowsAnswers = false;
    this.#allowance = Number.POSITIVE_INFINITY;
    this.#refused = undefined;
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #join(client: Socket, upstream: Socket): void {
    const pair: Pair = { client, upstream };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on("data", (chunk: Buffer) => this.#toServer(pair, chunk));
    upstream.on("data", (chunk: Buffer) => {
      if (!this.#swallowsAnswers) client.write(chunk);
    });
    for (const socket of [client, upstream]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
  }

  #toServer(pair: Pair, chunk: Buffer): void {
    if (this.#refused !== undefined && chunk.includes(this.#refused)) return void pair.client.destroy();
    if (chunk.length <= this.#allowance) {
      this.#allowance -= chunk.length;
      pair.upstream.write(chunk);
      return;
    }
    const rest = chunk.subarray(0, this.#allowance);
    this.#allowance = 0;
    // The client learns of it at once; the server only after the last bytes that it is to get.
    pair.client.destroy();
    pair.upstream.end(rest, () => this.cut());
  }
}

export const tcpProxy = (
  upstreamPort: number,
): Effect.Effect<{ readonly proxy: TcpProxy; readonly url: string }, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const proxy = new TcpProxy(upstreamPort);
      return { proxy, url: `nats://127.0.0.1:${await proxy.listen()}` };
    }),
    ({ proxy }) => Effect.promise(() => proxy.close()),
  );
