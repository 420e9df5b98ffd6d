#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace squall::http {
class Headers;
class ServerRequest;
}  // namespace squall::http

namespace squall::web {

class RequestHandler;

struct CORSOptions {
  // The origins whose scripts may read responses, as browsers write them: `https://app.example`. `*` is any.
  std::vector<std::string> origins{};
  // The methods that a preflight allows, in their exact spelling; empty: the verbs of the route's handler.
  std::vector<std::string> methods{};
  // The request headers that a preflight allows, beside those that need no permission.
  std::vector<std::string> request_headers{};
  // The response headers that scripts may read, beside those that all may read.
  std::vector<std::string> exposed_headers{};
  // Whether scripts may read responses to requests with cookies or other credentials.
  bool allow_credentials = false;
  // How long browsers keep the answer to a preflight. Browsers have limits of their own, such as two hours.
  std::chrono::seconds max_age{600};
};

// A middleware for cross-origin requests (Fetch, 3.2): lets scripts of other origins read responses, error
// pages too. Answers preflights, OPTIONS with Access-Control-Request-Method, with a 204: also for methods
// such as QUERY, which always need one. The handler needs no options() verb for that.
//
// Security:  CORS only relaxes what browsers forbid. A browser sends simple requests (GET, POST of a form)
//            of every origin, whatever the options say, so CORS does not replace the XSRF check. List the
//            origins: with `*`, every site that a user visits can read what the server tells that user's
//            network. Never copy the Origin header into a list, and do not list `null`, which sandboxed
//            documents of any site send.
class CORS {
 public:
  using Options = CORSOptions;
  // Throws std::invalid_argument for an origin that no browser sends (with a path, or without a scheme), for
  // a name that is not a token, and for `*` together with credentials, which browsers refuse.
  explicit CORS(Options options);

  void before(RequestHandler& handler);
  void before_head(RequestHandler& handler);

 private:
  bool allows(std::string_view origin) const noexcept;
  void add_preflight_headers(RequestHandler& handler) const;

  Options options_;
  bool any_origin_ = false;
  // The values of headers; empty for a header that is not sent.
  std::string methods_;
  std::string request_headers_;
  std::string exposed_headers_;
  std::string max_age_;
};

}  // namespace squall::web
