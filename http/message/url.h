#pragma once

#include <squall/http/message/query.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::http {

// The reason why a text is not a URL.
struct URLFault {
  std::size_t offset = 0;   // the offset of the wrong byte in the text
  std::string_view reason;  // a literal
};

// A text is not a URL of http or https. The message quotes the text, but no username and no password:
//
//     Invalid URL 'http://...@host:99999/': a port above 65535 (at byte 26)
//
// Control characters are escaped, and a long text is cut.
class URLError : public std::invalid_argument {
 public:
  explicit URLError(const URLFault& fault, std::string_view text = {});
  std::size_t offset() const noexcept { return fault_.offset; }
  std::string_view reason() const noexcept { return fault_.reason; }

 private:
  URLFault fault_;
};

// The parts to build a URL from. They are not escaped: URL::build() escapes them.
struct URLParts {
  std::string_view scheme = "http";
  std::string_view username;
  std::string_view password;          // ignored without a username
  std::string_view host;              // a name or an address, brackets optional
  std::optional<std::uint16_t> port;  // nullopt: the scheme's default
  std::string_view path = "/";
  QueryArguments query;
  std::string_view fragment;
};

struct URLPieces;

// An absolute URL of http or https, by RFC 3986 without leniency: a text that another reader could take for
// another host is refused. Refused are control characters, spaces, backslashes and other characters that no
// URI has (percent_encode_stray() escapes them). Refused are also malformed escapes, a host that is a
// number but not an IPv4 address, a zone in an IPv6 address, port 0, and texts longer than kMaxSize.
// International names are not converted: hosts are ASCII, as `xn--...`, without escapes.
//
// A URL is normalised: scheme and host in lower case, IPv6 addresses in their shortest form, no default port,
// and `/` for an empty path. Escapes stay, and so do dot segments of an absolute URL.
//
// Thread:    one; a const object any.
// Lifetime:  views borrow the URL.
// Errors:    URLError from the throwing functions; the others return nullopt and set the fault. Linear time.
// Source:    RFC 3986.
class URL {
 public:
  static constexpr std::size_t kMaxSize = 64 * 1024;

  // Throws URLError.
  explicit URL(std::string_view text);
  static std::optional<URL> parse(std::string_view text, URLFault& fault);
  static std::optional<URL> parse(std::string_view text);
  // Throws URLError, whose offset has no meaning then.
  static URL build(const URLParts& parts);

  // Resolves a reference, as of a Location header, against this URL (RFC 3986, 5.2), including `.` and `..`.
  // The fragment is the reference's: for a redirect without a fragment the caller keeps the old one (RFC
  // 9110, 10.2.2).
  URL resolve(std::string_view reference) const;
  std::optional<URL> resolve(std::string_view reference, URLFault& fault) const;

  // The whole URL: `https://me:pw@example.com:8443/a/b?x=1#here`.
  const std::string& text() const noexcept { return text_; }
  // `http` or `https`.
  std::string_view scheme() const noexcept { return part(0, scheme_end_); }
  bool is_https() const noexcept { return scheme_end_ == 5; }
  // `me:pw`, not decoded; nullopt in a URL without `@`.
  std::optional<std::string_view> userinfo() const noexcept;
  // Decoded.
  std::string username() const;
  std::string password() const;
  // The host to connect to: `example.com`, `127.0.0.1`, `::1`.
  std::string_view host() const noexcept;
  bool is_ipv6() const noexcept { return text_[host_] == '['; }
  // The port of the URL, or the scheme's default.
  std::uint16_t port() const noexcept { return port_; }
  // The value of a Host header: `example.com:8443`, `[::1]`.
  std::string_view authority() const noexcept { return part(host_, path_); }
  // `https://example.com:8443`. URLs of one origin may share credentials (RFC 6454).
  std::string origin() const;
  bool same_origin(const URL& other) const noexcept {
    return scheme() == other.scheme() && authority() == other.authority();
  }
  // Not decoded; begins with a slash.
  std::string_view path() const noexcept { return part(path_, path_end_); }
  // The text behind `?`, not decoded; nullopt without `?`.
  std::optional<std::string_view> query() const noexcept;
  std::optional<std::string_view> fragment() const noexcept;
  // Path and query: the target of a request line.
  std::string_view target() const noexcept { return part(path_, target_end_); }

  URL without_userinfo() const;
  URL without_fragment() const;
  // This URL with `fragment`, which is already escaped, such as the fragment of another URL. Throws
  // URLError for a malformed fragment.
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
  std::uint32_t host_ = 0;  // behind the `@` of userinfo
  std::uint32_t host_end_ = 0;
  std::uint32_t path_ = 0;
  std::uint32_t path_end_ = 0;
  std::uint32_t target_end_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace squall::http
