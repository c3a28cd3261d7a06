/** Closed loops on the command line: what is simulated and said, what is left empty, and what is refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { parseCsv } from "../../../src/io/csv.js";
import { listing, llmsim, test } from "../session.js";

const LONG = process.env.LLMSIM_LONG === "1";
const LOOP = "--arrivals closed --clients 6 --think 2 --tmax 60 --ntrials 2 --workers 0 --quiet";

test("run: the header says the loop, no rate is made up, and each request has its client", async ({
  folder,
}) => {
  const { code, stdout, stderr } = await llmsim(`run ${LOOP} --scheduler hybrid --requests requests.csv`, {
    cwd: folder,
  });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("arrivals closed clients 6 thinkSeconds 2 think exponential;");
  expect(stdout).not.toMatch(/NaN|stability|did not keep up|load:/);
  const { columns, rows } = parseCsv(readFileSync(join(folder, "requests.csv"), "utf8"), {
    file: "requests.csv",
  });
  expect(columns.at(-1)).toBe("client");
  expect(new Set(rows.map((row) => row.client))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  // One request of a client at a time.
  for (let client = 0; client < 6; client++) {
    const mine = rows.filter((row) => row.client === client);
    expect(mine.length).toBeGreaterThan(5);
    mine
      .slice(1)
      .forEach((row, i) => expect(Number(row.arrived_at_s)).toBeGreaterThan(Number(mine[i]!.finished_at_s)));
  }
});

test("more clients than any policy can serve: from how many on they wait", async ({ folder: cwd }) => {
  const { stdout } = await llmsim(`run ${LOOP.replace(/--clients \d+/, "--clients 90")} --scheduler hybrid`, {
    cwd,
  });
  // Any policy: 7.38007 per s; a lone request takes 1.7339 s.
  expect(stdout).toContain("no policy serves more than 7.380 per s, and 28 clients that never wait");
});

describe.each(["sweep-time", "sweep-chunk --sizes 8,64", "hybrid --scenario demo2 --npoints 3"])(
  "%s",
  (command) => {
    test("takes a loop: columns of λ are empty, all else is there", async ({ folder }) => {
      const { code, stdout, stderr } = await llmsim(`${command} ${LOOP}`, { cwd: folder });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).not.toMatch(/NaN|--lam/);
      const tables = listing(folder).filter((name) => name.endsWith(".csv"));
      expect(tables.length).toBeGreaterThan(0);
      for (const name of tables) {
        const { rows } = parseCsv(readFileSync(join(folder, name), "utf8"), { file: name });
        for (const row of rows) {
          expect(row.lambda_qps ?? null).toBe(null);
          expect(Number(row.throughput_qps)).toBeGreaterThan(0);
        }
      }
      // The same charts once more, from the tables: of one command on a push.
      if (LONG || command === "sweep-time")
        expect((await llmsim("plot --quiet", { cwd: folder })).code).toBe(0);
    });
  },
);

test("as keys of the configuration, and in JSON", async ({ folder: cwd }) => {
  const keys = ["kind=closed", "clients=3", "thinkSeconds=1", "think=deterministic"];
  const { code, stdout } = await llmsim(
    `run --tmax 60 --ntrials 1 --workers 0 --json --quiet ${keys.map((key) => `--set workload.arrivals.${key}`).join(" ")}`,
    { cwd },
  );
  expect(code).toBe(0);
  const { results } = JSON.parse(stdout) as {
    results: { lambda_qps: unknown; metrics: Record<string, { mean: number }> }[];
  };
  for (const { lambda_qps, metrics } of results) {
    expect(lambda_qps).toBe(null);
    // No client is faster than its think time.
    expect(metrics.throughput_qps!.mean).toBeGreaterThan(0.3);
    expect(metrics.throughput_qps!.mean).toBeLessThan(3);
  }
});

test("refused, with what is allowed and nothing written", async ({ folder: cwd }) => {
  const closed = "--arrivals closed --clients 3 --think 1";
  const cases: [argv: string, problems: string[]][] = [
    [
      "run --arrivals closed",
      ["missing workload.arrivals.clients", "missing workload.arrivals.thinkSeconds"],
    ],
    [
      "run --arrivals closed --clients 0 --think -1",
      [
        "invalid --clients: 0 (an integer at least 1 and at most 100000)",
        "invalid --think: -1 (a number at least 0 and at most 1000000)",
      ],
    ],
    ["run --clients 3", ["unknown key: workload.arrivals.clients (poisson has: kind, ratePerSecond)"]],
    [`run ${closed} --lam 3`, ["unknown key: workload.arrivals.ratePerSecond (closed has: kind, clients,"]],
    [`stability ${closed}`, ["(stability varies λ, and a closed loop has none: its clients wait"]],
    [`run ${closed} --trace mine.csv`, ["--clients contradicts --trace", "--think contradicts --trace"]],
    [
      "run --arrivals closed --clients 100000 --think 0 --tmax 5000000 --num-gpus 100",
      ["too many requests: about"],
    ],
  ];
  for (const [argv, problems] of cases) {
    const { code, stdout, stderr } = await llmsim(argv, { cwd });
    expect([argv, code, stdout]).toEqual([argv, 2, ""]);
    for (const problem of problems) expect(stderr).toContain(problem);
  }
  expect(listing(cwd)).toEqual([]);
});
