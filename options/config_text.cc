#include <squall/options/config_text.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/options/error.h>
#include <squall/options/quote.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace squall::options {
namespace {

// A variable can be much longer than its name.
constexpr std::size_t kMostVariables = 1000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_name_character(char c) noexcept { return is_alpha(c) || is_digit(c) || c == '_' || c == '-'; }

class ConfigReader {
 public:
  ConfigReader(std::string_view text, std::string_view path, std::string_view absolute_path)
      : text_(text), path_(path), absolute_path_(absolute_path) {}

  std::vector<ConfigEntry> read() {
    check_characters();
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
    std::vector<ConfigEntry> entries;
    for (;;) {
      skip_blank_lines();
      if (text_.empty()) return entries;
      entries.push_back(read_entry());
    }
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(fmt::format("{}:{}: {}", path_, line_, problem));
  }

  // All characters are checked first, so that no later function meets a broken one.
  void check_characters() {
    std::string_view rest = text_;
    while (!rest.empty()) {
      const std::size_t length = utf8_length(rest);
      if (length == 0) fail("the text is not UTF-8");
      const char c = rest.front();
      const bool is_line_end = c == '\n' || rest.starts_with("\r\n");
      if (is_control(c) && c != '\t' && !is_line_end)
        fail(fmt::format("the control character {}", escape_controls(rest.substr(0, 1))));
      if (c == '\n') ++line_;
      rest.remove_prefix(length);
    }
    line_ = 1;
  }

  bool at(char c) const noexcept { return text_.starts_with(c); }
  bool at_line_end() const noexcept { return text_.empty() || at('\n') || at('\r'); }

  void skip_spaces() noexcept {
    while (at(' ') || at('\t')) text_.remove_prefix(1);
  }

  // Skips the rest of a line, and its end, if only a comment is left of it.
  bool skip_line_end() noexcept {
    skip_spaces();
    if (at('#')) text_.remove_prefix(std::min(text_.find('\n'), text_.size()));
    if (at('\r')) text_.remove_prefix(1);
    if (!text_.empty() && !at('\n')) return false;
    if (at('\n')) {
      text_.remove_prefix(1);
      ++line_;
    }
    return true;
  }

  void skip_blank_lines() noexcept {
    while (!text_.empty() && skip_line_end()) {
    }
  }

  // The first character that is left, for messages.
  std::string next_character() const { return quote(text_.substr(0, utf8_length(text_))); }

  ConfigEntry read_entry() {
    ConfigEntry entry;
    entry.line = line_;
    const auto end = std::ranges::find_if_not(text_, is_name_character);
    entry.name = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    if (entry.name.empty()) fail("expected a line such as `name = value`, not " + next_character());
    text_.remove_prefix(entry.name.size());
    skip_spaces();
    if (!at('=')) fail(fmt::format("expected `=` after the name {}", entry.name));
    text_.remove_prefix(1);
    skip_spaces();
    if (at('[')) {
      entry.is_list = true;
      entry.values = read_list();
    } else {
      entry.values.push_back(read_value(""));
    }
    if (!skip_line_end()) fail(fmt::format("unexpected {} after the value", next_character()));
    return entry;
  }

  std::vector<std::string> read_list() {
    const std::size_t first_line = line_;
    std::vector<std::string> values;
    text_.remove_prefix(1);
    for (;;) {
      skip_blank_lines();
      if (text_.empty()) fail(fmt::format("the list that begins in line {} has no `]`", first_line));
      if (at(']')) break;
      if (at(',') || at('[')) fail(fmt::format("expected a value or `]`, not {}", next_character()));
      values.push_back(read_value(",[]"));
      skip_blank_lines();
      if (at(',')) {
        text_.remove_prefix(1);
      } else if (!text_.empty() && !at(']')) {
        fail(fmt::format("expected `,` or `]`, not {}", next_character()));
      }
    }
    text_.remove_prefix(1);
    return values;
  }

  // `stops` are characters that end a value without quotes.
  std::string read_value(std::string_view stops) {
    if (at('\'')) return read_literal();
    if (at('"')) return read_quoted();
    return read_bare(stops);
  }

  std::string read_literal() {
    text_.remove_prefix(1);
    const std::size_t end = text_.find_first_of("'\n");
    if (end == text_.npos || text_[end] == '\n') fail("the string has no closing '");
    std::string value(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return value;
  }

  std::string read_quoted() {
    text_.remove_prefix(1);
    std::string value;
    while (!at('"')) {
      if (at_line_end()) fail("the string has no closing \"");
      if (at('\\')) {
        value += read_escape();
      } else if (text_.starts_with("${")) {
        value += read_variable();
      } else {
        value += text_.front();
        text_.remove_prefix(1);
      }
    }
    text_.remove_prefix(1);
    return value;
  }

  char read_escape() {
    constexpr std::string_view kNames = "\"\\nrt$";
    constexpr std::string_view kMeanings = "\"\\\n\r\t$";
    text_.remove_prefix(1);
    const std::size_t which = at_line_end() ? kNames.npos : kNames.find(text_.front());
    if (which == kNames.npos) fail(R"(after a backslash, expected one of " \ n r t $)");
    text_.remove_prefix(1);
    return kMeanings[which];
  }

  std::string read_bare(std::string_view stops) {
    std::string value;
    while (!at_line_end() && stops.find(text_.front()) == stops.npos) {
      if (text_.starts_with("${")) {
        value += read_variable();
        continue;
      }
      if (at('#') && (value.empty() || value.back() == ' ' || value.back() == '\t')) break;
      value += text_.front();
      text_.remove_prefix(1);
    }
    while (value.ends_with(' ') || value.ends_with('\t')) value.pop_back();
    return value;
  }

  std::string_view read_variable() {
    const std::size_t end = text_.find_first_of("}\n");
    if (end == text_.npos || text_[end] == '\n') fail("`${` without `}`");
    const std::string_view name = text_.substr(2, end - 2);
    if (name != "config_file" && name != "config_dir")
      fail(fmt::format("there is no variable {}, only config_file and config_dir", quote(name)));
    if (++variables_ > kMostVariables) fail(fmt::format("there are more than {} variables", kMostVariables));
    text_.remove_prefix(end + 1);
    if (name == "config_file") return absolute_path_;
    // The folder of `/shop.conf` is `/`.
    const std::size_t slash = absolute_path_.rfind('/');
    return absolute_path_.substr(0, slash == 0 ? 1 : slash);
  }

  std::string_view text_;
  std::string_view path_;
  std::string_view absolute_path_;
  std::size_t line_ = 1;
  std::size_t variables_ = 0;
};

}  // namespace

std::vector<ConfigEntry> parse_config(std::string_view text, std::string_view path,
                                      std::string_view absolute_path) {
  return ConfigReader(text, path, absolute_path).read();
}

}  // namespace squall::options
