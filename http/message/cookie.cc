#include <squall/http/message/cookie.h>

#include <squall/http/message/date.h>
#include <squall/http/message/latin1.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace squall::http {
namespace {

using std::chrono::system_clock;

constexpr std::size_t kMaxNameAndValue = 4096;

constexpr bool is_octal(char c) { return c >= '0' && c <= '7'; }

// Removes the text before the next `;`, and the `;`, from `rest`; returns the text without blanks around it.
std::string_view next_piece(std::string_view& rest) {
  const std::size_t end = rest.find(';');
  const std::string_view piece = trim(rest.substr(0, end));
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return piece;
}

struct Pair {
  std::string_view name;
  std::string_view value;
};

// Splits at the first `=`; without one the whole piece is the value.
Pair split_pair(std::string_view piece) {
  const std::size_t equals = piece.find('=');
  if (equals == piece.npos) return {{}, piece};
  return {trim(piece.substr(0, equals)), trim(piece.substr(equals + 1))};
}

// Keeps the last pair of each name, in its place.
void remove_earlier(std::vector<Pair>& pairs) {
  std::vector<const Pair*> by_name;
  for (const Pair& pair : pairs) by_name.push_back(&pair);
  std::sort(by_name.begin(), by_name.end(),
            [](const Pair* a, const Pair* b) { return a->name != b->name ? a->name < b->name : a < b; });
  std::vector<bool> earlier(pairs.size());
  for (std::size_t i = 0; i + 1 < by_name.size(); ++i)
    if (by_name[i]->name == by_name[i + 1]->name)
      earlier[static_cast<std::size_t>(by_name[i] - pairs.data())] = true;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (!earlier[i]) pairs[kept++] = pairs[i];
  pairs.resize(kept);
}

void append_escaped(std::string& to, unsigned char byte) {
  if (byte == '"' || byte == '\\') {
    to.append({'\\', static_cast<char>(byte)});
  } else if (byte >= 0x7f || byte == ',' || byte == ';') {
    to += fmt::format("\\{:03o}", byte);
  } else {
    to += static_cast<char>(byte);
  }
}

std::string quoted_value(const SetCookie& cookie) {
  const std::string& value = cookie.value;
  if (is_cookie_name(value)) return value;
  std::string text = "\"";
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    if (byte <= 0x20)
      throw CookieError(fmt::format("Invalid cookie '{}': a control character or a space", cookie.name));
    if (byte < 0x80) {
      append_escaped(text, byte);
    } else if (i + 1 < value.size() && (byte == 0xC2 || byte == 0xC3) &&
               (static_cast<unsigned char>(value[i + 1]) & 0xC0) == 0x80) {
      append_escaped(text, static_cast<unsigned char>(((byte & 3) << 6) | (value[++i] & 0x3F)));
    } else {
      throw CookieError(
          fmt::format("Invalid cookie '{}': a character above U+00FF, or no UTF-8", cookie.name));
    }
  }
  text += '"';
  return text;
}

void check_attribute(std::string_view name, std::string_view value) {
  for (const char c : value)
    if (is_control(c) || c == ' ' || c == ';')
      throw CookieError(fmt::format("Invalid cookie attribute {}", name));
}

void check_rules(const SetCookie& cookie) {
  if (!is_cookie_name(cookie.name)) throw CookieError("Invalid cookie attribute name");
  check_attribute("domain", cookie.domain);
  check_attribute("path", cookie.path);
  const auto refuse = [&](std::string_view why) {
    throw CookieError(fmt::format("Invalid cookie '{}': {}", cookie.name, why));
  };
  if (starts_with_ignoring_case(cookie.name, "__Secure-") && !cookie.secure)
    refuse("__Secure- without Secure");
  if (starts_with_ignoring_case(cookie.name, "__Host-") &&
      (!cookie.secure || cookie.path != "/" || !cookie.domain.empty()))
    refuse("__Host- needs Secure, the path / and no domain");
  if (cookie.same_site == SameSite::none && !cookie.secure) refuse("SameSite=None without Secure");
  if (cookie.partitioned && !cookie.secure) refuse("Partitioned without Secure");
}

std::optional<std::chrono::seconds> parse_max_age(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  // A longer age is cut to a hundred years, which cannot overflow.
  constexpr std::int64_t kMax = 100LL * 365 * 86400;
  std::int64_t seconds = 0;
  for (const char c : text) seconds = std::min(kMax, seconds * 10 + (c - '0'));
  return std::chrono::seconds(negative ? -seconds : seconds);
}

void read_attribute(SetCookie& cookie, std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "expires")) {
    if (const auto date = parse_cookie_date(value)) cookie.expires = date;
  } else if (equals_ignoring_case(name, "max-age")) {
    if (const auto age = parse_max_age(value)) cookie.max_age = age;
  } else if (equals_ignoring_case(name, "domain")) {
    if (value.starts_with('.')) value.remove_prefix(1);
    cookie.domain = value;
    make_lower(cookie.domain);
  } else if (equals_ignoring_case(name, "path")) {
    cookie.path = value.starts_with('/') ? value : "";
  } else if (equals_ignoring_case(name, "secure")) {
    cookie.secure = true;
  } else if (equals_ignoring_case(name, "httponly")) {
    cookie.http_only = true;
  } else if (equals_ignoring_case(name, "partitioned")) {
    cookie.partitioned = true;
  } else if (equals_ignoring_case(name, "samesite")) {
    cookie.same_site = equals_ignoring_case(value, "none")     ? SameSite::none
                       : equals_ignoring_case(value, "lax")    ? SameSite::lax
                       : equals_ignoring_case(value, "strict") ? SameSite::strict
                                                               : SameSite::unset;
  }
}

}  // namespace

bool is_cookie_name(std::string_view name) noexcept {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_token_char(c) || c == ':'; });
}

std::optional<QueryArguments> parse_cookies(std::string_view header, std::size_t max_cookies) {
  std::vector<Pair> pairs;
  while (!header.empty()) {
    const Pair pair = split_pair(next_piece(header));
    if (pair.name.empty() && pair.value.empty()) continue;
    if (pairs.size() == max_cookies) return std::nullopt;
    pairs.push_back(pair);
  }
  if (pairs.size() > 1) remove_earlier(pairs);
  QueryArguments cookies;
  cookies.reserve(pairs.size());
  for (const Pair& pair : pairs) cookies.emplace_back(pair.name, unquote_cookie(pair.value));
  return cookies;
}

std::string unquote_cookie(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  value = value.substr(1, value.size() - 2);
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      text += value[i];
    } else if (value.size() - i > 3 && value[i + 1] <= '3' && is_octal(value[i + 1]) &&
               is_octal(value[i + 2]) && is_octal(value[i + 3])) {
      append_latin1(text, static_cast<unsigned char>(((value[i + 1] - '0') << 6) |
                                                     ((value[i + 2] - '0') << 3) | (value[i + 3] - '0')));
      i += 3;
    } else {
      text += value[++i];
    }
  }
  return text;
}

std::string format_set_cookie(const SetCookie& cookie) {
  check_rules(cookie);
  std::string text = fmt::format("{}={}", cookie.name, quoted_value(cookie));
  if (!cookie.domain.empty()) text.append("; Domain=").append(cookie.domain);
  if (cookie.expires) text.append("; expires=").append(format_date(*cookie.expires));
  if (cookie.http_only) text += "; HttpOnly";
  if (cookie.max_age) text += fmt::format("; Max-Age={}", cookie.max_age->count());
  if (cookie.partitioned) text += "; Partitioned";
  if (!cookie.path.empty()) text.append("; Path=").append(cookie.path);
  constexpr std::string_view kSameSite[] = {"", "; SameSite=None", "; SameSite=Lax", "; SameSite=Strict"};
  text += kSameSite[static_cast<std::size_t>(cookie.same_site)];
  if (cookie.secure) text += "; Secure";
  return text;
}

std::string format_clear_cookie(SetCookie cookie, system_clock::time_point now) {
  cookie.value.clear();
  cookie.max_age.reset();
  cookie.expires = now - std::chrono::hours(24 * 365);
  return format_set_cookie(cookie);
}

std::optional<SetCookie> parse_set_cookie(std::string_view header) {
  // Here a tab counts as a blank, not as a control character.
  if (std::any_of(header.begin(), header.end(), [](char c) { return is_control(c) && c != '\t'; }))
    return std::nullopt;
  const std::string_view piece = next_piece(header);
  const Pair pair = split_pair(piece);
  if (pair.name.empty() || pair.name.size() + pair.value.size() > kMaxNameAndValue) return std::nullopt;
  SetCookie cookie;
  cookie.name = pair.name;
  cookie.value = pair.value;
  cookie.path.clear();
  while (!header.empty()) {
    const std::string_view attribute = next_piece(header);
    const std::size_t equals = std::min(attribute.find('='), attribute.size());
    const std::string_view value = trim(attribute.substr(std::min(equals + 1, attribute.size())));
    if (value.size() <= 1024) read_attribute(cookie, trim(attribute.substr(0, equals)), value);
  }
  return cookie;
}

}  // namespace squall::http
