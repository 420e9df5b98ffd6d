#include <squall/ioloop/watchdog.h>

#include <squall/ioloop/log.h>
#include <squall/ioloop/symbol.h>

#include <fmt/format.h>

#include <string>

namespace squall {
namespace {

std::string name_of(const Culprit& culprit) {
  if (culprit.closure) return fmt::format("{} {}", culprit.kind, demangled(culprit.closure->name()));
  return fmt::format("handler {} of fd {}", symbol_name(reinterpret_cast<const void*>(culprit.function)),
                     culprit.fd);
}

}  // namespace

void report_slow(const Culprit& culprit, std::chrono::nanoseconds held, std::chrono::nanoseconds threshold) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const std::string what =
      culprit.coroutine ? fmt::format("task {}", symbol_name(culprit.coroutine)) : name_of(culprit);
  log::application().warning("The loop was held for {:.1f} ms (threshold {:.1f} ms) by {}",
                             Milliseconds(held).count(), Milliseconds(threshold).count(), what);
}

}  // namespace squall
