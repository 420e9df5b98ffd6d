#include <squall/web/escape/json_script.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <cstddef>

namespace squall::web {

std::string escape_json_for_script(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  while (!json.empty()) {
    const std::size_t angle = std::min(json.find('<'), json.size());
    escaped.append(json.substr(0, angle));
    json.remove_prefix(angle);
    if (json.empty()) break;
    json.remove_prefix(1);
    if (json.starts_with('/')) {
      escaped += "<\\";
    } else if (json.starts_with("!--") || starts_with_ignoring_case(json, "script")) {
      escaped += "\\u003c";
    } else {
      escaped += '<';
    }
  }
  return escaped;
}

}  // namespace squall::web
