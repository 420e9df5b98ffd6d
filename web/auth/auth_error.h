#pragma once

#include <squall/web/handler/http_error.h>

#include <cstdint>
#include <string>
#include <utility>

namespace squall::web {

// A sign-in through another site failed. The functions of the clients of providers throw it for all that a
// browser or a provider may do, except for an argument that is not UTF-8: an HTTPError 400. The message is
// for the log: it names the endpoint and the reason, and has no token, code or secret.
//
//     502: the token endpoint of login.example.com answered 400: invalid_grant
//
// An AuthError that a handler does not catch becomes an error page with the status of its fault.
class AuthError : public HTTPError {
 public:
  enum class Fault : std::uint8_t {
    request,   // 400: the request is not the answer to a sign-in that this browser has begun
    refused,   // 403: the user, or the provider in the name of the user, has refused
    provider,  // 502: the provider does not answer, or answers what it must not
  };

  AuthError(Fault fault, std::string message, int answered = 0)
      : HTTPError(status_of(fault), std::move(message)), fault_(fault), answered_(answered) {}

  Fault fault() const noexcept { return fault_; }
  // The status of the provider's reply if that was the failure: 401, for example. 0: another failure.
  int answered() const noexcept { return answered_; }

 private:
  static int status_of(Fault fault) noexcept {
    return fault == Fault::request ? 400 : fault == Fault::refused ? 403 : 502;
  }

  Fault fault_;
  int answered_;
};

}  // namespace squall::web
