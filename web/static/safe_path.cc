#include <squall/web/static/safe_path.h>

#include <algorithm>
#include <cstddef>

namespace squall::web {

std::optional<std::string> safe_path(std::string_view decoded) {
  if (decoded.starts_with('/') || decoded.find('\0') != decoded.npos) return std::nullopt;
  std::string path;  // each component with a slash behind it
  path.reserve(decoded.size() + 1);
  bool is_folder = true;
  while (!decoded.empty()) {
    const std::size_t end = std::min(decoded.find('/'), decoded.size());
    const std::string_view component = decoded.substr(0, end);
    is_folder = end < decoded.size() || component == "." || component == "..";
    decoded.remove_prefix(std::min(end + 1, decoded.size()));
    if (component == "..") {
      if (path.empty()) return std::nullopt;
      path.pop_back();
      path.resize(path.rfind('/') + 1);  // npos + 1 is 0
    } else if (!component.empty() && component != ".") {
      path.append(component) += '/';
    }
  }
  if (!is_folder) path.pop_back();
  return path;
}

}  // namespace squall::web
