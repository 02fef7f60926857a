import { connect as tcp } from "node:net";
import { Effect } from "effect";
import { jetstream } from "@nats-io/jetstream";
import { AegisClient, layerAegisClient } from "@aegispay/runtime/client";
import { startDeployment } from "./scratch-dep.ts";
import { ask, createBody, publish, query } from "./support/plainClient.ts";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
const log = (...a: unknown[]) => console.log(new Date().toISOString().slice(11, 23), ...a);
const d = await startDeployment();
const c = d.connection;
const tryAsk = async (cmd: any, ms = 5000) => { try { const r = await ask(c, cmd, ms); return r.ok ? `ok ${r.payment?.state} replayed=${r.replayed}` : `refused ${r.error?.code}`; } catch (e) { return "NO ANSWER: " + (e as Error).message; } };
const raw = (subject: string, headerBlock: string, body: string) => new Promise<void>((resolve) => {
  const u = new URL(d.natsUrl); const s = tcp(Number(u.port), u.hostname);
  const h = Buffer.from(headerBlock); const b = Buffer.from(body);
  s.once("data", () => { s.write('CONNECT {"verbose":false,"headers":true}\r\n'); s.write(Buffer.concat([Buffer.from(`HPUB ${subject} ${h.length} ${h.length + b.length}\r\n`), h, b, Buffer.from("\r\nPING\r\n")])); setTimeout(() => { s.destroy(); resolve(); }, 300); });
});
const grepDisk = (text: string) => readdirSync(d.dataDir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile() && readFileSync(join(f.parentPath, f.name), "latin1").includes(text)).map((f) => join(f.parentPath, f.name).slice(d.dataDir.length));
try {
  log("baseline", await tryAsk({ payment: "base", body: createBody() }));
  const [w] = await d.workers();
  const rev = async () => (await d.manager.streams.info("KV_payments_leases")).state.last_seq;
  const consumersNow = async () => { const out: string[] = []; for await (const ci of d.manager.consumers.list("PAYMENTS_COMMANDS")) if (ci.num_ack_pending) out.push(`${ci.name}:${ci.num_ack_pending}`); return out.join(" "); };
  const names = async () => { const out: string[] = []; for await (const ci of d.manager.consumers.list("PAYMENTS_COMMANDS")) out.push(ci.name); return out.slice(0,3).join(" "); };
  let r0 = await rev(); while ((await rev()) === r0) await sleep(10); await sleep(200);
  log("just renewed; consumers", await names());
  await publish(c, { payment: "t4slow", body: createBody("tok_slow") }); await sleep(300);
  process.kill(w!.pid, "SIGSTOP"); log("T4 frozen", w!.pid);
  for (let i = 0; i < 40; i++) await publish(c, { payment: `t4-${i}`, body: createBody() });
  await sleep(7700);
  process.kill(w!.pid, "SIGCONT"); log("T4 thawed");
  await sleep(12000);
  log("T4 12s later: queued", (await d.manager.streams.info("PAYMENTS_COMMANDS")).state.messages, "ack pending", await consumersNow(), "| consumers", await names());
  log("T4 a client that waits for t4-0's shard:", await tryAsk({ payment: "t4-0", body: createBody() }));
  for (const p of ["t4slow", "t4-1", "t4-39"]) log("T4", p, JSON.stringify(await query(c, p, "get").catch((e) => String(e))).slice(0, 130));
  log(readFileSync(join(d.dataDir, "nats/server.log"), "utf8").split("\n").filter((l) => /WRN|ERR|closed|slow/i.test(l)).slice(-10).join("\n"));
  // T1
  log("T1 before", await tryAsk({ payment: "t1", body: createBody() }));
  await raw("payments.command.shop.t1.create", "NATS/1.0\r\nbad name: x\r\n\r\n", JSON.stringify(createBody()));
  await sleep(500);
  log("T1 after the malformed header, same shard:", await tryAsk({ payment: "t1", body: createBody() }, 10000));
  log("T1 other shards:", await Promise.all(["o1","o2","o3"].map((p) => tryAsk({ payment: p, body: createBody() }, 3000))));
  process.kill((await d.workers())[0]!.pid, "SIGKILL"); await sleep(5000);
  log("T1 after respawn, same shard:", await tryAsk({ payment: "t1", body: createBody() }, 6000), (await fetch(d.http + "/readyz")).status);
} catch (e) { log("FAILED", e); }
console.log(d.output().split("\n").slice(-15).join("\n"));
await d.stop();
