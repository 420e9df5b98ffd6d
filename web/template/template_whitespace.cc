#include <squall/web/template/template_whitespace.h>

namespace squall::web::detail {
namespace {

constexpr std::string_view kTemplateSpaces = " \t\n\r\f\v";

// A run of whitespace without a newline: other characters than spaces and tabs stay.
void append_single_spaces(std::string& to, std::string_view run) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool is_blank = run[i] == ' ' || run[i] == '\t';
    if (!is_blank) {
      to += run[i];
    } else if (i == 0 || (run[i - 1] != ' ' && run[i - 1] != '\t')) {
      to += ' ';
    }
  }
}

}  // namespace

std::optional<TemplateWhitespace> whitespace_named(std::string_view name) noexcept {
  if (name == "all") return TemplateWhitespace::all;
  if (name == "single") return TemplateWhitespace::single;
  if (name == "oneline") return TemplateWhitespace::oneline;
  return std::nullopt;
}

TemplateWhitespace whitespace_of_file(std::string_view file) noexcept {
  return file.ends_with(".html") || file.ends_with(".js") ? TemplateWhitespace::single
                                                          : TemplateWhitespace::all;
}

std::string filter_whitespace(TemplateWhitespace mode, std::string_view text) {
  if (mode == TemplateWhitespace::all || text.find("<pre>") != text.npos) return std::string(text);
  std::string filtered;
  filtered.reserve(text.size());
  while (!text.empty()) {
    const std::size_t word = std::min(text.find_first_of(kTemplateSpaces), text.size());
    filtered.append(text.substr(0, word));
    text.remove_prefix(word);
    const std::size_t end = std::min(text.find_first_not_of(kTemplateSpaces), text.size());
    const std::string_view run = text.substr(0, end);
    text.remove_prefix(end);
    if (run.empty()) break;
    if (mode == TemplateWhitespace::oneline) {
      filtered += ' ';
    } else if (run.find('\n') != run.npos) {
      filtered += '\n';
    } else {
      append_single_spaces(filtered, run);
    }
  }
  return filtered;
}

}  // namespace squall::web::detail
