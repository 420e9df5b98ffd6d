#include <squall/web/static/static_routes.h>

#include <squall/web/routing/path_spelling.h>
#include <squall/web/routing/url.h>
#include <squall/web/static/static_file_handler.h>
#include <squall/web/static/static_url.h>

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <stdexcept>
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
  const std::string& prefix = settings.static_url_prefix;
  if (prefix.starts_with('/')) {
    std::string pattern = pattern_beneath(prefix);
    const std::string_view beneath = std::string_view(pattern).substr(0, pattern.size() - 4);
    for (const Rule& rule : rules) {
      if (rule.condition() == Rule::Condition::path && rule.pattern().starts_with(beneath))
        throw std::invalid_argument(
            fmt::format("route '{}': Settings::static_path answers all paths beneath {}; give the handler as "
                        "static_handler, "
                        "or use another static_url_prefix",
                        rule.pattern(), prefix));
    }
    add(std::move(pattern));
  }
  std::move(rules.begin(), rules.end(), std::back_inserter(all));
  return all;
}

const detail::StaticFiles& detail::static_files() noexcept {
  static constexpr StaticFiles kFiles = {.routes = &behind_static_files, .url = &static_url};
  return kFiles;
}

}  // namespace squall::web
