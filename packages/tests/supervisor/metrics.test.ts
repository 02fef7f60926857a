/** What /metrics is made of: the metrics of each worker, and one text of all of them. */
import { count, metric, observe, renderMetrics, set } from "@aegispay/runtime/metrics/Metrics";
import { mergeMetrics } from "@aegispay/runtime/metrics/prometheusText";
import { describe, expect, it } from "vitest";

const lines = (...text: ReadonlyArray<string>): string => `${text.join("\n")}\n`;

describe("merging the metrics of several processes", () => {
  it("names each family once and says of every sample whose it is", () => {
    const of = (taken: number) =>
      lines("# HELP a_total How many", "# TYPE a_total counter", `a_total ${taken}`, "# TYPE b gauge", "b 1");
    expect(
      mergeMetrics([
        { node: "node-1", text: of(3) },
        { node: "node-2", text: of(4) },
      ]),
    ).toBe(
      lines(
        "# HELP a_total How many",
        "# TYPE a_total counter",
        'a_total{node="node-1"} 3',
        'a_total{node="node-2"} 4',
        "# TYPE b gauge",
        'b{node="node-1"} 1',
        'b{node="node-2"} 1',
      ),
    );
  });

  it("keeps a histogram's buckets, sum and count in one family", () => {
    const text = lines(
      "# TYPE t_seconds histogram",
      't_seconds_bucket{le="0.5"} 1',
      't_seconds_bucket{le="+Inf"} 2',
      "t_seconds_sum 3.5",
      "t_seconds_count 2",
    );
    expect(
      mergeMetrics([
        { node: "a", text },
        { node: "b", text },
      ]),
    ).toBe(
      lines(
        "# TYPE t_seconds histogram",
        ...["a", "b"].flatMap((node) => [
          `t_seconds_bucket{node="${node}",le="0.5"} 1`,
          `t_seconds_bucket{node="${node}",le="+Inf"} 2`,
          `t_seconds_sum{node="${node}"} 3.5`,
          `t_seconds_count{node="${node}"} 2`,
        ]),
      ),
    );
  });

  it("does not take a counter for a part of a histogram because of its name", () => {
    const text = lines("# TYPE a counter", "a 1", "a_count 2");
    expect(mergeMetrics([{ node: "n", text }])).toBe(lines("# TYPE a counter", 'a{node="n"} 1', 'a_count{node="n"} 2'));
  });

  it("leaves the labels that are there, whatever their values hold", () => {
    const text = lines(
      String.raw`a{code="x} 1",why="say \"no\", node=\"z\" \\"} 7`,
      `b{reason="{",} 1 1700000000000`,
      "c{} NaN",
    );
    expect(mergeMetrics([{ node: "n", text }])).toBe(
      lines(
        String.raw`a{node="n",code="x} 1",why="say \"no\", node=\"z\" \\"} 7`,
        `b{node="n",reason="{",} 1 1700000000000`,
        'c{node="n"} NaN',
      ),
    );
  });

  it("lets a sample that names a node keep it, and gives none where there is none to give", () => {
    const restarts = 'restarts_total{node="node-2"} 1';
    expect(mergeMetrics([{ node: "primary", text: lines(restarts) }, { text: lines("up 2") }])).toBe(
      lines(restarts, "up 2"),
    );
    expect(mergeMetrics([{ node: "n", text: 'a{peer_node="m"} 1' }])).toBe(lines('a{node="n",peer_node="m"} 1'));
  });

  it("escapes the node's name", () => {
    expect(mergeMetrics([{ node: 'a"b\\c\nd', text: "up 1" }])).toBe(lines(String.raw`up{node="a\"b\\c\nd"} 1`));
  });

  it("leaves out what is no sample, families without one, and answers nothing for nothing", () => {
    expect(
      mergeMetrics([{ node: "n", text: lines("# HELP a A", "# TYPE a counter", "# a remark", "", "a{x=", "?") }]),
    ).toBe("");
    expect(mergeMetrics([])).toBe("");
  });

  it("takes the first of two descriptions of a family", () => {
    const texts = [
      { node: "a", text: lines("# HELP a Old", "# TYPE a counter", "a 1") },
      { node: "b", text: lines("# HELP a New", "# TYPE a gauge", "a 2") },
    ];
    expect(mergeMetrics(texts)).toBe(lines("# HELP a Old", "# TYPE a counter", 'a{node="a"} 1', 'a{node="b"} 2'));
  });
});

describe("the metrics of a process", () => {
  it("show what was counted, set and observed, by their labels", () => {
    count(metric.commits);
    count(metric.commits, 2);
    count(metric.commits, -5);
    count(metric.commandsTaken("due"));
    count(metric.gatewayCalls("simulator", "capture", "Unknown"), 4);
    set(metric.actorsLive, 9);
    set(metric.actorsLive, 7);
    observe(metric.handOverSeconds, 0.2);
    const text = renderMetrics();
    for (const line of [
      "# TYPE aegispay_commits_total counter",
      "aegispay_commits_total 3",
      'aegispay_commands_taken_total{source="due"} 1',
      'aegispay_gateway_calls_total{gateway="simulator",operation="capture",outcome="Unknown"} 4',
      "aegispay_actors_live 7",
      "# TYPE aegispay_hand_over_seconds histogram",
      'aegispay_hand_over_seconds_bucket{le="0.1"} 0',
      'aegispay_hand_over_seconds_bucket{le="0.25"} 1',
      'aegispay_hand_over_seconds_bucket{le="+Inf"} 1',
      "aegispay_hand_over_seconds_sum 0.2",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  it("show from the start what has no labels, or none but known ones", () => {
    const text = renderMetrics().split("\n");
    expect(text).toContain("aegispay_append_conflicts_total 0");
    expect(text).toContain('aegispay_commands_taken_total{source="internal"} 0');
    expect(text).toContain("aegispay_recovery_seconds_count 0");
  });

  it("have a help text each, and the unit of time in the name", () => {
    const text = renderMetrics();
    const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name, type }));
    for (const { name, type } of families) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} .+$`, "m"));
      expect(name).toMatch(
        type === "counter" ? /^aegispay_.+_total$/ : type === "histogram" ? /_seconds$/ : /^aegispay_/,
      );
    }
  });

  it("stop growing when a label turns out to have no end of values", () => {
    for (let index = 0; index < 1_000; index++) count(metric.parked(`code-${index}`));
    const series = renderMetrics().match(/^aegispay_parked_total\{.*$/gm)!;
    expect(series.length).toBeLessThanOrEqual(201);
    expect(series).toContain('aegispay_parked_total{code="other"} 800');
  });

  it("survive being merged as they are rendered", () => {
    const merged = mergeMetrics([{ text: renderMetrics() }]);
    expect(merged.split("\n").toSorted()).toEqual(renderMetrics().split("\n").toSorted());
  });
});
