// demos/facebook/main.cc -- shows the posts of a user who signs in with Facebook, or a pretend one.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "google_auth/fake_provider.h"

using namespace squall;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr const char* kCookie = "fbdemo_user";

// The parts that the handlers share.
struct Site {
  web::FacebookClient& facebook;
  bool is_offline;
};

// The text of a member of an object; empty without it, and for a value that is no text.
std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class SiteHandler : public web::RequestHandler {
 public:
  void initialize(const Site& site) { site_ = &site; }

  // The JSON of the signed-in user, from the signed cookie.
  std::optional<json> get_current_user() {
    const std::optional<std::string> cookie = get_signed_cookie(kCookie);
    json user = json::parse(cookie.value_or(""), nullptr, /*allow_exceptions=*/false);
    return user.is_object() ? std::optional(std::move(user)) : std::nullopt;
  }

 protected:
  const Site& site() const noexcept { return *site_; }
  void show(std::string_view page, web::TemplateArguments arguments) {
    arguments.set("is_offline", site().is_offline);
    set_header("Cache-Control", "no-store");
    render(page, arguments);
  }

 private:
  const Site* site_ = nullptr;
};

// A post of the stream.
class PostModule : public web::UIModule {
 public:
  std::string render(const web::TemplateCall& call) override {
    return render_string("post.html", {{"post", *call.at(0)}});
  }
};

class MainHandler : public SiteHandler {
 public:
  static constexpr bool authenticated = true;

  Task<> get() {
    const json user = *current_user<json>();
    std::string failure;
    bool is_expired = false;
    json stream;
    try {
      const std::string token = text_of(user, "access_token");
      const web::JsonReply reply = co_await site().facebook.facebook_request("/me/feed", token);
      stream = reply.as<json>();
    } catch (const web::AuthError& error) {
      failure = error.message();
      is_expired = error.answered() == 400 || error.answered() == 401;
    }
    if (!failure.empty()) {
      log::general().warning("/me/feed: {}", failure);
      if (!is_expired) {
        set_status(502);
        show("failed.html", {});
        co_return;
      }
      // The session has expired: back to the sign-in.
      clear_cookie(kCookie);
      redirect("/auth/login");
      co_return;
    }
    web::TemplateArguments arguments;
    arguments.set("name", text_of(user, "name"));
    const auto posts = stream.is_object() ? stream.find("data") : stream.end();
    arguments.set("posts", posts != stream.end() && posts->is_array() ? *posts : json::array());
    show("stream.html", std::move(arguments));
  }
};

// Begins a sign-in, and ends it when the browser comes back.
class LoginHandler : public SiteHandler {
 public:
  Task<> get() {
    const web::FacebookClient& facebook = site().facebook;
    if (!web::FacebookClient::is_response(*this)) {
      web::AuthorizeOptions options;
      options.scope.push_back("user_posts");
      options.next = web::next_path(*this);
      facebook.authorize_redirect(*this, options);
      co_return;
    }
    std::string reason;
    try {
      const web::FacebookUser user = co_await facebook.get_authenticated_user(*this);
      const json cookie = {{"id", user.id}, {"name", user.name}, {"access_token", user.access_token}};
      set_signed_cookie(kCookie, cookie.dump());
      redirect(user.next);
    } catch (const web::AuthError& error) {
      log::general().warning("sign-in: {}", error.message());
      set_status(error.status());
      reason = error.fault() == web::AuthError::Fault::refused ? "You have not signed in."
                                                               : "The sign-in has failed.";
    }
    if (!reason.empty()) show("signed_out.html", {{"reason", reason}});
  }
};

class LogoutHandler : public SiteHandler {
 public:
  void get() {
    if (get_current_user()) return show("sign_out.html", {});
    show("signed_out.html", {{"reason", "You are signed out."}});
  }
  void post() {
    clear_cookie(kCookie);
    redirect("/auth/logout", 303);
  }
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string api_key;
  std::string secret;
  std::string pages = FACEBOOK_PAGES;
  std::string provider_pages = FAKE_PROVIDER_PAGES;
  bool is_offline = false;
  int token_lifetime = 3600;
  int feed_status = 200;
};

std::string random_secret() {
  const auto token = web::XsrfToken::random(std::chrono::system_clock::now());
  return token.bytes() + token.bytes();
}

void serve(Options options) {
  IOLoop loop;
  std::optional<demo::FakeProvider> pretend;
  if (options.is_offline) {
    options.api_key = "facebook-demo";
    options.secret = "a secret that is none";
    pretend.emplace(
        demo::FakeProvider::Options{.plays = "Facebook",
                                    .client_id = options.api_key,
                                    .client_secret = options.secret,
                                    .pages = options.provider_pages,
                                    .token_lifetime = std::chrono::seconds(options.token_lifetime),
                                    .feed_status = options.feed_status});
  }
  web::FacebookOptions facebook_options{.client_id = options.api_key, .client_secret = options.secret};
  if (pretend) {
    facebook_options.authorize_url = pretend->url() + "/authorize";
    facebook_options.token_url = pretend->url() + "/token";
    facebook_options.graph_url = pretend->url();
  }
  web::FacebookClient facebook(std::move(facebook_options));
  const Site site{.facebook = facebook, .is_offline = options.is_offline};
  web::Settings settings;
  settings.cookie_secret = random_secret();  // sign-ins end with the program
  settings.login_url = "/auth/login";
  settings.static_path = options.pages;
  settings.template_path = options.pages;
  settings.ui_modules["Post"] = web::ui_module<PostModule>();
  settings.xsrf_cookies = web::XsrfOptions();
  settings.middleware = {web::SecurityHeaders()};
  web::Application app(
      {web::url<MainHandler>("/", std::cref(site)), web::url<LoginHandler>("/auth/login", std::cref(site)),
       web::url<LogoutHandler>("/auth/logout", std::cref(site))},
      settings);
  http::HTTPServer& server = app.listen(options.port, options.listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("facebook", "Shows the posts of a user who signs in with Facebook.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("facebook_api_key", options.api_key, "the id of the app at Facebook");
  line.bind("facebook_secret", options.secret, "its secret");
  line.bind("offline", options.is_offline, "sign in with a pretend Facebook, which the demo starts");
  line.bind("token_lifetime", options.token_lifetime, "seconds that its access tokens are good for");
  line.bind("feed_status", options.feed_status,
            "status of its posts, such as 503 to see the page of a failure");
  line.bind("pages", options.pages, "folder of the pages");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  if (!options.is_offline && (options.api_key.empty() || options.secret.empty())) {
    fmt::print(stderr,
               "facebook: --facebook_api_key and --facebook_secret are needed, or --offline for a pretend "
               "Facebook\n");
    return 1;
  }
  log::enable_pretty_logging();
  try {
    serve(std::move(options));
  } catch (const std::exception& error) {
    fmt::print(stderr, "facebook: {}\n", error.what());
    return 1;
  }
  return 0;
}
