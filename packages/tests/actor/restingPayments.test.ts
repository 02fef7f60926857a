import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { RestingPayments } from "@aegispay/runtime/actor/RestingPayments";
import { emptyPosition } from "@aegispay/runtime/log/replay";
import { describe, expect, it } from "vitest";

const addresses = makeAddressBook("payments");
const resting = (shard: number) => ({
  shard,
  position: emptyPosition(addresses, { merchant: "shop", paymentId: `p${shard}` }),
});

describe("payments at rest", () => {
  it("are given back once", () => {
    const payments = new RestingPayments(4);
    payments.put("shop/a", resting(1));
    expect(payments.take("shop/a")).toEqual(resting(1));
    expect(payments.take("shop/a")).toBeUndefined();
  });

  it("are bounded: the latest half at least is there, never more than the whole", () => {
    const payments = new RestingPayments(10);
    for (let index = 0; index < 1_000; index++) payments.put(`shop/${index}`, resting(index % 16));
    const kept = Array.from({ length: 1_000 }, (_, index) => index).filter((index) => payments.take(`shop/${index}`));
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(kept).toEqual(expect.arrayContaining([995, 996, 997, 998, 999]));
  });

  it("are given back as they were put last", () => {
    const payments = new RestingPayments(2);
    payments.put("shop/a", resting(1));
    payments.put("shop/b", resting(2));
    payments.put("shop/a", resting(3));
    expect(payments.take("shop/a")?.shard).toBe(3);
    expect(payments.take("shop/a")).toBeUndefined();
  });

  it("go with their shard", () => {
    const payments = new RestingPayments(4);
    payments.put("shop/a", resting(1));
    payments.put("shop/b", resting(2));
    payments.put("shop/c", resting(1));
    payments.dropShard(1);
    expect(["a", "b", "c"].map((id) => payments.take(`shop/${id}`)?.shard)).toEqual([undefined, 2, undefined]);
  });
});
