#pragma once

#include <squall/http/message/query.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Changes to the text of URLs that need not be valid: URL checks them afterwards.
namespace squall::http {

// Percent-encodes the bytes that no URI has: spaces, quotes, `|`, non-ASCII letters and the like; control
// characters and backslashes too. Behind the host also brackets, a `%` that begins no escape, and a second
// `#`. For what people type and what lenient servers send as a Location.
std::string percent_encode_stray(std::string_view text);

// Appends arguments to a URL's query, which is encoded anew as a whole, and keeps its fragment (HUT-50).
// `url` may be of any scheme, or relative, and is not checked. Without arguments it is returned as it is.
std::string url_concat(std::string_view url, const QueryArguments& arguments);

// `example.com:80` taken apart; the port is none if there is none, or if that is no port, and then all is the
// host. Brackets stay; an IPv6 address without them is left whole (HUT-52).
std::pair<std::string_view, std::optional<std::uint16_t>> split_host_and_port(
    std::string_view netloc) noexcept;

}  // namespace squall::http
