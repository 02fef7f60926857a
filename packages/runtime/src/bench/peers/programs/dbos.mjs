/**
 * DBOS: a workflow whose id is the payment's, the charge as a step. PostgreSQL stores the workflow with its input before
 * it runs, the step's output before the workflow goes on, and the workflow's output before the caller is answered.
 */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { charge, options, serve, settled } from "./payment.mjs";

const pay = DBOS.registerWorkflow(
  async (create) => settled(create, await DBOS.runStep(() => charge(create), { name: "charge" })),
  { name: "pay" },
);

DBOS.setConfig({
  name: "aegispay-bench",
  applicationVersion: "1",
  systemDatabaseUrl: options.postgres,
  systemDatabasePoolSize: options.connections,
  logLevel: "warn",
});
await DBOS.launch();

serve(async (create) => {
  const handle = await DBOS.startWorkflow(pay, { workflowID: create.paymentId })(create);
  return handle.getResult();
});
