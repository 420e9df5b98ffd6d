#include <squall/http/client/fetch_route.h>

#include <squall/http/client/client_tls.h>
#include <squall/http/client/credentials.h>
#include <squall/http/client/proxy_environment.h>

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

namespace squall::http {

FetchRoute::FetchRoute(const Fetch& fetch) : fetch_(fetch) {
  if (fetch.option(&FetchOptions::unix_socket)) return;
  if (const auto& proxy = fetch.option(&FetchOptions::proxy)) {
    proxy_ = &*proxy;
  } else if (fetch.setting(&FetchOptions::proxy).is_open() &&
             fetch.flag(&FetchOptions::proxy_from_environment, false)) {
    environment_ = proxy_of_environment(fetch.url(), [](const char* name) { return std::getenv(name); });
    if (environment_) {
      check_credentials(*environment_);
      proxy_ = &*environment_;
    }
  }
  if (proxy_ && proxy_->auth_mode == AuthMode::digest && !proxy_->username.empty())
    throw std::invalid_argument("unsupported auth_mode digest of a proxy");
}

void FetchRoute::write_key(std::string& key) const {
  const URL& url = fetch_.url();
  const std::string_view authority = url.authority();
  if (url.userinfo()) {
    key.assign(url.scheme()).append("://").append(authority);
  } else {
    // The text begins with the origin.
    key.assign(url.text().data(), authority.data() + authority.size());
  }
  // A URL has no blank in it, so the parts cannot be confused.
  if (proxy_)
    key += fmt::format(" proxy {}:{} {}:{}", proxy_->host, proxy_->port, proxy_->username, proxy_->password);
  if (const auto& path = fetch_.option(&FetchOptions::unix_socket)) key.append(" unix ").append(*path);
  if (const auto& from = fetch_.option(&FetchOptions::network_interface)) key.append(" from ").append(*from);
  if (!fetch_.flag(&FetchOptions::allow_ipv6, true)) key.append(" 4");
  if (url.is_https()) ClientTLS::append_key(key, fetch_);
}

}  // namespace squall::http
