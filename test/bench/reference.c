/*
 * The yardstick of `npm run bench`: demo2 in plain C, as fast as one plainly written file gets.
 *
 * It simulates what the library simulates (docs/model.md, standard conventions): the same engine, the same three
 * schedulers, the same exact fast-forward over equal iterations, whole nanoseconds. Its random numbers are its
 * own, so it agrees with the library in distribution, not request by request; the bench checks that it does.
 *
 * It leaves out what makes the library general: other laws, models and replicas, warm-up, windows, the limits of
 * engine and policy (demo2 at λ = 2 never reaches them; it stops if a run does), and most statistics: it computes
 * three, the means of TTFT and TBT and the 95th percentile of the response time.
 *
 * Usage: reference decode|prefill|hybrid TRIALS SECONDS
 * Prints one JSON object: requests, nanoseconds (of processor time) per request in all and by part, and mean and standard error over
 * the trials of the three statistics, in seconds.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* demo2 (data/scenarios/demo2.json) */
#define RATE 2.0
#define MAX_TOKENS 2048
#define MAX_SEQUENCES 1000

enum policy { DECODE, PREFILL, HYBRID };

/* ---------------------------------------------------------------------------------------- random numbers */

/* SplitMix64 (Steele, Lea & Flood 2014): one addition and a mixing of the counter. */
static uint64_t counter;
static inline uint64_t next_bits(void) {
  uint64_t z = counter += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}
static inline double uniform(void) { return (next_bits() >> 11) * 0x1p-53; }

/* ---------------------------------------------------------------------------------------------- requests */

static double *arrived, *first_token, *finished, *scratch;
static int *prompt_left, *output;
static int capacity;

static void *grown(void *column, size_t size) {
  void *larger = realloc(column, size);
  if (!larger) { fprintf(stderr, "out of memory\n"); exit(1); }
  return larger;
}
static void reserve(int rows) {
  capacity = rows;
  arrived = grown(arrived, rows * sizeof *arrived);
  first_token = grown(first_token, rows * sizeof *first_token);
  finished = grown(finished, rows * sizeof *finished);
  scratch = grown(scratch, rows * sizeof *scratch);
  prompt_left = grown(prompt_left, rows * sizeof *prompt_left);
  output = grown(output, rows * sizeof *output);
}

/* Poisson arrivals in [0, until]; prompts of 32, 128 or 512 tokens, outputs of 64 or 256. */
static int draw(double until) {
  int n = 0;
  double at = 0;
  for (;;) {
    at += round(-log(1 - uniform()) / RATE * 1e9);
    if (at > until) return n;
    if (n == capacity) reserve(2 * capacity);
    double u = uniform();
    arrived[n] = at;
    prompt_left[n] = u < .6 ? 32 : u < .9 ? 128 : 512;
    output[n++] = uniform() < .5 ? 64 : 256;
  }
}

/* ------------------------------------------------- decoding sequences: a heap by the decode that ends them */

struct entry { int64_t ends; int id; };
static struct entry heap[MAX_SEQUENCES];
static int heap_size;

static void push(int64_t ends, int id) {
  int i = heap_size++;
  for (; i > 0; i = (i - 1) >> 1) {
    struct entry *above = &heap[(i - 1) >> 1];
    if (above->ends <= ends) break;
    heap[i] = *above;
  }
  heap[i] = (struct entry){ends, id};
}
static int pop(void) {
  int id = heap[0].id, i = 0;
  struct entry last = heap[--heap_size];
  for (;;) {
    int below = 2 * i + 1;
    if (below >= heap_size) break;
    if (below + 1 < heap_size && heap[below + 1].ends < heap[below].ends) below++;
    if (heap[below].ends >= last.ends) break;
    heap[i] = heap[below];
    i = below;
  }
  heap[i] = last;
  return id;
}

/* ------------------------------------------------------------------------------------------- simulation */

/* Iteration time of a batch: 10 ms and half a millisecond a token. */
static inline double iteration_time(int tokens) { return round((10 + .5 * tokens) * 1e6); }

/* Runs the requests to their end under one policy. */
static void simulate(int n, enum policy policy) {
  double now = 0;
  int arrivals = 0; /* requests that have arrived */
  int head = 0;     /* the first prompt that is not prefilled whole */
  int done = 0;
  int64_t decodes = 0; /* the decode clock: iterations that decoded */
  heap_size = 0;
  while (done < n) {
    while (arrivals < n && arrived[arrivals] <= now) arrivals++;
    if (head == arrivals && heap_size == 0) {
      now = arrived[arrivals];
      continue;
    }
    int may_prefill = head < arrivals && (policy != DECODE || heap_size == 0);
    int decoding = policy == PREFILL && may_prefill ? 0 : heap_size;
    int prefilled = 0, next = head;
    if (may_prefill) {
      int budget = MAX_TOKENS - decoding;
      for (; next < arrivals && budget > 0; next++) {
        int take = prompt_left[next];
        if (take > budget) {
          if (policy == DECODE) break; /* packs whole prompts only */
          take = budget;
        }
        prompt_left[next] -= take;
        prefilled += take;
        budget -= take;
        if (prompt_left[next] > 0) break;
      }
    }
    int limit = policy == HYBRID ? MAX_SEQUENCES / 2 : MAX_SEQUENCES;
    if (heap_size + next - head >= limit) { fprintf(stderr, "a limit binds: not simulated here\n"); exit(1); }
    if (prefilled > 0) {
      /* One iteration; a prompt that ends emits its first token, and has B - 1 to decode. */
      now += iteration_time(prefilled + decoding);
      if (decoding > 0) {
        decodes++;
        while (heap_size > 0 && heap[0].ends <= decodes) finished[pop()] = now, done++;
      }
      for (; head < next; head++) {
        first_token[head] = now;
        push(decodes + output[head] - 1, head);
      }
    } else {
      /* Equal iterations until a sequence ends or, unless nobody would look, a request arrives. */
      double time = iteration_time(decoding);
      int64_t run = heap[0].ends - decodes;
      if (policy != DECODE && arrivals < n) {
        int64_t until_arrival = (int64_t)ceil((arrived[arrivals] - now) / time);
        if (until_arrival < run) run = until_arrival;
      }
      now += run * time;
      decodes += run;
      while (heap_size > 0 && heap[0].ends <= decodes) finished[pop()] = now, done++;
    }
  }
}

/* ------------------------------------------------------------------------------------------- statistics */

/* The k-th smallest, by Hoare's selection. */
static double kth_smallest(double *values, int n, int k) {
  int low = 0, high = n - 1;
  while (low < high) {
    double pivot = values[(low + high) >> 1];
    int i = low, j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        double swapped = values[i];
        values[i++] = values[j];
        values[j--] = swapped;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k];
}

enum statistic { TTFT, TBT, P95, STATISTICS };

static void measure(int n, double found[STATISTICS]) {
  double ttft = 0, tbt = 0;
  for (int i = 0; i < n; i++) {
    ttft += first_token[i] - arrived[i];
    tbt += (finished[i] - first_token[i]) / (output[i] - 1);
    scratch[i] = finished[i] - arrived[i];
  }
  found[TTFT] = ttft / n / 1e9;
  found[TBT] = tbt / n / 1e9;
  found[P95] = kth_smallest(scratch, n, (int)(.95 * (n - 1))) / 1e9;
}

/* Processor time, as the library's side of the bench reads it: other processes disturb it little. */
static double processor_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) { fprintf(stderr, "usage: reference decode|prefill|hybrid TRIALS SECONDS\n"); return 2; }
  enum policy policy = argv[1][0] == 'd' ? DECODE : argv[1][0] == 'p' ? PREFILL : HYBRID;
  int trials = atoi(argv[2]);
  double until = atof(argv[3]) * 1e9;
  double sum[STATISTICS] = {0}, squares[STATISTICS] = {0};
  double drawing = 0, looping = 0, measuring = 0, requests = 0;
  reserve(16384);
  for (int trial = 1; trial <= trials; trial++) {
    double found[STATISTICS], t0 = processor_ns();
    counter = (uint64_t)trial << 32;
    int n = draw(until);
    double t1 = processor_ns();
    simulate(n, policy);
    double t2 = processor_ns();
    measure(n, found);
    drawing += t1 - t0;
    looping += t2 - t1;
    measuring += processor_ns() - t2;
    requests += n;
    for (int i = 0; i < STATISTICS; i++) {
      sum[i] += found[i];
      squares[i] += found[i] * found[i];
    }
  }
  static const char *names[] = {"ttft_mean_s", "tbt_mean_s", "rts_p95_s"};
  printf("{\"requests\": %.0f, \"total\": %.3f, \"draw\": %.3f, \"loop\": %.3f, \"statistics\": %.3f", requests,
         (drawing + looping + measuring) / requests, drawing / requests, looping / requests, measuring / requests);
  for (int i = 0; i < STATISTICS; i++) {
    double mean = sum[i] / trials;
    double variance = trials > 1 ? (squares[i] - sum[i] * mean) / (trials - 1) : 0;
    printf(", \"%s\": [%.9g, %.3g]", names[i], mean, sqrt(fmax(0, variance) / trials));
  }
  printf("}\n");
  return 0;
}
