#pragma once

#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

// A person of the pretend provider.
struct FakeUser {
  std::string id;
  std::string name;
  std::string given_name;
  std::string family_name;
  std::string email;
  std::vector<std::string> posts;
};

// A provider of sign-in for demos and their tests: OpenID Connect, and the parts of Facebook's graph that the
// demo uses. It asks no password, so it serves 127.0.0.1 alone, and its pages say what it is.
//
// Codes are good once and for a minute, for the redirect_uri and the PKCE challenge that they were made for.
//
// Lifetime:  borrows the loop; destroyed before it.
class FakeProvider {
 public:
  struct Options {
    std::string plays;  // the provider whose place it takes, for its pages: `Google`
    std::string client_id;
    std::string client_secret;
    std::string pages;  // the folder of its pages
    std::chrono::seconds token_lifetime = std::chrono::hours(1);
    int feed_status = 200;  // of the posts; another one: it refuses them
  };

  explicit FakeProvider(Options options);
  ~FakeProvider();

  // `http://127.0.0.1:1234`, which is also the issuer of its ID tokens.
  const std::string& url() const noexcept { return url_; }

  // ---- For its handlers.

  // The user and the sign-in that a code or an access token belongs to.
  struct Grant {
    const FakeUser* user = nullptr;
    std::string redirect_uri{};
    std::string challenge{};
    std::string nonce{};
    std::chrono::steady_clock::time_point expires{};
  };
  const Options& options() const noexcept { return options_; }
  const FakeUser* find_user(std::string_view id) const;
  const std::vector<FakeUser>& users() const noexcept { return users_; }
  squall::web::TemplateLoader& templates() noexcept { return templates_; }
  std::string make_code(Grant grant);
  // Removes the code. Its user is null for a code that is unknown, used up or too old.
  Grant take_code(const std::string& code);
  std::string make_access_token(const FakeUser& user);
  // Null for a token that is unknown or too old.
  const FakeUser* user_of_token(const std::string& token) const;
  // A signed ID token with these claims, as JSON, and the set of the public key.
  std::string sign(const std::string& claims) const;
  std::string key_set() const;

 private:
  Options options_;
  std::vector<FakeUser> users_;
  squall::web::TemplateLoader templates_;
  std::shared_ptr<void> key_;  // an EVP_PKEY
  std::map<std::string, Grant> codes_;
  std::map<std::string, Grant> tokens_;
  std::string url_;
  squall::web::Application app_;
};

}  // namespace demo
