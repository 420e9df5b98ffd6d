#include <squall/websocket/codec/handshake_fields.h>

#include <squall/http/message/base64.h>
#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/random_bytes.h>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace squall::websocket {
namespace {

constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
constexpr std::size_t kKeyDigits = 22;  // of 16 bytes; the padding follows

// A piece between two `;`: name, or name and value.
std::optional<ExtensionParam> parse_param(std::string_view piece) {
  const std::size_t equals = piece.find('=');
  ExtensionParam param{trim(piece.substr(0, equals))};
  if (!is_token(param.name)) return std::nullopt;
  if (equals == piece.npos) return param;
  param.value = http::unquote_string(trim(piece.substr(equals + 1)));
  if (!is_token(*param.value)) return std::nullopt;
  return param;
}

}  // namespace

bool is_handshake_key(std::string_view key) noexcept {
  const auto is_digit64 = [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/'; };
  if (key.size() != kKeyDigits + 2 || !key.ends_with("==")) return false;
  return std::all_of(key.begin(), key.begin() + kKeyDigits, is_digit64);
}

std::string make_handshake_key() {
  const auto bytes = squall::detail::random_bytes<16>();
  return http::base64_encode({bytes.data(), bytes.size()});
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += kAcceptSuffix;
  std::array<unsigned char, 20> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1)
    throw std::runtime_error("OpenSSL has no SHA-1, which the WebSocket handshake needs");
  return http::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool is_supported_version(std::string_view version) noexcept {
  return version == "13" || version == "8" || version == "7";
}

std::optional<std::vector<std::string_view>> parse_subprotocols(std::string_view field) {
  std::vector<std::string_view> protocols;
  while (const auto element = http::next_list_element(field)) {
    if (!is_token(*element)) return std::nullopt;
    protocols.push_back(*element);
  }
  return protocols;
}

std::optional<std::vector<Extension>> parse_extensions(std::string_view field) {
  std::vector<Extension> extensions;
  std::size_t parts = 0;
  while (const auto element = http::next_list_element(field)) {
    std::string_view rest = *element;
    Extension extension{http::next_quoted_piece(rest, ';')};
    if (!is_token(extension.name) || ++parts > kMaxExtensionParts) return std::nullopt;
    while (rest.data() != nullptr) {
      std::optional<ExtensionParam> param = parse_param(http::next_quoted_piece(rest, ';'));
      if (!param || ++parts > kMaxExtensionParts) return std::nullopt;
      extension.params.push_back(std::move(*param));
    }
    extensions.push_back(std::move(extension));
  }
  return extensions;
}

}  // namespace squall::websocket
