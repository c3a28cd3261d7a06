/** Preloaded by a process whose run must count as long: every look at its clock is a minute after the one before. */
let now = 0;
performance.now = () => (now += 60_000);
