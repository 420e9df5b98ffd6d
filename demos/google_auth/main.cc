// demos/google_auth/main.cc -- signs users in with Google, or offline with a pretend Google of its own.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "fake_provider.h"

using namespace squall;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr const char* kCookie = "googledemo_user";

// The parts that the handlers share.
struct Site {
  web::OpenIDConnectClient& google;
  std::string userinfo_url;
  web::TemplateLoader& pages;
  bool is_offline;
};

// The contents of the signed cookie of a signed-in user.
struct User {
  std::string id;
  std::string access_token;
};

// The text of a member of an object; empty without it, and for a value that is no text.
std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class SiteHandler : public web::RequestHandler {
 public:
  void initialize(const Site& site) { site_ = &site; }

  std::optional<User> get_current_user() {
    const std::optional<std::string> cookie = get_signed_cookie(kCookie);
    const json user = json::parse(cookie.value_or(""), nullptr, /*allow_exceptions=*/false);
    if (!user.is_object()) return std::nullopt;
    return User{text_of(user, "id"), text_of(user, "access_token")};
  }

 protected:
  const Site& site() const noexcept { return *site_; }
  void show(std::string_view page, web::TemplateArguments arguments) {
    arguments.set("is_offline", site().is_offline);
    arguments.set("sign_in", reverse_url("auth_google"));
    arguments.set("xsrf_form_html", xsrf_form_html());
    set_header("Cache-Control", "no-store");
    write(site().pages.load(page)->generate(arguments));
  }

 private:
  const Site* site_ = nullptr;
};

class MainHandler : public SiteHandler {
 public:
  static constexpr bool authenticated = true;

  Task<> get() {
    json profile;
    try {
      const std::string token = current_user<User>()->access_token;
      const web::JsonReply reply = co_await site().google.oauth2_request(site().userinfo_url, token);
      profile = reply.as<json>();
    } catch (const web::AuthError& error) {
      // The token has expired, for example. The user may sign in again.
      log::general().warning("userinfo: {}", error.message());
    }
    if (!profile.is_object()) {
      clear_cookie(kCookie);
      show("signed_out.html", {{"reason", "Your sign-in has ended."}});
      co_return;
    }
    show("home.html", {{"name", text_of(profile, "name")}, {"email", text_of(profile, "email")}});
  }
};

// Begins a sign-in, and ends it when the browser comes back.
class GoogleHandler : public SiteHandler {
 public:
  Task<> get() {
    web::OpenIDConnectClient& google = site().google;
    if (!web::OpenIDConnectClient::is_response(*this)) {
      web::AuthorizeOptions options;
      options.redirect_uri = reverse_url("auth_google");
      options.scope = scope();
      options.next = web::next_path(*this);
      co_await google.authorize_redirect(*this, std::move(options));
      co_return;
    }
    std::string reason;
    try {
      const web::OpenIDConnectUser user = co_await google.get_authenticated_user(*this);
      const json cookie = {{"id", user.claims.subject}, {"access_token", user.tokens.access_token}};
      set_signed_cookie(kCookie, cookie.dump());
      redirect(user.tokens.next);
    } catch (const web::AuthError& error) {
      log::general().warning("sign-in: {}", error.message());
      set_status(error.status());
      reason = error.fault() == web::AuthError::Fault::refused ? "You have not signed in."
                                                               : "The sign-in has failed.";
    }
    if (!reason.empty()) show("signed_out.html", {{"reason", reason}});
  }

 private:
  static std::vector<std::string> scope() { return {"profile", "email"}; }
};

class LogoutHandler : public SiteHandler {
 public:
  void get() {
    if (get_current_user()) return show("sign_out.html", {});
    show("signed_out.html", {{"reason", "You are signed out."}});
  }
  void post() {
    clear_cookie(kCookie);
    redirect("/logout", 303);
  }
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string key;
  std::string secret;
  std::string pages = GOOGLE_AUTH_PAGES;
  std::string provider_pages = FAKE_PROVIDER_PAGES;
  bool is_offline = false;
  int token_lifetime = 3600;
};

std::string random_secret() {
  const auto token = web::XsrfToken::random(std::chrono::system_clock::now());
  return token.bytes() + token.bytes();
}

void serve(Options options) {
  IOLoop loop;
  std::optional<demo::FakeProvider> pretend;
  if (options.is_offline) {
    options.key = "google_auth-demo";
    options.secret = "a secret that is none";
    pretend.emplace(
        demo::FakeProvider::Options{.plays = "Google",
                                    .client_id = options.key,
                                    .client_secret = options.secret,
                                    .pages = options.provider_pages,
                                    .token_lifetime = std::chrono::seconds(options.token_lifetime)});
  }
  web::OpenIDConnectOptions google_options = web::google_options(options.key, options.secret);
  if (pretend) {
    google_options.issuer = pretend->url();
    google_options.endpoints.reset();  // read from the discovery document
  }
  web::OpenIDConnectClient google(std::move(google_options));
  web::TemplateLoader pages(options.pages);
  const Site site{.google = google,
                  .userinfo_url = pretend ? pretend->url() + "/userinfo" : web::kGoogleUserinfoUrl,
                  .pages = pages,
                  .is_offline = options.is_offline};
  web::Settings settings;
  settings.cookie_secret = random_secret();  // sign-ins end with the program
  settings.login_url = "/auth/google";
  settings.static_path = options.pages;
  settings.xsrf_cookies = web::XsrfOptions();
  settings.middleware = {web::SecurityHeaders()};
  web::Application app({web::url<MainHandler>("/", std::cref(site)),
                        web::url<GoogleHandler>("/auth/google", std::cref(site)).named("auth_google"),
                        web::url<LogoutHandler>("/logout", std::cref(site))},
                       settings);
  http::HTTPServer& server = app.listen(options.port, options.listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("google_auth", "Signs users in with Google.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("google_oauth_key", options.key, "the client id of Google's console");
  line.bind("google_oauth_secret", options.secret, "its secret");
  line.bind("offline", options.is_offline, "sign in with a pretend Google, which the demo starts");
  line.bind("token_lifetime", options.token_lifetime, "seconds that its access tokens are good for");
  line.define_config_option("config_file");
  line.bind("pages", options.pages, "folder of the pages");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  if (!options.is_offline && (options.key.empty() || options.secret.empty())) {
    fmt::print(stderr,
               "google_auth: --google_oauth_key and --google_oauth_secret are needed, or --offline for a "
               "pretend Google\n");
    return 1;
  }
  log::enable_pretty_logging();
  try {
    serve(std::move(options));
  } catch (const std::exception& error) {
    fmt::print(stderr, "google_auth: {}\n", error.what());
    return 1;
  }
  return 0;
}
