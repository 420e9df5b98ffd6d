// bench/ioloop -- callbacks, timers, tasks and descriptors a second, beside libuv and Asio in the same run.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();
