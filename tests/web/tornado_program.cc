// Squall's functions of bytes for programs in Python. Reads a command a line: its name, and arguments in
// hexadecimal, separated by spaces, where `-` is an empty argument. Writes the result in the same way, or
// `none`.

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/linkify.h>
#include <squall/web/escape/squeeze.h>
#include <squall/web/escape/url_escape.h>
#include <squall/web/escape/xhtml.h>

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

const std::map<std::string, std::function<Result(const Arguments&)>> kCommands = {
    {"linkify", linkify_with},
    {"squeeze", [](const Arguments& arguments) { return squeeze(arguments.at(0)); }},
    {"url_escape",
     [](const Arguments& arguments) {
       return url_escape(arguments.at(0), arguments.at(1) == "plus" ? Plus::is_space : Plus::is_plus);
     }},
    {"url_unescape",
     [](const Arguments& arguments) {
       return url_unescape(arguments.at(0), arguments.at(1) == "plus" ? Plus::is_space : Plus::is_plus);
     }},
    {"xhtml_escape", [](const Arguments& arguments) { return xhtml_escape(arguments.at(0)); }},
    {"xhtml_unescape", [](const Arguments& arguments) { return xhtml_unescape(arguments.at(0)); }},
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
