/**
 * vLLM's own scheduling, to the nanosecond: by request every admission, preemption, prefix hit, first token and finish;
 * by iteration its composition, start, end, decode and prefill tokens, admissions and preemptions. Both engines, under
 * the version that each result is of. `LLMSIM_VLLM_CASES=DIR` adds a folder of cases.
 */
import { describe, expect, it } from "vitest";
import { byEngine, byOracle, type Account } from "./accounts.js";
import { expectationsOf, FURTHER_CASES, omitted, vllmCases, type Expectation } from "./vllm-cases.js";

/** What a result says, with what it leaves out where nothing happened. */
function told({ result }: Expectation): Partial<Account> {
  const requests = result.requests.map((request) => ({
    scheduled_ns: request.scheduled_ns,
    prefix_hit_tokens: request.prefix_hit_tokens,
    preempted_ns: request.preempted_ns,
    first_token_ns: request.first_token_ns,
    finished_ns: request.finished_ns,
  }));
  if (!result.iterations) return { requests };
  const empty = result.empty_compositions_with_preemptions ?? [];
  return { requests, iterations: result.iterations, empty_compositions_with_preemptions: empty };
}

/** The same of an account: no more than the result tells. */
function compared(account: Account, { result }: Expectation): Partial<Account> {
  if (!result.iterations) return { requests: account.requests };
  const { prompts, ...iterations } = account.iterations;
  return {
    ...account,
    iterations: result.iterations.prompts ? { ...iterations, prompts } : iterations,
  } as Account;
}

describe.each(vllmCases().map((given) => ({ given, name: given.name })))("$name", ({ given }) => {
  const reason = omitted(given);
  for (const expected of expectationsOf(given)) {
    const title = reason === undefined ? expected.title : `${expected.title} (${reason})`;
    it.skipIf(reason !== undefined)(`oracle: ${title}`, () => {
      expect(compared(byOracle(expected), expected)).toEqual(told(expected));
    });
    it.skipIf(reason !== undefined)(`fast engine: ${title}`, () => {
      expect(compared(byEngine(expected), expected)).toEqual(told(expected));
    });
  }
});

it.runIf(FURTHER_CASES === undefined)("further cases", ({ skip }) => {
  skip("LLMSIM_VLLM_CASES names no folder of them");
});
