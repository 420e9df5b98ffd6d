#include <squall/web/handler/json_text.h>

#include <cstddef>
#include <stdexcept>

namespace squall::web {

void make_json_safe(std::string& json) {
  const std::size_t begin = json.find_first_not_of(" \t\r\n");
  if (begin != json.npos && json[begin] == '[')
    throw std::invalid_argument("write_json() takes no array: put it into an object, or write() its text");
  std::size_t from = json.find("</");
  if (from == json.npos) return;
  // `<` is found within strings alone.
  std::string safe(json, 0, from);
  while (from != json.npos) {
    safe += "<\\/";
    const std::size_t next = json.find("</", from + 2);
    safe.append(json, from + 2, next == json.npos ? json.npos : next - from - 2);
    from = next;
  }
  json = std::move(safe);
}

}  // namespace squall::web
