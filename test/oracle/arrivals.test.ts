/** Closed loops, overhead and service times against cases worked out by hand. */
import { expect, it } from "vitest";
import type { OracleShape } from "./oracle.js";
import { inMs, lines, MS, run, type Row } from "./running.js";

const ask = { promptTokens: 1, outputTokens: 1 };
const client = (...thinkMs: number[]): { thinkTimes: number[]; lengths: (typeof ask)[] } => {
  return { thinkTimes: thinkMs.map((think) => think * MS), lengths: thinkMs.map(() => ask) };
};

it("closed loop: the next request comes one think time after the answer, ids by arrival, ties by client", () => {
  // 10 ms an iteration. Both at 0. Both answered at 10: client 1 asks at once (id 2), client 0 at 15 (id 3, served
  // from 20 to 30). Client 0's last at 30 (id 4).
  const clients = [client(0, 5, 0), client(0, 0)];
  const output = run([], { clients });
  expect(output.requests.map((request) => request.client)).toEqual([0, 1, 1, 0, 0]);
  expect(inMs(output.requests.map(({ arrivedAt }) => arrivedAt))).toEqual([0, 0, 10, 15, 30]);
  expect(lines(output)).toEqual(["0-10 p0:1 p1:1", "10-20 p2:1", "20-30 p3:1", "30-40 p4:1"]);
  // Nothing is sent after the horizon; what is sent at it is.
  expect(run([], { clients, horizonNs: 15 * MS }).requests).toHaveLength(4);
  expect(run([], { clients, horizonNs: 15 * MS - 1 }).requests).toHaveLength(3);
});

it("closed loop: answers of one instant, think time 0: ids by client", () => {
  const output = run([], { clients: [client(3, 0), client(0, 0), client(3, 0)] });
  // 1 at 0-10; 0 and 2 (both at 3) and 1 again (10) run 10-20 as ids 1, 2, 3; then 0 and 2 at 20.
  expect(output.requests.map((request) => request.client)).toEqual([1, 0, 2, 1, 0, 2]);
  // Not in the order of the answers: 1 (id 1) and 0 (id 2) are served 10-20, and both ask again at 20.
  const crossed = run([], { clients: [client(2, 0), client(1, 0), client(0)] });
  expect(crossed.requests.map((request) => request.client)).toEqual([2, 1, 0, 0, 1]);
});

it("closed loop: a rejection is an answer", () => {
  const clients = [{ thinkTimes: [1 * MS, 2 * MS], lengths: [{ promptTokens: 99, outputTokens: 1 }, ask] }];
  const output = run([], { clients, engine: { kvTokens: 64 } });
  expect(output.rejected).toBe(1);
  expect(inMs(output.requests.map(({ arrivedAt }) => arrivedAt))).toEqual([1, 3]);
});

it("overhead: the engine hears of a request that much later", () => {
  const output = run([[2, 5, 2]], { engine: { overheadNs: 3 * MS } });
  expect(lines(output)).toEqual(["5-15 p0:5", "15-25 d0"]);
  expect(output.requests[0]).toMatchObject({ arrivedAt: 2 * MS, startedAt: 5 * MS, firstTokenAt: 15 * MS });
  // The answer is not delayed: client 0 asks again at 13 + 1.
  const loop = run([], { clients: [client(0, 1)], engine: { overheadNs: 3 * MS } });
  expect(inMs(loop.requests.map(({ arrivedAt }) => arrivedAt))).toEqual([0, 14]);
  expect(lines(loop)).toEqual(["3-13 p0:1", "17-27 p1:1"]);
});

it("iteration times: every term", () => {
  // h .5, c 10, a1 .1, a 1, b0 4, f 2, k .01, km .02. 0 (6 tokens, B = 4): b = 6: 10.5 + .4 + 2 = 12.9. Decodes at
  // 6 and 7 cached tokens: 10.5 + .1 + 2*.01*6 = 10.72 -> 23.62, and 10.74 -> 34.36. 1 (2 tokens) arrived at 30: mixed
  // with the decode at 8 cached: b = 3: 10.5 + .3 + 2*.03*8 = 11.28 -> 45.64. A chunk reads no KV.
  const service = { hMs: 0.5, a1Ms: 0.1, aMs: 1, b0: 4, f: 2, kMs: 0.01, kmMs: 0.02 };
  const rows: Row[] = [
    [0, 6, 4],
    [30, 2, 1],
  ];
  const output = run(rows, { service });
  expect(output.iterations.map(({ endAt }) => endAt)).toEqual([12.9e6, 23.62e6, 34.36e6, 45.64e6]);
  expect(output.iterations.map(({ sumKv }) => sumKv)).toEqual([0, 6, 7, 8]);
  // max: the dearer side: prefill 10.7, decode 10.5 + .1 + 2*.01*8 = 10.76.
  const scheduler = { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" } as const;
  const max = run(rows, { service, scheduler, conventions: { mixedBatch: "max" } });
  expect(max.iterations.at(-1)!.endAt).toBe(45.12e6);
});

it("a service-time model of one's own sees sumKv and what each chunk's sequence had computed", () => {
  const shapes: OracleShape[] = [];
  const price = (shape: OracleShape): number => {
    shapes.push(shape);
    return 10 * MS;
  };
  // Chunk 4: 0 (6 tokens, B = 3), 1 (3 tokens, B = 2, of which it computes all).
  const rows: Row[] = [
    [0, 6, 3],
    [0, 3, 3],
  ];
  run(rows, { price, engine: { chunkSize: 4 } });
  const chunk = (tokens: number, cached: number): OracleShape["chunks"][number] => ({ tokens, cached });
  expect(shapes).toEqual([
    { decodes: 0, sumKv: 0, chunks: [chunk(4, 0), chunk(3, 0)] },
    { decodes: 1, sumKv: 3, chunks: [chunk(2, 4)] },
    { decodes: 2, sumKv: 6 + 4, chunks: [] },
    { decodes: 1, sumKv: 7, chunks: [] },
  ]);
});
