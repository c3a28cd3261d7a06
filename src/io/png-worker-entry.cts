/** What a thread that draws loads first: see ../run/worker-entry.cts. */
export = import("./png-worker.js").then((worker) => worker.default);
