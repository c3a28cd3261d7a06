/**
 * Where requests come from: a list (open loop), or clients that think, send, and wait for the answer (closed
 * loop). Ids count requests in order of arrival, ties by number of the client.
 */
import type { OracleInput } from "./interface.js";
import type { Sequence } from "./sequence.js";

export class Arrivals {
  /** Sent, or certain to be sent at `arrivedAt`; not yet known to the engine. */
  private readonly coming: { arrivedAt: number; request: Omit<Sequence, "id" | "arrivedAt"> }[] = [];
  /** How many requests of each client are coming or have come. */
  private readonly sent: number[];
  /** Due, or due later, and held back until there is a free place. */
  private readonly held: { arrivedAt: number; request: Omit<Sequence, "id" | "arrivedAt"> }[];
  /** Places for requests that are out, or certain to be next. */
  private free: number;
  private count = 0;
  private readonly overhead: number;

  constructor(private readonly input: OracleInput) {
    const { requests, clients = [] } = input;
    if (requests.length > 0 && clients.length > 0) throw new Error("oracle: requests or clients, not both");
    this.overhead = input.engine.overheadNs ?? 0;
    this.sent = clients.map(() => 0);
    this.held = requests.map(({ arrivedAt, ...lengths }) => ({ arrivedAt, request: unstarted(-1, lengths) }));
    this.free = input.maxConcurrency ?? Infinity;
    this.sendHeld(0);
    clients.forEach((_, client) => this.answered(client, 0));
  }

  /** The instant at which the engine next hears of a request. */
  get nextAt(): number {
    return Math.min(...this.coming.map(({ arrivedAt }) => arrivedAt + this.overhead));
  }

  /** The next request of those that the engine hears of at this instant, by id. */
  take(now: number): Sequence | undefined {
    // A stable sort: requests of one list stay in its order.
    this.coming.sort((a, b) => a.arrivedAt - b.arrivedAt || a.request.client - b.request.client);
    if (this.coming.length === 0 || this.nextAt > now) return undefined;
    const { arrivedAt, request } = this.coming.shift()!;
    return { id: this.count++, arrivedAt, ...request };
  }

  /** Every free place is the next request's, which is sent when it is due, or now if that is over. */
  private sendHeld(now: number): void {
    for (; this.free > 0 && this.held.length > 0; this.free -= 1) {
      const { arrivedAt, request } = this.held.shift()!;
      this.coming.push({ arrivedAt: Math.max(arrivedAt, now), request });
    }
  }

  /** The client has its answer at `now`: it thinks, and sends its next request if the horizon allows. */
  answered(client: number, now: number): void {
    if (client < 0) {
      this.free += 1;
      this.sendHeld(now);
      return;
    }
    const { thinkTimes, lengths } = this.input.clients![client]!;
    const next = this.sent[client]!;
    if (next >= thinkTimes.length || next >= lengths.length) return;
    const arrivedAt = now + thinkTimes[next]!;
    if (arrivedAt > (this.input.horizonNs ?? Infinity)) return;
    this.sent[client] = next + 1;
    this.coming.push({ arrivedAt, request: unstarted(client, lengths[next]!) });
  }
}

function unstarted(
  client: number,
  lengths: { promptTokens: number; outputTokens: number; prefixHitTokens?: number },
): Omit<Sequence, "id" | "arrivedAt"> {
  return {
    client,
    promptTokens: lengths.promptTokens,
    outputTokens: lengths.outputTokens,
    prefixHitTokens: lengths.prefixHitTokens ?? 0,
    state: "unstarted",
    computed: 0,
    toPrefill: lengths.promptTokens,
    inFlight: 0,
    decodesInFlight: 0,
    startedAt: NaN,
    prefillEndedAt: NaN,
    finishedAt: NaN,
    tokenAt: [],
    preemptedAt: [],
    replica: -1,
  };
}
