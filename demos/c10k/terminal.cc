#include "terminal.h"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace c10k {
namespace {

constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::size_t kLabel = 36;  // columns before a chart
constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

double milliseconds(std::optional<std::chrono::microseconds> latency) {
  return latency ? static_cast<double>(latency->count()) / 1000 : 0;
}

std::string chart(const std::vector<Sample>& samples, std::size_t columns, double (*value)(const Sample&)) {
  const std::size_t first = samples.size() > columns ? samples.size() - columns : 0;
  double highest = 0;
  for (std::size_t i = first; i < samples.size(); ++i) highest = std::max(highest, value(samples[i]));
  std::string bars;
  for (std::size_t i = first; i < samples.size(); ++i) {
    const double part = highest > 0 ? value(samples[i]) / highest : 0;
    bars += kBars[std::min<std::size_t>(static_cast<std::size_t>(part * kBars.size()), kBars.size() - 1)];
  }
  return bars;
}

std::string row(std::string_view name, const std::string& now, const std::string& bars) {
  return fmt::format("  {:<16}{:>16}  {}{}\r\n", name, now, bars, kClearLine);
}

}  // namespace

std::string draw(const std::vector<Sample>& samples, std::size_t connections, std::size_t width) {
  if (samples.empty()) return {};
  const Sample& now = samples.back();
  const std::size_t columns = width > kLabel + 10 ? width - kLabel : 10;
  std::string page(kHome);
  page += fmt::format("  Squall holds {} of {} WebSockets, for {:.0f} s{}\r\n{}\r\n", now.open, connections,
                      now.seconds, kClearLine, kClearLine);
  page += row("connections", fmt::to_string(now.open),
              chart(samples, columns, [](const Sample& sample) { return static_cast<double>(sample.open); }));
  page += row("messages/s", fmt::format("{:.0f}", now.messages),
              chart(samples, columns, [](const Sample& sample) { return sample.messages; }));
  page += row("median", fmt::format("{:.2f} ms", milliseconds(now.p50)),
              chart(samples, columns, [](const Sample& sample) { return milliseconds(sample.p50); }));
  page += row("99th percentile", fmt::format("{:.2f} ms", milliseconds(now.p99)),
              chart(samples, columns, [](const Sample& sample) { return milliseconds(sample.p99); }));
  page += row("bytes each", fmt::format("{:.0f}", now.bytes),
              chart(samples, columns, [](const Sample& sample) { return sample.bytes; }));
  page += row("processors", fmt::format("{:.2f}", now.cpu),
              chart(samples, columns, [](const Sample& sample) { return sample.cpu; }));
  page += fmt::format("{}\r\n  {} lost, {} failed to connect{}\r\n", kClearLine, now.lost, now.failed,
                      kClearLine);
  return page;
}

Screen::Screen() { std::fputs("\x1b[?25l\x1b[2J", stdout); }

Screen::~Screen() {
  std::fputs("\x1b[?25h", stdout);
  std::fflush(stdout);
}

std::size_t Screen::width() noexcept {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace c10k
