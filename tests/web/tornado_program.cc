// Squall's functions of bytes for programs in Python. Reads a command a line: its name, and arguments in
// hexadecimal, separated by spaces, where `-` is an empty argument. Writes the result in the same way, or
// `none`.

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/linkify.h>
#include <squall/web/escape/squeeze.h>
#include <squall/web/escape/url_escape.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/locale/locales.h>
#include <squall/web/locale/plural_rule.h>
#include <squall/web/locale/translation_error.h>
#include <squall/web/security/signed_value.h>
#include <squall/web/security/xsrf_token.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {
namespace {

using Arguments = std::vector<std::string>;
using Result = std::optional<std::string>;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  if (hex == "-") return bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes += static_cast<char>(hex_value(hex[at]) * 16 + hex_value(hex[at + 1]));
  return bytes;
}

std::string to_hex(const std::string& bytes) {
  if (bytes.empty()) return "-";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.append({kLowerHex[byte >> 4], kLowerHex[byte & 15]});
  }
  return hex;
}

Result linkify_with(const Arguments& arguments) {
  LinkifyOptions options;
  options.shorten = arguments.at(1) == "shorten";
  options.extra_params = arguments.at(2);
  options.require_protocol = arguments.at(3) == "require_protocol";
  options.permitted_protocols.assign(arguments.begin() + 4, arguments.end());
  return linkify(arguments.at(0), options);
}

std::chrono::system_clock::time_point time_of(const std::string& unix_time) {
  return std::chrono::system_clock::from_time_t(std::stoll(unix_time));
}

// One secret, or several with their key versions: `1=old;2=new`.
CookieSecrets secrets_of(const std::string& text) {
  if (text.find('=') == text.npos) return text;
  std::map<int, std::string> secrets;
  std::istringstream pairs(text);
  for (std::string pair; std::getline(pairs, pair, ';');)
    secrets.emplace(std::stoi(pair), pair.substr(pair.find('=') + 1));
  return secrets;
}

// secrets, name, value, time, version, and the key version or nothing.
Result sign(const Arguments& arguments) {
  SigningOptions options;
  options.version = std::stoi(arguments.at(4));
  if (!arguments.at(5).empty()) options.key_version = std::stoi(arguments.at(5));
  return create_signed_value(secrets_of(arguments.at(0)), arguments.at(1), arguments.at(2),
                             time_of(arguments.at(3)), options);
}

// secrets, name, text, time, the days that it may be old, and the lowest version.
Result verify(const Arguments& arguments) {
  VerifyOptions options;
  options.max_age = std::chrono::days(std::stoi(arguments.at(4)));
  options.min_version = std::stoi(arguments.at(5));
  return decode_signed_value(secrets_of(arguments.at(0)), arguments.at(1), arguments.at(2),
                             time_of(arguments.at(3)), options);
}

Result key_version(const Arguments& arguments) {
  const auto version = get_signature_key_version(arguments.at(0));
  return version ? Result(std::to_string(*version)) : std::nullopt;
}

// ---- Locales.

// The header Plural-Forms, and how many counts from 0: the form of each, separated by spaces. `none` for a
// header that is refused.
Result plural_forms(const Arguments& arguments) {
  try {
    const detail::PluralRule rule(arguments.at(0));
    std::string forms;
    for (std::uint64_t count = 0; count < std::stoull(arguments.at(1)); ++count) {
      const std::optional<std::size_t> form = rule.form_of(count);
      forms += (form ? std::to_string(*form) : "-") + ' ';
    }
    return forms;
  } catch (const detail::TranslationError&) {
    return std::nullopt;
  }
}

// The locales of a folder: catalogs of gettext, or CSV if `domain` is empty.
const Locales& locales_of(const std::string& folder, const std::string& domain) {
  static std::map<std::pair<std::string, std::string>, Locales> all;
  const auto [entry, is_new] = all.try_emplace({folder, domain});
  if (is_new && !folder.empty()) {
    if (domain.empty()) {
      entry->second.load_translations(folder);
    } else {
      entry->second.load_gettext_translations(folder, domain);
    }
  }
  return entry->second;
}

// folder, domain, codes separated by commas.
Result closest(const Arguments& arguments) {
  std::vector<std::string_view> codes;
  for (std::string_view rest = arguments.at(2); !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    codes.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return locales_of(arguments.at(0), arguments.at(1)).closest(codes).code();
}

// folder, domain, code, context, message, plural, count. The context and the plural may be empty: then the
// text is translated without them.
Result translate(const Arguments& arguments) {
  const Locale locale = locales_of(arguments.at(0), arguments.at(1)).get(arguments.at(2));
  const std::string& context = arguments.at(3);
  const std::string& message = arguments.at(4);
  const std::string& plural = arguments.at(5);
  if (plural.empty()) return context.empty() ? locale.translate(message) : locale.pgettext(context, message);
  const std::int64_t count = std::stoll(arguments.at(6));
  return context.empty() ? locale.translate(message, plural, count)
                         : locale.pgettext(context, message, plural, count);
}

// folder, code, date, now, offset, and the words `absolute`, `shorter` and `full`.
Result format_date(const Arguments& arguments) {
  const auto has = [&](std::string_view word) { return arguments.at(5).find(word) != std::string::npos; };
  DateOptions options{.gmt_offset = std::chrono::minutes(std::stoi(arguments.at(4))),
                      .relative = !has("absolute"),
                      .shorter = has("shorter"),
                      .full_format = has("full"),
                      .now = time_of(arguments.at(3))};
  return locales_of(arguments.at(0), "").get(arguments.at(1)).format_date(time_of(arguments.at(2)), options);
}

// folder, code, date, offset, `weekday` or not.
Result format_day(const Arguments& arguments) {
  const DayOptions options{.gmt_offset = std::chrono::minutes(std::stoi(arguments.at(3))),
                           .weekday = arguments.at(4) == "weekday"};
  return locales_of(arguments.at(0), "").get(arguments.at(1)).format_day(time_of(arguments.at(2)), options);
}

// code, number.
Result friendly_number(const Arguments& arguments) {
  return Locales(arguments.at(0)).get(arguments.at(0)).friendly_number(std::stoll(arguments.at(1)));
}

// code, items.
Result list(const Arguments& arguments) {
  return Locales(arguments.at(0)).get(arguments.at(0)).list({arguments.begin() + 1, arguments.end()});
}

Result xsrf_bytes(const Arguments& arguments) {
  const auto token = XsrfToken::decode(arguments.at(0), time_of("0"));
  return token ? Result(token->bytes()) : std::nullopt;
}

Result xsrf_encode(const Arguments& arguments) {
  return XsrfToken(arguments.at(0), time_of(arguments.at(1))).encode(std::stoi(arguments.at(2)));
}

const std::map<std::string, std::function<Result(const Arguments&)>> kCommands = {
    {"closest", closest},
    {"format_date", format_date},
    {"format_day", format_day},
    {"friendly_number", friendly_number},
    {"key_version", key_version},
    {"linkify", linkify_with},
    {"list", list},
    {"plural_forms", plural_forms},
    {"sign", sign},
    {"squeeze", [](const Arguments& arguments) { return squeeze(arguments.at(0)); }},
    {"translate", translate},
    {"url_escape",
     [](const Arguments& arguments) {
       return url_escape(arguments.at(0), arguments.at(1) == "plus" ? Plus::is_space : Plus::is_plus);
     }},
    {"url_unescape",
     [](const Arguments& arguments) {
       return url_unescape(arguments.at(0), arguments.at(1) == "plus" ? Plus::is_space : Plus::is_plus);
     }},
    {"verify", verify},
    {"xhtml_escape", [](const Arguments& arguments) { return xhtml_escape(arguments.at(0)); }},
    {"xhtml_unescape", [](const Arguments& arguments) { return xhtml_unescape(arguments.at(0)); }},
    {"xsrf_bytes", xsrf_bytes},
    {"xsrf_encode", xsrf_encode},
};

void answer(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  words >> name;
  Arguments arguments;
  for (std::string word; words >> word;) arguments.push_back(from_hex(word));
  const Result result = kCommands.at(name)(arguments);
  std::cout << (result ? to_hex(*result) : "none") << std::endl;
}

}  // namespace
}  // namespace squall::web

int main() {
  for (std::string line; std::getline(std::cin, line);) squall::web::answer(line);
}
