#include <squall/web/static/static_routes.h>

#include <squall/web/routing/path_spelling.h>
#include <squall/web/routing/url.h>
#include <squall/web/static/static_file_handler.h>
#include <squall/web/static/static_url.h>

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {
namespace {

// A pattern for the paths that begin with `prefix`; its group is the rest of the path.
std::string pattern_beneath(std::string_view prefix) {
  constexpr std::string_view kSpecial = "\\^$.[]|()?*+{}";
  std::string pattern;
  for (const char c : prefix) {
    if (c != '%' && !is_path_char(c)) {
      pattern += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      continue;
    }
    if (kSpecial.find(c) != kSpecial.npos) pattern += '\\';
    pattern += c;
  }
  return pattern + "(.*)";
}

}  // namespace

std::vector<Rule> behind_static_files(const Settings& settings, std::vector<Rule> rules) {
  std::shared_ptr<const HandlerFactory> factory = settings.static_handler;
  if (!factory) factory = handler<StaticFileHandler>(settings.static_path.path());
  std::vector<Rule> all;
  const auto add = [&](std::string pattern) {
    all.push_back(Rule(Rule::Condition::path, std::move(pattern)).to(factory));
  };
  add(R"(/(robots\.txt))");
  add(R"(/(favicon\.ico))");
  if (settings.static_url_prefix.starts_with('/')) add(pattern_beneath(settings.static_url_prefix));
  std::move(rules.begin(), rules.end(), std::back_inserter(all));
  return all;
}

const detail::StaticFiles& detail::static_files() noexcept {
  static constexpr StaticFiles kFiles = {.routes = &behind_static_files, .url = &static_url};
  return kFiles;
}

}  // namespace squall::web
