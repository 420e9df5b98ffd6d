#pragma once

#include <squall/http/message/query.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// Changes to the text of URLs that need not be valid: URL checks them afterwards.
namespace squall::http {

// Escapes the bytes that no URI has: spaces, quotes, `|`, letters outside ASCII, control characters,
// backslashes and others; behind the host also brackets, a `%` without two hexadecimal digits, and a second
// `#`. For URLs that people type, and for the Location of lenient servers.
std::string percent_encode_stray(std::string_view text);

// Appends arguments to a URL's query, encodes the whole query again, and keeps the fragment (HUT-50). `url`
// may have any scheme or be relative, and is not checked. Without arguments it is returned unchanged.
std::string url_concat(std::string_view url, const QueryArguments& arguments);

// Splits `example.com:80` into host and port. Without a valid port the whole text is the host, and so is an
// IPv6 address without brackets. The host keeps its brackets (HUT-52).
std::pair<std::string_view, std::optional<std::uint16_t>> split_host_and_port(
    std::string_view netloc) noexcept;

// The host alone. An empty port, as in `example.test:`, is a port too (RFC 3986, 3.2.3).
std::string_view without_port(std::string_view netloc) noexcept;

}  // namespace squall::http
