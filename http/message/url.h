#pragma once

#include <squall/http/message/query.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::http {

// Why a text is no URL, and at which of its bytes that shows.
struct URLFault {
  std::size_t offset = 0;
  std::string_view reason;  // a literal
};

// A text is no URL of http or https. The message does not quote it: there may be a password in it.
class URLError : public std::invalid_argument {
 public:
  explicit URLError(const URLFault& fault);
  std::size_t offset() const noexcept { return fault_.offset; }
  std::string_view reason() const noexcept { return fault_.reason; }

 private:
  URLFault fault_;
};

// What a URL is built of. Text is as a person means it, and escaped where it must be.
struct URLParts {
  std::string_view scheme = "http";
  std::string_view username;
  std::string_view password;          // not without a username
  std::string_view host;              // a name or an address, which needs no brackets
  std::optional<std::uint16_t> port;  // none: the scheme's own
  std::string_view path = "/";
  QueryArguments query;
  std::string_view fragment;
};

struct URLPieces;

// A URL of http or https, absolute, as RFC 3986 has them and nothing more lenient: what another reader of the
// same text could take for another host is refused. No control characters, spaces, backslashes or other
// characters that no URI has (percent_encode_stray() makes them fit), no broken escapes, no host that is a
// number but no IPv4 address, no zone in an IPv6 address, no port 0, nothing longer than kMaxSize.
// International names are not converted: hosts are ASCII, `xn--...` for the others, and have no escapes.
//
// Kept normalised: scheme and host in lower case, IPv6 addresses in their shortest form, without the scheme's
// own port, with `/` for an empty path. Escapes, and the dots in the path of an absolute URL, stay as they
// are.
//
// Lifetime:  views are into the URL.
// Errors:    URLError, or none and the fault, as one likes; linear time.
class URL {
 public:
  static constexpr std::size_t kMaxSize = 64 * 1024;

  // Throws URLError.
  explicit URL(std::string_view text);
  static std::optional<URL> parse(std::string_view text, URLFault& fault);
  static std::optional<URL> parse(std::string_view text);
  // Throws URLError, whose offset then means nothing.
  static URL build(const URLParts& parts);

  // What `reference`, say of a Location header, means in this URL's document (RFC 3986, 5.2), with `.` and
  // `..` resolved. It has the reference's fragment: RFC 9110, 10.2.2 has a redirect keep the old one if there
  // is none.
  URL resolve(std::string_view reference) const;
  std::optional<URL> resolve(std::string_view reference, URLFault& fault) const;

  // `https://me:pw@example.com:8443/a/b?x=1#here`: all of it.
  const std::string& text() const noexcept { return text_; }
  // `http` or `https`.
  std::string_view scheme() const noexcept { return part(0, scheme_end_); }
  bool is_https() const noexcept { return scheme_end_ == 5; }
  // `me:pw`, not decoded; none without an `@`.
  std::optional<std::string_view> userinfo() const noexcept;
  // Decoded.
  std::string username() const;
  std::string password() const;
  // To connect to: `example.com`, `127.0.0.1`, `::1`.
  std::string_view host() const noexcept;
  bool is_ipv6() const noexcept { return text_[host_] == '['; }
  // The scheme's own if the URL has none.
  std::uint16_t port() const noexcept { return port_; }
  // As a Host header has it: `example.com:8443`, `[::1]`.
  std::string_view authority() const noexcept { return part(host_, path_); }
  // `https://example.com:8443`: two URLs of the same one may share credentials (RFC 6454).
  std::string origin() const;
  bool same_origin(const URL& other) const noexcept {
    return scheme() == other.scheme() && authority() == other.authority();
  }
  // Not decoded; begins with a slash.
  std::string_view path() const noexcept { return part(path_, path_end_); }
  // What follows the `?`, not decoded.
  std::optional<std::string_view> query() const noexcept;
  std::optional<std::string_view> fragment() const noexcept;
  // Path and query, as a request line has them.
  std::string_view target() const noexcept { return part(path_, target_end_); }

  URL without_userinfo() const;
  URL without_fragment() const;
  // The fragment as it is to stand there, say another URL's. Throws URLError if it cannot.
  URL with_fragment(std::string_view fragment) const;

  bool operator==(const URL& other) const noexcept { return text_ == other.text_; }

 private:
  URL() = default;
  static URL assemble(const URLPieces& pieces);
  URLPieces pieces() const noexcept;
  std::string_view part(std::size_t begin, std::size_t end) const noexcept {
    return std::string_view(text_).substr(begin, end - begin);
  }

  std::string text_;
  std::uint32_t scheme_end_ = 0;
  std::uint32_t host_ = 0;  // behind an `@`, if there is one
  std::uint32_t host_end_ = 0;
  std::uint32_t path_ = 0;
  std::uint32_t path_end_ = 0;
  std::uint32_t target_end_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace squall::http
