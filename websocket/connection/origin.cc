#include <squall/websocket/connection/origin.h>

#include <squall/ioloop/base/ascii.h>

namespace squall::websocket {

bool is_same_origin(std::string_view origin, std::string_view host) noexcept {
  const std::size_t scheme_end = origin.find("://");
  if (scheme_end == origin.npos) return false;
  std::string_view authority = origin.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  return !authority.empty() && equals_ignoring_case(authority, host);
}

}  // namespace squall::websocket
