#include <squall/web/static/static_routes.h>

#include <squall/web/routing/path_spelling.h>
#include <squall/web/routing/url.h>
#include <squall/web/static/static_file_handler.h>
#include <squall/web/static/static_url.h>

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {
namespace {

// A pattern for the beginning of the paths that begin with `prefix`.
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
  return pattern;
}

// Throws for a route that no request would reach behind the routes of the static files. `beneath` is the
// pattern of their prefix; nullopt if another host serves them.
void check_reached(const Rule& rule, std::optional<std::string_view> beneath) {
  if (rule.condition() != Rule::Condition::path) return;
  const std::string& pattern = rule.pattern();
  const bool is_at_root = pattern == "/robots.txt" || pattern == R"(/robots\.txt)" ||
                          pattern == "/favicon.ico" || pattern == R"(/favicon\.ico)";
  if (!is_at_root && !(beneath && pattern.starts_with(*beneath))) return;
  throw std::invalid_argument(fmt::format(
      "route '{}': Settings::static_path answers its paths; give the handler as static_handler, or use {}",
      pattern, is_at_root ? "no static_path" : "another static_url_prefix"));
}

}  // namespace

std::vector<Rule> behind_static_files(const Settings& settings, std::vector<Rule> rules) {
  std::shared_ptr<const HandlerFactory> factory = settings.static_handler;
  if (!factory) factory = handler<StaticFileHandler>(settings.static_path.path());
  const bool is_served = settings.static_url_prefix.starts_with('/');
  const std::string beneath = is_served ? pattern_beneath(settings.static_url_prefix) : std::string();
  for (const Rule& rule : rules)
    check_reached(rule, is_served ? std::optional<std::string_view>(beneath) : std::nullopt);
  std::vector<Rule> all;
  const auto add = [&](std::string pattern) {
    all.push_back(Rule(Rule::Condition::path, std::move(pattern)).to(factory));
  };
  add(R"(/(robots\.txt))");
  add(R"(/(favicon\.ico))");
  if (is_served) add(beneath + "(.*)");
  std::move(rules.begin(), rules.end(), std::back_inserter(all));
  return all;
}

const detail::StaticFiles& detail::static_files() noexcept {
  static constexpr StaticFiles kFiles = {.routes = &behind_static_files, .url = &static_url};
  return kFiles;
}

}  // namespace squall::web
