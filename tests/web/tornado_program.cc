// Squall's functions of bytes for programs in Python. Reads a command a line: its name, and arguments in
// hexadecimal, separated by spaces, where `-` is an empty argument. Writes the result in the same way, or
// `none`.

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/linkify.h>
#include <squall/web/escape/squeeze.h>
#include <squall/web/escape/url_escape.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/security/signed_value.h>
#include <squall/web/security/xsrf_token.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
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

Result xsrf_bytes(const Arguments& arguments) {
  const auto token = XsrfToken::decode(arguments.at(0), time_of("0"));
  return token ? Result(token->bytes()) : std::nullopt;
}

Result xsrf_encode(const Arguments& arguments) {
  return XsrfToken(arguments.at(0), time_of(arguments.at(1))).encode(std::stoi(arguments.at(2)));
}

const std::map<std::string, std::function<Result(const Arguments&)>> kCommands = {
    {"key_version", key_version},
    {"linkify", linkify_with},
    {"sign", sign},
    {"squeeze", [](const Arguments& arguments) { return squeeze(arguments.at(0)); }},
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
