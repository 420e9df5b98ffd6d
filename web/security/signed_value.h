#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/web/security/cookie_secrets.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Values that a client can read but not change: the text of a signed cookie, as Tornado writes and reads it.
// A value is signed with its name and the time. The formats, called versions (WEB-94, WEB-96):
//
//     2   2|<length>:<key version>|<length>:<time>|<length>:<name>|<length>:<base64 value>|<HMAC-SHA256>
//     1   <base64 value>|<time>|<HMAC-SHA1>      read unless min_version is 2; written on request only
//
// Format 1 signs its fields without separators: digits can be moved between value and time, and the end of
// the name to the value (SEC-42). Raise min_version to 2 once no client has such cookies.
//
// Thread:    any.
namespace squall::web {

// WEB-93.
inline constexpr int kMinSupportedSignedValueVersion = 1;
inline constexpr int kMaxSupportedSignedValueVersion = 2;
inline constexpr int kDefaultSignedValueVersion = 2;
inline constexpr int kDefaultSignedValueMinVersion = 1;

struct SigningOptions {
  int version = kDefaultSignedValueVersion;
  // The key version of the secret that signs. Needed if the secrets have key versions.
  std::optional<int> key_version{};
};

// The signed text: ASCII, except for the name. Throws std::invalid_argument for an unknown version, for no
// secrets, and for secrets with key versions: without key_version, with another one, or with version 1.
std::string create_signed_value(const CookieSecrets& secrets, std::string_view name, std::string_view value,
                                std::chrono::system_clock::time_point now,
                                const SigningOptions& options = {});

struct VerifyOptions {
  TimeSpan max_age = std::chrono::days(31);
  // The oldest format that is accepted.
  int min_version = kDefaultSignedValueMinVersion;
};

// The reason why a text is no valid signed value.
enum class SignedValueFault : std::uint8_t {
  none,
  malformed,
  unsupported_version,  // of the format, or older than min_version
  unknown_key,          // no secret has the key version
  invalid_signature,
  other_name,  // the value was signed for another cookie
  expired,
  in_future,  // format 1: more than 31 days
  tampered,   // format 1: digits were moved between the fields
};

// For a log line: `Invalid cookie signature`. The texts are Tornado's where Tornado logs the fault (WEB-96).
std::string_view describe(SignedValueFault fault) noexcept;

// The value, if the text was signed with one of the secrets for that name, and is not too old (WEB-95,
// WEB-96). Otherwise nullopt, and `fault` says why; a text from a client never throws. Throws
// std::invalid_argument if min_version is above kMaxSupportedSignedValueVersion.
std::optional<std::string> decode_signed_value(const CookieSecrets& secrets, std::string_view name,
                                               std::string_view text,
                                               std::chrono::system_clock::time_point now,
                                               const VerifyOptions& options, SignedValueFault& fault);
std::optional<std::string> decode_signed_value(const CookieSecrets& secrets, std::string_view name,
                                               std::string_view text,
                                               std::chrono::system_clock::time_point now,
                                               const VerifyOptions& options = {});

// The key version that a text of format 2 names; nullopt for other texts (WEB-98). The signature is not
// verified.
std::optional<int> get_signature_key_version(std::string_view text) noexcept;

// The format of a text, which may be malformed: the number before its first bar, if it has one to three
// digits without a leading zero; otherwise 1 (WEB-97). Only 1 and 2 are supported.
int signed_value_version(std::string_view text) noexcept;

}  // namespace squall::web
