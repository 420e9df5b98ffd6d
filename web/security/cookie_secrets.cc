#include <squall/web/security/cookie_secrets.h>

#include <stdexcept>

namespace squall::web {
namespace {

void check_secrets(const std::map<int, std::string>& secrets) {
  for (const auto& [version, secret] : secrets) {
    if (version < 0) throw std::invalid_argument("the key version of a cookie secret is negative");
    if (secret.empty()) throw std::invalid_argument("a cookie secret is empty");
  }
}

}  // namespace

CookieSecrets::CookieSecrets(std::string secret) {
  secrets_.emplace(0, std::move(secret));
  check_secrets(secrets_);
}

CookieSecrets::CookieSecrets(const char* secret) : CookieSecrets(std::string(secret)) {}

CookieSecrets::CookieSecrets(std::map<int, std::string> secrets)
    : secrets_(std::move(secrets)), has_key_versions_(!secrets_.empty()) {
  check_secrets(secrets_);
}

CookieSecrets::CookieSecrets(std::initializer_list<std::pair<const int, std::string>> secrets)
    : CookieSecrets(std::map<int, std::string>(secrets)) {}

const std::string* CookieSecrets::find(int key_version) const noexcept {
  const auto found = has_key_versions_ ? secrets_.find(key_version) : secrets_.begin();
  return found == secrets_.end() ? nullptr : &found->second;
}

}  // namespace squall::web
