// Config files: entries have names and lines of the file, and a file that is made of the entries has the same
// entries.

#include <squall/options/config_text.h>
#include <squall/options/error.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::options {
namespace {

std::string in_quotes(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\r') {
      text += "\\r";
    } else {
      if (c == '"' || c == '\\' || c == '$') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

std::string written(const std::vector<ConfigEntry>& entries) {
  std::string text;
  for (const ConfigEntry& entry : entries) {
    text += entry.name + " = ";
    if (entry.is_list) text += '[';
    for (const std::string& value : entry.values) text += in_quotes(value) + (entry.is_list ? ",\n" : "");
    text += entry.is_list ? "] # list\n" : "\n";
  }
  return text;
}

void check(std::string_view text) {
  std::vector<ConfigEntry> entries;
  try {
    entries = parse_config(text, "f", "/d/f");
  } catch (const Error& error) {
    const std::string_view message = error.what();
    FUZZ_CHECK(message.starts_with("f:"));
    FUZZ_CHECK(message.find('\n') == message.npos);
    return;
  }
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  std::size_t last = 0;
  for (const ConfigEntry& entry : entries) {
    FUZZ_CHECK(!entry.name.empty());
    FUZZ_CHECK(entry.line > last && entry.line <= lines);
    FUZZ_CHECK(entry.is_list || entry.values.size() == 1);
    last = entry.line;
  }
  const std::vector<ConfigEntry> again = parse_config(written(entries), "f", "/d/f");
  FUZZ_CHECK(again.size() == entries.size());
  for (std::size_t i = 0; i < again.size(); ++i)
    FUZZ_CHECK(again[i].name == entries[i].name && again[i].values == entries[i].values);
}

}  // namespace
}  // namespace squall::options

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, so that AddressSanitizer finds a read beyond it.
  const std::string text(reinterpret_cast<const char*>(data), size);
  squall::options::check(text);
  return 0;
}
