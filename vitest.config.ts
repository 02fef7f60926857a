const tests = "packages/tests/**";
const ofKind = (kind: string) => `${tests}/*.${kind}.test.ts`;

/**
 * Three groups, one after the other. Plain tests share both cores. Integration tests start nats-servers, which need a
 * core themselves, so no more than two files at once. Chaos tests kill processes and measure what happens next: nothing
 * else may run beside them.
 */
export default {
  test: {
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "plain",
          include: [`${tests}/*.test.ts`],
          exclude: [ofKind("integration"), ofKind("chaos"), "**/node_modules/**"],
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: [ofKind("integration")],
          exclude: ["**/node_modules/**"],
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "chaos",
          include: [ofKind("chaos")],
          exclude: ["**/node_modules/**"],
          testTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
};
