#include <squall/web/template/template_error.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace squall::web {
namespace {

constexpr std::size_t kMostShown = 160;

// A long line is cut around the column.
std::string marked_line(std::string_view line, std::uint32_t column) {
  std::size_t mark = std::min<std::size_t>(column - 1, line.size());
  std::string prefix;
  if (line.size() > kMostShown) {
    const std::size_t begin = mark > kMostShown / 2 ? mark - kMostShown / 2 : 0;
    line = line.substr(begin, kMostShown);
    mark -= begin;
    prefix = begin > 0 ? "..." : "";
  }
  std::string shown(line);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      ' ');
  return fmt::format("    {}{}\n    {:>{}}", prefix, shown, '^', prefix.size() + mark + 1);
}

struct FaultName {
  TemplateFault fault;
  std::string_view name;
  std::string_view group;
};

constexpr std::array<FaultName, 10> kFaultNames = {{
    {TemplateFault::name, "NameError", ""},
    {TemplateFault::key, "KeyError", "LookupError"},
    {TemplateFault::index, "IndexError", "LookupError"},
    {TemplateFault::attribute, "AttributeError", ""},
    {TemplateFault::type, "TypeError", ""},
    {TemplateFault::value, "ValueError", ""},
    {TemplateFault::zero_division, "ZeroDivisionError", "ArithmeticError"},
    {TemplateFault::overflow, "OverflowError", "ArithmeticError"},
    {TemplateFault::runtime, "RuntimeError", ""},
    {TemplateFault::limit, "limit", ""},
}};

}  // namespace

TemplateError::TemplateError(std::string message, std::string file, TemplatePosition position,
                             std::string source_line)
    : std::runtime_error(fmt::format("{} at {}:{}, column {}\n{}", message, file, position.line,
                                     position.column, marked_line(source_line, position.column))),
      message_(std::move(message)),
      file_(std::move(file)),
      position_(position),
      source_line_(std::move(source_line)) {}

namespace detail {

std::string_view fault_name(TemplateFault fault) noexcept {
  return kFaultNames[static_cast<std::size_t>(fault)].name;
}

bool catches(std::string_view name, TemplateFault fault) noexcept {
  if (fault == TemplateFault::limit) return false;
  const FaultName& known = kFaultNames[static_cast<std::size_t>(fault)];
  return name == "Exception" || name == known.name || name == known.group;
}

bool is_fault_name(std::string_view name) noexcept {
  if (name == "Exception") return true;
  return std::any_of(kFaultNames.begin(), kFaultNames.end() - 1,
                     [&](const FaultName& known) { return name == known.name || name == known.group; });
}

std::string_view line_of(std::string_view text, std::uint32_t number) noexcept {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

TemplatePosition position_of(std::string_view text, std::size_t offset) noexcept {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == before.npos ? offset + 1 : offset - newline;
  return {static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)};
}

}  // namespace detail
}  // namespace squall::web
