#include <squall/web/handler/local_path.h>

#include <algorithm>

namespace squall::web {
namespace {

constexpr std::size_t kLongestNext = 1000;

}  // namespace

bool is_local_path(std::string_view text) noexcept {
  if (!text.starts_with('/') || text.starts_with("//")) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7F && c != '\\';
  });
}

std::string next_path(RequestHandler& handler, std::string_view otherwise) {
  std::string next = handler.get_argument("next", otherwise);
  if (next.size() > kLongestNext || !is_local_path(next)) next = otherwise;
  return next;
}

}  // namespace squall::web
