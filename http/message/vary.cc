#include <squall/http/message/vary.h>

#include <squall/http/message/header_params.h>
#include <squall/http/message/headers.h>
#include <squall/ioloop/base/ascii.h>

#include <string>

namespace squall::http {

void add_vary(Headers& headers, std::string_view name) {
  if (!headers.contains("Vary")) return headers.set("Vary", name);
  std::string present = headers.get("Vary");
  std::string_view rest = present;
  while (const auto element = next_list_element(rest))
    if (*element == "*" || equals_ignoring_case(*element, name)) return;
  present += present.empty() ? "" : ", ";
  headers.set("Vary", present += name);
}

}  // namespace squall::http
