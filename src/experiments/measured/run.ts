/**
 * A measured run of a serving engine, as a benchmark client and the engine's own request metrics tell it: when each
 * request arrived, how long it was, and when the engine picked it up, gave its first token and its last.
 */
import { Issues } from "../../core/issues.js";
import type { InputFile } from "../interface/experiment.js";

/** One request of the run. Instants are in seconds: arrivals on one clock, the other three on another. */
export interface MeasuredRequest {
  readonly id: string;
  /** The line of the file where it stands. */
  readonly line: number;
  readonly arrivedAt: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Prompt tokens that the prefix cache held. */
  readonly hitTokens: number;
  readonly queuedAt: number;
  readonly firstTokenAt: number;
  readonly lastTokenAt: number;
}

/** The files of a run; the last one may be missing. */
export const RUN_FILES = ["requests.jsonl", "meta.json", "prefix_hits.csv"];
/** Names of the column of hits: LLMServingSim's examples, and the short form. */
const HIT_COLUMNS = ["prefix_hit_tokens", "tokens"];

const MOST_TOKENS = 2_147_483_647;
const MOST_SECONDS = 1e12;
/** 46 days: the clock of a simulation ends after 104. */
const MOST_SPAN = 4_000_000;

/** Problems of a run, by file and line. */
class Problems {
  private readonly issues: Issues;

  constructor(folder: string) {
    this.issues = new Issues(folder);
  }

  add(file: string, message: string): void {
    this.issues.add(() => ({ key: file, message: `${file}${message}` }));
  }

  throwAny(): void {
    this.issues.refuse();
  }
}

const shown = (value: unknown): string =>
  value === undefined || value === null
    ? "nothing"
    : (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 40);

/** The file of a run by its name. */
export const fileOf = (inputs: readonly InputFile[], name: string): InputFile | undefined =>
  inputs.find(({ file }) => file.replace(/^.*[/\\]/, "") === name);

/**
 * The requests of a run in the order of their arrival.
 * @throws ConfigError with every problem of its files, by file and line
 */
export function readRequests(inputs: readonly InputFile[], folder: string): MeasuredRequest[] {
  const problems = new Problems(folder);
  for (const name of RUN_FILES.slice(0, 2))
    if (!fileOf(inputs, name))
      problems.add(folder, `: missing ${name} (a measured run has ${RUN_FILES.slice(0, 2).join(" and ")})`);
  problems.throwAny();
  const input = fileOf(inputs, RUN_FILES[0])!;
  const requests = input.rows.map((row, i) => requestOf(row, input.file, input.lines[i], problems));
  const byId = new Map<string, MeasuredRequest>();
  for (const request of requests) {
    const earlier = byId.get(request.id);
    if (earlier && request.id !== "")
      problems.add(
        input.file,
        `:${request.line}: duplicate request_id: ${request.id} (line ${earlier.line} has it)`,
      );
    byId.set(request.id, request);
  }
  const instants = requests.map(({ arrivedAt }) => arrivedAt).filter((at) => !Number.isNaN(at));
  const last = instants.reduce((most, at) => Math.max(most, at), -Infinity);
  const span = last - instants.reduce((least, at) => Math.min(least, at), Infinity);
  if (span > MOST_SPAN)
    problems.add(
      input.file,
      `: invalid arrival_time: ${Math.round(span)} s from the first to the last (seconds, at most ${MOST_SPAN})`,
    );
  // The first request is left out of the comparison: its times are those of a cold engine.
  if (requests.length < 2)
    problems.add(input.file, `: too few requests: ${requests.length} (at least 2: the first is a warm-up)`);
  problems.throwAny();
  const hits = hitsOf(fileOf(inputs, RUN_FILES[2]), byId, problems);
  problems.throwAny();
  return requests
    .map((request) => ({ ...request, hitTokens: hits.get(request.id) ?? 0 }))
    .sort((a, b) => a.arrivedAt - b.arrivedAt || a.line - b.line);
}

function requestOf(
  row: Readonly<Record<string, unknown>>,
  file: string,
  line: number,
  problems: Problems,
): MeasuredRequest {
  const refuse = (key: string, allowed: string): void =>
    problems.add(file, `:${line}: invalid ${key}: ${shown(row[key])} (${allowed})`);
  const count = (key: string): number => {
    const value = row[key];
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST_TOKENS)
      return value;
    refuse(key, `an integer at least 1 and at most ${MOST_TOKENS}`);
    return NaN;
  };
  const instant = (key: string, least = 0, after = ""): number => {
    const value = row[key];
    if (typeof value === "number" && value >= least && value <= MOST_SECONDS) return value;
    const isEarly = typeof value === "number" && value >= 0 && value < least;
    refuse(key, isEarly ? `seconds, at least ${after} ${least}` : `seconds, at most ${MOST_SECONDS}`);
    return NaN;
  };
  const id = row.request_id;
  const isNamed = (typeof id === "string" && id !== "") || typeof id === "number";
  if (!isNamed) refuse("request_id", "a text");
  const queuedAt = instant("queued_ts");
  const firstTokenAt = instant("first_token_ts", queuedAt || 0, "queued_ts");
  return {
    id: isNamed ? String(id) : "",
    line,
    arrivedAt: instant("arrival_time"),
    promptTokens: count("input_toks"),
    outputTokens: count("output_toks"),
    hitTokens: 0,
    queuedAt,
    firstTokenAt,
    lastTokenAt: instant("last_token_ts", firstTokenAt || 0, "first_token_ts"),
  };
}

/** Prefix hits by request; none without the file. */
function hitsOf(
  input: InputFile | undefined,
  requests: ReadonlyMap<string, MeasuredRequest>,
  problems: Problems,
): ReadonlyMap<string, number> {
  const hits = new Map<string, number>();
  if (!input) return hits;
  const { file, columns, rows, lines } = input;
  const column = HIT_COLUMNS.find((name) => columns.includes(name));
  if (column === undefined || !columns.includes("request_id")) {
    problems.add(
      file,
      `:1: missing column: ${column === undefined ? HIT_COLUMNS[0] : "request_id"} (it has: ${columns.join(", ")})`,
    );
    return hits;
  }
  rows.forEach((row, i) => {
    const id = String(row.request_id ?? "");
    const request = requests.get(id);
    const tokens = row[column];
    if (!request)
      problems.add(file, `:${lines[i]}: unknown request_id: ${id || "nothing"} (one of ${RUN_FILES[0]})`);
    else if (hits.has(id)) problems.add(file, `:${lines[i]}: duplicate request_id: ${id}`);
    else if (typeof tokens === "number" && Number.isInteger(tokens) && tokens >= 0) {
      if (tokens > request.promptTokens)
        problems.add(
          file,
          `:${lines[i]}: invalid ${column}: ${tokens} (at most the prompt's ${request.promptTokens} tokens)`,
        );
      hits.set(id, tokens);
    } else problems.add(file, `:${lines[i]}: invalid ${column}: ${shown(tokens)} (an integer at least 0)`);
  });
  return hits;
}
