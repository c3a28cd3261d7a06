/**
 * A scheduler of one's own (docs/plugins.md): every decode, then prompts in order, but at most `promptTokens` prompt
 * tokens an iteration, so that no iteration grows long whatever arrives.
 *
 *   llmsim run --plugin examples/my-scheduler.mjs --scheduler capped-prompts,sarathi --lam 5
 *   llmsim run --plugin examples/my-scheduler.mjs --scheduler capped-prompts --set scheduler.promptTokens=64
 */
export default {
  name: "capped-prompts",
  summary: "every decode, then a bounded number of prompt tokens",
  options: [
    {
      key: "promptTokens",
      kind: "integer",
      min: 1,
      default: 128,
      unit: "tokens",
      summary: "most prompt tokens of an iteration",
    },
  ],
  create({ promptTokens }) {
    return {
      compose(view, batch) {
        batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
        let budget = promptTokens;
        while (budget > 0 && batch.slotsLeft > 0 && batch.tokensLeft > 0) {
          // Partly prefilled prompts before unstarted ones, and those only while the cap admits one more resident.
          const mayAdmit = view.waiting.exists && view.resident < view.limits.residentCap;
          const from = view.prefilling.exists ? "prefilling" : "waiting";
          if (from === "waiting" && !mayAdmit) return;
          const tokens = Math.min(view[from].left, view.limits.chunk, batch.tokensLeft, budget);
          // Nothing is granted where KV memory is short: this batch is done.
          if (batch.chunk(from, tokens) === 0) return;
          budget -= tokens;
        }
      },
    };
  },
};
