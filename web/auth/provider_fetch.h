#pragma once

#include <squall/http/message/query.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/auth/json_reply.h>
#include <squall/web/auth/provider_access.h>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Requests to the endpoints of providers. Private: no installed header includes this header.
namespace squall::web::detail {

// Whether secrets may be sent to the URL: it is an https URL, or an http URL of this machine (`localhost`,
// 127.0.0.0/8, ::1).
bool is_safe_endpoint(std::string_view url);
// Throws std::invalid_argument, which names the option, for another URL.
void check_endpoint(std::string_view option, std::string_view url);
// Whether a document of the issuer, whose URL is safe, may name the endpoint: an issuer that is not on this
// machine may not send secrets to it by http.
bool is_safe_endpoint_of(std::string_view issuer, std::string_view url);

struct ProviderCall {
  std::string name;  // for messages: `token endpoint`
  std::string url;
  http::QueryArguments query{};                // added to the URL
  std::optional<http::QueryArguments> form{};  // a POST with this body; nullopt: a GET
  std::string authorization{};                 // the Authorization header; empty: none
  // Further texts that no message may have. Those of the query, the form and the header are known.
  std::vector<std::string> secrets{};
};

struct ProviderReply {
  std::string name;  // for messages: `the token endpoint of login.example.com`
  int status = 0;
  std::string body;
  std::vector<std::string> secrets{};  // of the call

  bool ok() const noexcept { return status >= 200 && status < 300; }
  // Throws AuthError. The message has the status, and the error that a JSON body describes, unless that has
  // one of the secrets.
  [[noreturn]] void fail() const;
  // The body as an object. Throws AuthError for another body.
  nlohmann::json object() const;
};

// Sends the request. Throws AuthError if there is no whole reply within the limits of `access`.
Task<ProviderReply> call_provider(ProviderAccess access, ProviderCall call);

// A call with a token whose reply is JSON.
Task<JsonReply> call_for_json(ProviderAccess access, ProviderCall call);

}  // namespace squall::web::detail
