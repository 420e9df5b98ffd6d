#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The header fields of the opening handshake (RFC 6455, 4 and 11.3). Pure functions.
//
// Thread:    any.
namespace squall::websocket {

// A Sec-WebSocket-Key: 16 bytes in base64. The unused bits of its last digit may have any value.
bool is_handshake_key(std::string_view key) noexcept;
// A new key of random bytes, for a client.
std::string make_handshake_key();
// The Sec-WebSocket-Accept that answers `key` (WSK-12).
std::string accept_key(std::string_view key);

// A Sec-WebSocket-Version that the server accepts (WSK-04), and the field that a refusal has.
bool is_supported_version(std::string_view version) noexcept;
inline constexpr std::string_view kSupportedVersions = "7, 8, 13";

// The elements of a Sec-WebSocket-Protocol in their order, as views into `field`. nullopt if one is not a
// token.
std::optional<std::vector<std::string_view>> parse_subprotocols(std::string_view field);

// A parameter of an extension. A quoted value has lost its quotes and backslashes.
struct ExtensionParam {
  std::string_view name;
  std::optional<std::string> value{};

  bool operator==(const ExtensionParam&) const = default;
};

// An element of Sec-WebSocket-Extensions. The names are views into the field.
struct Extension {
  std::string_view name;
  std::vector<ExtensionParam> params{};

  bool operator==(const Extension&) const = default;
};

// The extensions and parameters of one field together; a field with more is malformed.
inline constexpr std::size_t kMaxExtensionParts = 128;

// The elements of a Sec-WebSocket-Extensions in their order. nullopt for a malformed field (RFC 6455, 9.1): a
// name or a value that is not a token, a value in quotes being a token inside of them; a `;` without a
// parameter. Empty elements of the list are skipped. Linear time.
std::optional<std::vector<Extension>> parse_extensions(std::string_view field);

}  // namespace squall::websocket
