#include <squall/web/template/safe_url.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <array>
#include <string>

namespace squall::web::detail {
namespace {

constexpr std::array<std::string_view, 6> kSafeSchemes = {"http", "https", "ftp", "mailto", "sms", "tel"};
constexpr std::array<std::string_view, 6> kScriptSchemes = {"javascript", "vbscript", "livescript",
                                                            "data",       "blob",     "filesystem"};

// The colon that ends the scheme; npos for a relative URL.
std::size_t scheme_end(std::string_view url) noexcept {
  const std::size_t end = url.find_first_of(":/?#");
  return end != url.npos && url[end] == ':' ? end : url.npos;
}

}  // namespace

bool is_script_scheme(std::string_view scheme) noexcept {
  return std::find(kScriptSchemes.begin(), kScriptSchemes.end(), scheme) != kScriptSchemes.end();
}

bool is_safe_url(std::string_view url) noexcept {
  const std::size_t colon = scheme_end(url);
  if (colon == url.npos) return true;
  std::string scheme;
  for (const char c : url.substr(0, colon)) {
    if (is_ignored_in_url(c)) continue;
    if (scheme.size() == 8) return false;
    scheme += to_lower(c);
  }
  return std::find(kSafeSchemes.begin(), kSafeSchemes.end(), scheme) != kSafeSchemes.end();
}

bool is_safe_url_rest(std::string_view rest) noexcept { return scheme_end(rest) == rest.npos; }

bool is_safe_css(std::string_view value) noexcept {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(" #%+,-._").find(c) != std::string_view::npos;
  });
}

}  // namespace squall::web::detail
