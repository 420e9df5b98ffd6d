#include <squall/web/middleware/basic_auth.h>

#include <squall/http/message/base64.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/handler/request_local.h>
#include <squall/web/security/sha256.h>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace squall::web {
namespace {

struct UserName {
  std::string text;
};

bool has_control(std::string_view text) noexcept { return std::any_of(text.begin(), text.end(), is_control); }

// `name:password` of the Authorization header.
std::optional<std::string> credentials_of(const http::ServerRequest& request) {
  constexpr std::string_view kScheme = "Basic ";
  const auto sent = request.headers().find("Authorization");
  if (!sent || !starts_with_ignoring_case(*sent, kScheme)) return std::nullopt;
  auto credentials = http::base64_decode(trim(sent->substr(kScheme.size())));
  if (!credentials || has_control(*credentials) || credentials->find(':') == credentials->npos)
    return std::nullopt;
  return credentials;
}

}  // namespace

BasicAuth::BasicAuth(Options options) : check_(std::move(options.check)) {
  if (options.users.empty() && !check_) throw std::invalid_argument("BasicAuth needs users, or a check");
  if (has_control(options.realm)) throw std::invalid_argument("BasicAuth: a control character in the realm");
  for (const auto& [name, password] : options.users) {
    if (name.find(':') != name.npos || has_control(name) || has_control(password))
      throw std::invalid_argument("BasicAuth: a colon in a name, or a control character");
    known_.push_back(detail::sha256(fmt::format("{}:{}", name, password)));
  }
  challenge_ = "Basic realm=\"";
  for (const char c : options.realm) {
    if (c == '"' || c == '\\') challenge_ += '\\';
    challenge_ += c;
  }
  challenge_ += "\", charset=\"UTF-8\"";
}

// Compares with all, so that the time does not depend on which of them is equal.
bool BasicAuth::lets_in(std::string_view credentials) const {
  const Digest digest = detail::sha256(credentials);
  bool is_known = false;
  for (const Digest& known : known_)
    is_known |= ::CRYPTO_memcmp(digest.data(), known.data(), digest.size()) == 0;
  if (is_known || !check_) return is_known;
  const std::size_t colon = credentials.find(':');
  return check_(credentials.substr(0, colon), credentials.substr(colon + 1));
}

void BasicAuth::before(RequestHandler& handler) {
  const std::optional<std::string> credentials = credentials_of(handler.request());
  if (!credentials || !lets_in(*credentials)) return handler.send_error(401);
  request_local<UserName>(handler).text = credentials->substr(0, credentials->find(':'));
}

// Here, because an error page clears headers that were set before it. A 401 needs the header (RFC 9110,
// 15.5.2), also if the handler sends it.
void BasicAuth::before_head(RequestHandler& handler) {
  if (handler.status() == 401 && !handler.exchange().headers().contains("WWW-Authenticate"))
    handler.set_header("WWW-Authenticate", challenge_);
}

std::string_view BasicAuth::user(RequestHandler& handler) noexcept {
  const UserName* const name = find_request_local<UserName>(handler);
  return name ? std::string_view(name->text) : std::string_view();
}

}  // namespace squall::web
