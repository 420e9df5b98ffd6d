#include <squall/web/security/signed_value.h>

#include <squall/http/message/base64.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/web/security/constant_time.h>
#include <squall/web/security/hmac.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

// A text of format 2 without a copy.
struct FieldsV2 {
  std::string_view signed_text;  // to the last bar, inclusive
  int key_version;
  std::string_view time;
  std::string_view name;
  std::string_view value;
  std::string_view signature;
};

struct FieldsV1 {
  std::string_view value;
  std::string_view time;
  std::string_view signature;
};

template <std::size_t size>
std::string_view view(const std::array<char, size>& hex) noexcept {
  return {hex.data(), size};
}

// Removes `<length>:<field>|` from the beginning of `rest`; nullopt if it begins with anything else.
std::optional<std::string_view> take_field(std::string_view& rest) noexcept {
  const std::size_t colon = rest.find(':');
  if (colon == rest.npos) return std::nullopt;
  const auto length = parse_canonical_decimal<std::size_t>(rest.substr(0, colon));
  const std::string_view behind = rest.substr(colon + 1);
  if (!length || *length >= behind.size() || behind[*length] != '|') return std::nullopt;
  rest = behind.substr(*length + 1);
  return behind.substr(0, *length);
}

// The number of a canonical decimal that fits a positive Number.
template <class Number>
std::optional<Number> parse_number(std::string_view text) noexcept {
  const auto number = parse_canonical_decimal<std::uint64_t>(text);
  if (!number || !std::in_range<Number>(*number)) return std::nullopt;
  return static_cast<Number>(*number);
}

std::optional<FieldsV2> parse_v2(std::string_view text) noexcept {
  std::string_view rest = text.substr(2);  // behind `2|`
  const auto key_version = take_field(rest);
  const auto time = key_version ? take_field(rest) : std::nullopt;
  const auto name = time ? take_field(rest) : std::nullopt;
  const auto value = name ? take_field(rest) : std::nullopt;
  if (!value) return std::nullopt;
  const auto number = parse_number<int>(*key_version);
  if (!number) return std::nullopt;
  return FieldsV2{text.substr(0, text.size() - rest.size()), *number, *time, *name, *value, rest};
}

std::optional<FieldsV1> parse_v1(std::string_view text) noexcept {
  const std::size_t first = text.find('|');
  if (first == text.npos) return std::nullopt;
  const std::size_t second = text.find('|', first + 1);
  if (second == text.npos || text.find('|', second + 1) != text.npos) return std::nullopt;
  return FieldsV1{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

bool is_expired(std::int64_t time, system_clock::time_point now, TimeSpan max_age) noexcept {
  const nanoseconds oldest = saturating_subtract(now.time_since_epoch(), max_age);
  return time < std::chrono::ceil<seconds>(oldest).count();
}

bool is_far_in_future(std::int64_t time, system_clock::time_point now) noexcept {
  const nanoseconds latest = saturating_add(now.time_since_epoch(), std::chrono::days(31));
  return time > std::chrono::floor<seconds>(latest).count();
}

// A verified text: its value, or the fault.
struct Verdict {
  std::string_view base64;
  SignedValueFault fault = SignedValueFault::none;
};

Verdict verify_v2(const CookieSecrets& secrets, std::string_view name, std::string_view text,
                  system_clock::time_point now, TimeSpan max_age) {
  const auto fields = parse_v2(text);
  if (!fields) return {{}, SignedValueFault::malformed};
  const std::string* const secret = secrets.find(fields->key_version);
  if (!secret) return {{}, SignedValueFault::unknown_key};
  const auto expected = detail::hmac_sha256_hex(*secret, fields->signed_text);
  if (!constant_time_equals(fields->signature, view(expected)))
    return {{}, SignedValueFault::invalid_signature};
  if (fields->name != name) return {{}, SignedValueFault::other_name};
  const auto time = parse_number<std::int64_t>(fields->time);
  if (!time) return {{}, SignedValueFault::malformed};
  if (is_expired(*time, now, max_age)) return {{}, SignedValueFault::expired};
  return {fields->value};
}

Verdict verify_v1(const CookieSecrets& secrets, std::string_view name, std::string_view text,
                  system_clock::time_point now, TimeSpan max_age) {
  if (secrets.has_key_versions()) return {{}, SignedValueFault::unsupported_version};
  const auto fields = parse_v1(text);
  if (!fields) return {{}, SignedValueFault::malformed};
  const std::string* const secret = secrets.find(0);
  if (!secret) return {{}, SignedValueFault::unknown_key};
  const auto expected =
      detail::hmac_sha1_hex(*secret, fmt::format("{}{}{}", name, fields->value, fields->time));
  if (!constant_time_equals(fields->signature, view(expected)))
    return {{}, SignedValueFault::invalid_signature};
  // The signature does not say where the time begins, so a client can have moved digits (SEC-42). Moved zeros
  // would not change the time, but parse_number() refuses leading zeros.
  const auto time = parse_number<std::int64_t>(fields->time);
  if (!time) return {{}, SignedValueFault::tampered};
  if (is_expired(*time, now, max_age)) return {{}, SignedValueFault::expired};
  if (is_far_in_future(*time, now)) return {{}, SignedValueFault::in_future};
  return {fields->value};
}

const std::string& signing_secret(const CookieSecrets& secrets, const SigningOptions& options) {
  if (secrets.empty()) throw std::invalid_argument("a value cannot be signed without a cookie secret");
  if (secrets.has_key_versions()) {
    if (options.version < 2)
      throw std::invalid_argument("Version must be at least 2 for key version support");
    if (!options.key_version)
      throw std::invalid_argument("key_version setting must be used for secret_key dicts");
  }
  if (options.key_version && *options.key_version < 0) throw std::invalid_argument("key_version is negative");
  const std::string* const secret = secrets.find(options.key_version.value_or(0));
  if (!secret)
    throw std::invalid_argument(fmt::format("no cookie secret has the key version {}", *options.key_version));
  return *secret;
}

std::string with_length(std::string_view field) { return fmt::format("{}:{}|", field.size(), field); }

}  // namespace

std::string create_signed_value(const CookieSecrets& secrets, std::string_view name, std::string_view value,
                                system_clock::time_point now, const SigningOptions& options) {
  if (options.version < kMinSupportedSignedValueVersion || options.version > kMaxSupportedSignedValueVersion)
    throw std::invalid_argument(fmt::format("Unsupported version {}", options.version));
  const std::string& secret = signing_secret(secrets, options);
  const std::string time = fmt::format("{}", std::chrono::floor<seconds>(now.time_since_epoch()).count());
  const std::string base64 = http::base64_encode(value);
  if (options.version == 1) {
    const auto signature = detail::hmac_sha1_hex(secret, fmt::format("{}{}{}", name, base64, time));
    return fmt::format("{}|{}|{}", base64, time, view(signature));
  }
  std::string text = "2|";
  text += with_length(fmt::format("{}", options.key_version.value_or(0)));
  text += with_length(time);
  text += with_length(name);
  text += with_length(base64);
  text += view(detail::hmac_sha256_hex(secret, text));
  return text;
}

std::optional<std::string> decode_signed_value(const CookieSecrets& secrets, std::string_view name,
                                               std::string_view text, system_clock::time_point now,
                                               const VerifyOptions& options, SignedValueFault& fault) {
  if (options.min_version > kMaxSupportedSignedValueVersion)
    throw std::invalid_argument(fmt::format("Unsupported min_version {}", options.min_version));
  const int version = signed_value_version(text);
  if (version < options.min_version || version > kMaxSupportedSignedValueVersion) {
    fault = SignedValueFault::unsupported_version;
    return std::nullopt;
  }
  const Verdict verdict = (version == 1 ? verify_v1 : verify_v2)(secrets, name, text, now, options.max_age);
  fault = verdict.fault;
  if (fault != SignedValueFault::none) return std::nullopt;
  std::optional<std::string> value = http::base64_decode(verdict.base64);
  if (!value) fault = version == 1 ? SignedValueFault::tampered : SignedValueFault::malformed;
  return value;
}

std::optional<std::string> decode_signed_value(const CookieSecrets& secrets, std::string_view name,
                                               std::string_view text, system_clock::time_point now,
                                               const VerifyOptions& options) {
  SignedValueFault fault{};
  return decode_signed_value(secrets, name, text, now, options, fault);
}

std::optional<int> get_signature_key_version(std::string_view text) noexcept {
  if (signed_value_version(text) != 2) return std::nullopt;
  const auto fields = parse_v2(text);
  if (!fields) return std::nullopt;
  return fields->key_version;
}

int signed_value_version(std::string_view text) noexcept {
  constexpr std::size_t kMaxDigits = 3;
  const std::size_t bar = text.substr(0, kMaxDigits + 1).find('|');
  if (bar == text.npos || text.starts_with('0')) return 1;
  const auto version = parse_decimal<unsigned>(text.substr(0, bar));
  return version ? static_cast<int>(*version) : 1;
}

std::string_view describe(SignedValueFault fault) noexcept {
  switch (fault) {
    case SignedValueFault::none: return "Valid cookie";
    case SignedValueFault::malformed: return "Malformed cookie";
    case SignedValueFault::unsupported_version: return "Unsupported version of a signed cookie";
    case SignedValueFault::unknown_key: return "Unknown key version of a signed cookie";
    case SignedValueFault::invalid_signature: return "Invalid cookie signature";
    case SignedValueFault::other_name: return "Cookie signed for another name";
    case SignedValueFault::expired: return "Expired cookie";
    case SignedValueFault::in_future: return "Cookie timestamp in future; possible tampering";
    case SignedValueFault::tampered: return "Tampered cookie";
  }
  return "";
}

}  // namespace squall::web
