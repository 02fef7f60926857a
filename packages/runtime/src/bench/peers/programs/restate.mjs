/**
 * Restate: a virtual object keyed by the payment, the charge in `ctx.run`, the outcome in the object's state. The server
 * stores the invocation with its body before this handler sees it, and the run's result before the handler goes on.
 */
import * as restate from "@restatedev/restate-sdk";
import { charge, ready, settled } from "./payment.mjs";

const payment = restate.object({
  name: "payment",
  handlers: {
    create: async (ctx, create) => {
      const known = await ctx.get("payment");
      if (known !== null) return known;
      const command = { ...create, paymentId: ctx.key };
      const gatewayTransactionId = await ctx.run("charge", () => charge(command));
      const outcome = settled(command, gatewayTransactionId);
      ctx.set("payment", outcome);
      return outcome;
    },
  },
});

ready(await restate.serve({ services: [payment], port: 0 }));
