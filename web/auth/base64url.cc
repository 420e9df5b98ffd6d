#include <squall/web/auth/base64url.h>

#include <squall/http/message/base64.h>

namespace squall::web::detail {

std::string base64url_encode(std::string_view bytes) {
  std::string text = http::base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.find_first_of("+/=") != text.npos) return std::nullopt;
  std::string padded(text);
  for (char& c : padded) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  padded.append((4 - padded.size() % 4) % 4, '=');
  return http::base64_decode(padded);
}

}  // namespace squall::web::detail
