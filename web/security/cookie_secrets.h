#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>

namespace squall::web {

// The secret that signs cookies, or several secrets with key versions, to replace a secret without
// invalidating the cookies that it has signed (WEB-92):
//
//     CookieSecrets one = "long and random";
//     CookieSecrets several = {{1, "the old secret"}, {2, "the new secret"}};
//
// A secret should be random and have at least 32 bytes. The constructors throw std::invalid_argument for an
// empty secret and for a negative key version.
class CookieSecrets {
 public:
  // No secrets: nothing can be signed, and no signed value is valid.
  CookieSecrets() = default;
  CookieSecrets(std::string secret);                  // NOLINT(google-explicit-constructor)
  CookieSecrets(const char* secret);                  // NOLINT(google-explicit-constructor)
  CookieSecrets(std::map<int, std::string> secrets);  // NOLINT(google-explicit-constructor)
  CookieSecrets(std::initializer_list<std::pair<const int, std::string>> secrets);

  bool empty() const noexcept { return secrets_.empty(); }
  // Whether the secrets have key versions. Only format 2 can be signed and verified with them.
  bool has_key_versions() const noexcept { return has_key_versions_; }
  // The secret of a key version; without key versions the only secret. Null if there is no such secret.
  const std::string* find(int key_version) const noexcept;

 private:
  std::map<int, std::string> secrets_;
  bool has_key_versions_ = false;
};

}  // namespace squall::web
