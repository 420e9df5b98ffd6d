#pragma once

#include <squall/web/auth/auth_error.h>
#include <squall/web/handler/json_input.h>

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

// A JSON value that a provider has sent: valid JSON in UTF-8, nested at most kMaxDepth deep.
//
//     const auto user = reply.as<nlohmann::json>();
class JsonReply {
 public:
  static constexpr int kMaxDepth = 32;

  // Throws AuthError, which names the sender as `what`, for a text that is not such a value.
  static JsonReply check(std::string text, std::string_view what);

  const std::string& text() const noexcept { return text_; }

  // The value as a T: see JsonInput. Throws AuthError if it is no T.
  template <class T>
  T as() const {
    try {
      return detail::parse_json<T>(JsonInput{text_});
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {
      throw AuthError(AuthError::Fault::provider, "the provider's reply is not the value that is expected");
    }
  }

 private:
  explicit JsonReply(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace squall::web
