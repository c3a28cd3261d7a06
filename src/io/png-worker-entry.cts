/** What a thread that draws loads first: see ../run/worker-entry.cts. */
const bundled: string = "../bundle/png-worker.js";
export = import(bundled).then((worker: { default: unknown }) => worker.default);
