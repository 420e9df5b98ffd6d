#include <squall/http/server/proxy_headers.h>

#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// Removes the last element of a comma-separated list from `rest`. Commas in quotes do not separate. The text
// is scanned from the right: so a quote that a client left open cannot hide the element that the proxy added
// behind it.
std::string_view take_last_element(std::string_view& rest) noexcept {
  std::size_t begin = rest.size();
  bool is_quoted = false;
  while (begin > 0 && (is_quoted || rest[begin - 1] != ',')) {
    --begin;
    if (rest[begin] != '"') continue;
    std::size_t slashes = 0;
    while (is_quoted && slashes < begin && rest[begin - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) is_quoted = !is_quoted;
  }
  const std::string_view element = trim(rest.substr(begin));
  rest = begin == 0 ? std::string_view() : rest.substr(0, begin - 1);
  return element;
}

// An address as proxies write it: `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]`,
// `[2001:db8::1]:4711`, and with the hidden port of RFC 7239, 6: `1.2.3.4:_port`.
std::optional<Address> parse_node(std::string_view node) noexcept {
  const std::size_t hidden = node.rfind(":_");
  if (hidden != node.npos) node = node.substr(0, hidden);
  if (node.starts_with('[') && node.ends_with(']')) {
    const std::optional<Address> address = Address::parse_ip(node.substr(1, node.size() - 2));
    return address && address->family() == AF_INET6 ? address : std::nullopt;
  }
  const std::optional<Address> address = Address::parse_ip(node);
  return address ? address : Address::parse(node);
}

// Whether the protocol uses TLS: proxies send WebSocket's names too. nullopt for another text.
std::optional<bool> parse_protocol(std::string_view text) noexcept {
  if (equals_ignoring_case(text, "https") || equals_ignoring_case(text, "wss")) return true;
  if (equals_ignoring_case(text, "http") || equals_ignoring_case(text, "ws")) return false;
  return std::nullopt;
}

// Whether this is a value of a parameter of Forwarded: a quoted string or a token. Some proxies do not quote
// addresses, so a token may also have `:`, `[` and `]`.
bool is_value(std::string_view text) noexcept {
  if (!text.starts_with('"'))
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return is_token_char(c) || c == ':' || c == '[' || c == ']';
    });
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1 == text.size();
}

}  // namespace

// One proxy's report about the peer that it received the request from.
struct ProxyHeaders::Hop {
  // Parses an element of Forwarded. The result is empty if the element is malformed, or has a parameter twice
  // (RFC 7239, 4).
  static Hop of_element(std::string_view element) {
    Hop hop;
    bool has_address = false;
    bool has_protocol = false;
    while (!element.empty()) {
      const std::string_view pair = next_quoted_piece(element, ';');
      if (pair.empty()) continue;
      const std::size_t equals = pair.find('=');
      if (equals == pair.npos || !is_token(pair.substr(0, equals)) || !is_value(pair.substr(equals + 1)))
        return {};
      const std::string_view name = pair.substr(0, equals);
      const std::string value = unquote_string(pair.substr(equals + 1));
      if (equals_ignoring_case(name, "for")) {
        if (std::exchange(has_address, true)) return {};
        hop.address = parse_node(value);
      } else if (equals_ignoring_case(name, "proto")) {
        if (std::exchange(has_protocol, true)) return {};
        hop.secure = parse_protocol(value);
      }
    }
    return hop;
  }

  std::optional<Address> address{};
  std::optional<bool> secure{};
};

[[gnu::cold]] ProxyHeaders::ProxyHeaders(Options options)
    : options_(std::move(options)),
      has_names_(!options_.address_field.empty() || !options_.protocol_field.empty()),
      reads_forwarded_address_(equals_ignoring_case(options_.address_field, "Forwarded")),
      reads_forwarded_protocol_(equals_ignoring_case(options_.protocol_field, "Forwarded") ||
                                (reads_forwarded_address_ && options_.protocol_field.empty())) {
  for (const std::string& name : {options_.address_field, options_.protocol_field})
    if (!name.empty() && !is_token(name))
      throw std::invalid_argument(fmt::format("\"{}\" cannot be the name of a proxy's field", name));
}

bool ProxyHeaders::is_known_proxy(const Hop& hop) const noexcept {
  return hop.address && contains(options_.trusted_downstream, *hop.address);
}

ProxyHeaders::Hop ProxyHeaders::hop_of_list(std::string_view list) const {
  Hop hop;
  while (!list.empty()) {
    const std::size_t comma = list.rfind(',');
    hop.address = parse_node(trim(comma == list.npos ? list : list.substr(comma + 1)));
    if (!is_known_proxy(hop)) break;
    list = comma == list.npos ? std::string_view() : list.substr(0, comma);
  }
  return hop;
}

ProxyHeaders::Hop ProxyHeaders::hop_of_forwarded(const Headers& headers) const {
  Hop hop;
  const std::string forwarded = headers.get("Forwarded");
  for (std::string_view rest = forwarded; !rest.empty();) {
    const std::string_view element = take_last_element(rest);
    if (element.empty()) continue;  // RFC 9110, 5.6.1.2
    hop = Hop::of_element(element);
    if (!is_known_proxy(hop)) break;
  }
  return hop;
}

ProxyHeaders::Client ProxyHeaders::client_of(const Address& peer, bool secure, const Headers& headers) const {
  Client client{peer, secure, options_.trusted_peers.empty() || contains(options_.trusted_peers, peer)};
  if (!client.trusted) return client;

  const auto name_of = [&](const std::string& named, const char* first, const char* second) -> std::string {
    if (has_names_) return named;
    return headers.contains(first) ? first : second;
  };
  Hop forwarded;
  if (reads_forwarded_address_ || reads_forwarded_protocol_) forwarded = hop_of_forwarded(headers);
  Hop hop;
  if (reads_forwarded_address_) {
    hop.address = forwarded.address;
  } else if (const auto name = name_of(options_.address_field, "X-Real-Ip", "X-Forwarded-For");
             !name.empty()) {
    hop = hop_of_list(headers.get(name));
  }
  if (reads_forwarded_protocol_) {
    hop.secure = forwarded.secure;
  } else if (const auto name = name_of(options_.protocol_field, "X-Scheme", "X-Forwarded-Proto");
             !name.empty()) {
    const std::string list = headers.get(name);
    hop.secure = parse_protocol(trim(std::string_view(list).substr(list.rfind(',') + 1)));
  }
  client.address = hop.address.value_or(client.address);
  client.secure = hop.secure.value_or(client.secure);
  return client;
}

}  // namespace squall::http
