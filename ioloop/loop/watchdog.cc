#include <squall/ioloop/loop/watchdog.h>

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/symbol.h>

#include <fmt/format.h>

#include <string>

namespace squall {
namespace {

std::string name_of(const Culprit& culprit) {
  if (culprit.coroutine) return fmt::format("task {}", symbol_name(culprit.coroutine));
  std::string name = culprit.kind;
  if (culprit.closure) name += ' ' + demangled(culprit.closure->name());
  if (culprit.function) name += ' ' + symbol_name(culprit.function);
  if (culprit.fd >= 0) name += fmt::format(" of fd {}", culprit.fd);
  return name;
}

}  // namespace

[[gnu::cold]] void report_slow(const Culprit& culprit, std::chrono::nanoseconds held,
                               std::chrono::nanoseconds threshold) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  log::application().warning("The loop was held for {:.1f} ms (threshold {:.1f} ms) by {}",
                             Milliseconds(held).count(), Milliseconds(threshold).count(), name_of(culprit));
}

}  // namespace squall
